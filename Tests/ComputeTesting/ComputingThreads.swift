import Foundation
import Testing

/// Threads for tests that compute without awaiting anything: as many as processors, and not the cooperative pool's.
/// There, two such tests keep everybody waiting who looks for a moment, such as the middle of another test's training.
///
/// `@unchecked Sendable`: `work` is only touched under `condition`, and the threads never end.
private final class ComputingThreads: TaskExecutor, @unchecked Sendable {
    static let shared = ComputingThreads()

    private let condition = NSCondition()
    private var work: [UnownedJob] = []

    private init() {
        for number in 1...max(1, ProcessInfo.processInfo.activeProcessorCount) {
            let thread = Thread { [self] in
                Thread.current.threadDictionary[ComputingTrait.mark] = number
                run()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        work.append(job)
        condition.signal()
        condition.unlock()
    }

    private func run() {
        while true {
            condition.lock()
            while work.isEmpty { condition.wait() }
            let job = work.removeFirst()
            condition.unlock()
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// Runs the tests of a suite on threads for computing.
package struct ComputingTrait: SuiteTrait, TestTrait, TestScoping {
    fileprivate static let mark = "atelier.computing"

    package var isRecursive: Bool { true }

    /// Whether the calling thread is one of those.
    package static var isHere: Bool { Thread.current.threadDictionary[mark] != nil }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(ComputingThreads.shared) { try await function() }
    }
}

extension Trait where Self == ComputingTrait {
    /// These tests compute for long without awaiting: they keep off the threads that everybody shares.
    package static var computing: Self { Self() }
}
