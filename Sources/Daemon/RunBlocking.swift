import Dispatch

/// Runs work that blocks (a copy, an `fsync`, a hash) outside the cooperative pool, whose few threads must never wait
/// for a disk.
package func runBlocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result(catching: work)) }
    }
}
