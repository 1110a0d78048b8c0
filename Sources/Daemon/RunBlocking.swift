import Foundation
import Synchronization

/// Runs work that blocks (a copy, an `fsync`, a hash) on a thread of its own. The cooperative pool's few threads must
/// never wait for a disk, nor those that a mount which hangs would take from others one after the other.
package func runBlocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}

/// What `task` gives; where it has not ended within `limit`, `late` is thrown and the task goes on.
/// - Throws: What the task throws, or `late`.
func value<Value: Sendable>(
    of task: Task<Value, any Error>, within limit: Duration, or late: any Error
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let answer = FirstAnswer(continuation)
        let timer = Task {
            try await Task.sleep(for: limit)
            answer.give(.failure(late))
        }
        Task {
            answer.give(await task.result)
            timer.cancel()
        }
    }
}

/// Resumes a continuation with whatever comes first.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = Mutex(continuation) }

    func give(_ answer: Result<Value, any Error>) {
        let first = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        first?.resume(with: answer)
    }
}
