/// A message from a queue, to be answered exactly once: ``acknowledge()`` or ``reject(requeue:)``, from any task.
///
/// An answer after the connection was lost has no effect: the broker has put the message back already and delivers it
/// again.
package struct Delivery: Sendable {
    /// The properties.
    package let properties: MessageProperties
    /// The body; empty where ``isTooLong``.
    package let body: [UInt8]
    /// The body's length in bytes, as announced.
    package let bodySize: UInt64
    /// The exchange it was published to.
    package let exchange: String
    /// The routing key it was published with.
    package let routingKey: String
    /// When it came.
    package let arrival = ContinuousClock.now
    /// Whether it was delivered before, maybe to somebody else.
    package let isRedelivered: Bool
    private let answer: @Sendable (DeliveryAnswer) -> Void

    init(_ message: IncomingMessage, answer: @escaping @Sendable (DeliveryAnswer) -> Void) {
        properties = message.properties
        body = message.body
        bodySize = message.bodySize
        exchange = message.exchange
        routingKey = message.routingKey
        isRedelivered = message.isRedelivered
        self.answer = answer
    }

    /// Whether the body was longer than the consumer's limit and dropped.
    package var isTooLong: Bool { UInt64(body.count) < bodySize }

    /// The message is taken care of: the broker may forget it.
    package func acknowledge() { answer(.acknowledge) }

    /// The message is not taken care of: it goes back to its queue, or with `requeue` false to the dead letters.
    package func reject(requeue: Bool) { answer(.reject(requeue: requeue)) }
}

/// How a delivery is answered.
enum DeliveryAnswer: Sendable {
    case acknowledge
    case reject(requeue: Bool)
}
