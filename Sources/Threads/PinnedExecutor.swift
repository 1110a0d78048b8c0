import Foundation

/// A serial executor that owns one OS thread: for an actor that holds a C handle whose calls block. Its jobs never
/// occupy a thread of the cooperative pool, and the handle is always called from the same thread.
package final class PinnedExecutor: SerialExecutor {
    private let queue: Queue

    /// Starts the thread. It ends once the executor is released.
    package init(name: String) {
        let queue = Queue()
        self.queue = queue
        let thread = Thread { queue.run() }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit { queue.close() }

    /// Runs the job on the thread, after those that came before it.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.add { job.runSynchronously(on: executor) }
    }

    /// What an actor names as its executor; the actor keeps this object.
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// The thread's work; it holds this and not the executor, so that the executor can go.
    /// `@unchecked Sendable`: both variables are only touched under `condition`.
    private final class Queue: @unchecked Sendable {
        private let condition = NSCondition()
        private var work: [() -> Void] = []
        private var isClosed = false

        func add(_ item: @escaping () -> Void) {
            condition.lock()
            work.append(item)
            condition.signal()
            condition.unlock()
        }

        func close() {
            condition.lock()
            isClosed = true
            condition.signal()
            condition.unlock()
        }

        func run() {
            while true {
                condition.lock()
                while work.isEmpty && !isClosed { condition.wait() }
                let batch = work
                work = []
                let isOver = isClosed && batch.isEmpty
                condition.unlock()
                if isOver { return }
                for item in batch { item() }
            }
        }
    }
}
