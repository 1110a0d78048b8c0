/// Says that there may be work: to one who looks then, once however often it is raised meanwhile.
struct Signal: Sendable {
    /// An element whenever it was raised since the last.
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func raise() { continuation.yield() }
}
