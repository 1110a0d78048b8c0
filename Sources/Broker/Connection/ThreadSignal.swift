import CRabbitMQ
import Glibc

/// Wakes a thread that waits in `poll` for a socket: an eventfd.
final class ThreadSignal: Sendable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "eventfd failed: too many open files?")
    }

    deinit { close(descriptor) }

    /// Ends the wait that runs, or the next one.
    func raise() { eventfd_write(descriptor, 1) }

    /// Waits until raised, until `socket` (if any) can be read, or `limit` is over.
    func wait(orReadable socket: Int32? = nil, atMost limit: Duration) {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let socket { descriptors.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        let milliseconds = max(
            0, limit.components.seconds * 1000 + limit.components.attoseconds / 1_000_000_000_000_000)
        poll(&descriptors, UInt(descriptors.count), Int32(clamping: milliseconds))
        var count: eventfd_t = 0
        eventfd_read(descriptor, &count)
    }
}
