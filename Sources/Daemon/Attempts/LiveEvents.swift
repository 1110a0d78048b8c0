import Jobs

/// Progress and metrics on their way to the broker: lossy by contract, so they wait in a bounded buffer and never hold
/// anybody up.
package final class LiveEvents: Sendable {
    /// The events, oldest first; the oldest go when too many wait.
    package let stream: AsyncStream<JobEvent>
    private let continuation: AsyncStream<JobEvent>.Continuation

    /// An empty buffer.
    package init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(2000)) }

    /// Adds an event.
    package func send(_ event: JobEvent) { continuation.yield(event) }

    /// No more will come.
    package func finish() { continuation.finish() }
}
