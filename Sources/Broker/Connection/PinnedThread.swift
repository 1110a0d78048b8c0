import Foundation

/// Starts `body` on an OS thread of its own.
///
/// The stack is 8 MiB because librabbitmq decodes nested header tables by recursion without a bound: 15 000 levels,
/// more than a header frame of 128 KiB holds in practice, fit into it.
func startPinnedThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.stackSize = 8 << 20
    thread.start()
}
