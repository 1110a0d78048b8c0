import Foundation

/// Word that the computation goes on: by it who waits for a long one tells that from one that hangs.
package enum SignOfLife {
    private final class Giver {
        let give: () -> Void
        init(_ give: @escaping () -> Void) { self.give = give }
    }

    /// Of a thread, what it gives them by.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        precondition(pthread_key_create(&key, nil) == 0, "no thread can be told apart any more")
        return key
    }()

    /// Does `body`, and calls `give` whenever the calling thread begins a part of its work, `parallel`'s: thousands of
    /// times a second, so it must be quick. The crew's threads do not call it.
    package static func giving<Result>(
        by give: @escaping () -> Void, during body: () throws -> Result
    ) rethrows -> Result {
        let (giver, outer) = (Giver(give), pthread_getspecific(key))
        pthread_setspecific(key, Unmanaged.passUnretained(giver).toOpaque())
        defer { withExtendedLifetime(giver) { _ = pthread_setspecific(key, outer) } }
        return try body()
    }

    static func give() {
        guard let giver = pthread_getspecific(key) else { return }
        Unmanaged<Giver>.fromOpaque(giver).takeUnretainedValue().give()
    }
}
