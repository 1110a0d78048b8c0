/// What the broker says on a session, apart from answers to what was asked.
enum SessionEvent {
    /// A message for the consumer.
    case delivered(IncomingMessage)
    /// A mandatory message that no queue took comes back; its confirm follows.
    case returned(code: Int, text: String, message: IncomingMessage)
    /// The broker has these (`isRefused` false) or will not have them: the message with this tag, and with `multiple`
    /// every earlier one.
    case settled(tag: UInt64, multiple: Bool, isRefused: Bool)
    /// The consumer is no more: its queue is gone.
    case consumerCancelled
    /// The broker takes no messages for now.
    case blocked(String)
    /// The broker takes messages again.
    case unblocked
}

/// A message as it came.
struct IncomingMessage {
    /// Where it stands in the session; acknowledgements name it. 0 for returned messages.
    let tag: UInt64
    let isRedelivered: Bool
    let exchange: String
    let routingKey: String
    var properties = MessageProperties()
    /// The body's length as announced.
    var bodySize: UInt64 = 0
    /// The body; empty where it is longer than the limit, or put off.
    var body: [UInt8] = []
    /// Whether the body was dropped for want of room; then the message is to be delivered again.
    var isPutOff = false
}
