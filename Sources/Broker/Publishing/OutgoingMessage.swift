/// A message on its way out.
package struct OutgoingMessage: Sendable, Equatable {
    /// The exchange; empty is the default one, which routes to the queue named by the routing key.
    package var exchange: String
    /// The routing key.
    package var routingKey: String
    /// The properties.
    package var properties: MessageProperties
    /// The body.
    package var body: [UInt8]
    /// Whether a message that no queue takes comes back (``PublishOutcome/returned(code:text:)``) instead of vanishing.
    package var isMandatory: Bool

    /// A mandatory message, unless said otherwise.
    package init(
        exchange: String, routingKey: String, properties: MessageProperties = .init(), body: [UInt8],
        isMandatory: Bool = true
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.body = body
        self.isMandatory = isMandatory
    }

    /// RabbitMQ closes the channel of who sends more; newer ones allow less.
    static let largestBody = 128 << 20

    /// What AMQP cannot carry in it, or nil: short strings hold at most 255 bytes.
    var flaw: String? {
        if body.count > Self.largestBody {
            return "its body has \(body.count) bytes; allowed are \(Self.largestBody)"
        }
        let texts: [(String, String?)] = [
            ("exchange", exchange), ("routing key", routingKey), ("content_type", properties.contentType),
            ("content_encoding", properties.contentEncoding),
            ("message_id", properties.messageID), ("type", properties.type), ("user_id", properties.userID),
            ("reply_to", properties.replyTo),
            ("correlation_id", properties.correlationID), ("expiration", properties.expiration),
            ("app_id", properties.applicationID),
        ]
        for (name, text) in texts {
            if let count = text?.utf8.count, count > 255 { return "\(name) has \(count) bytes; allowed are 255" }
        }
        if let key = properties.headers.keys.first(where: { $0.utf8.count > 255 }) {
            return "a header's name has \(key.utf8.count) bytes; allowed are 255"
        }
        return nil
    }
}

/// What became of a published message.
package enum PublishOutcome: Sendable, Equatable {
    /// The broker has it, and on disk if it is persistent and its queue durable.
    case confirmed
    /// The broker answered no (`basic.nack`): a queue is full or failed. Publish again later.
    case refused
    /// No queue took it; mandatory messages only.
    case returned(code: Int, text: String)
    /// Nobody knows: the connection broke, or time was up. Publish again with the same message id.
    case unknown(BrokerError)

    /// Whether the broker answers for the message now.
    package var isConfirmed: Bool { self == .confirmed }

    /// Whether the broker may have the message all the same: its answer did not come, or one that was blocked takes
    /// later what was on its way.
    package var isInDoubt: Bool {
        switch self {
        case .unknown(.lost), .unknown(.timedOut): true
        default: false
        }
    }

    /// What the broker said where it closed the connection over a message in a name that its user may not take; nil
    /// where it did not.
    package var nameRefusal: String? {
        if case .unknown(.closed(406, let text)) = self, text.contains("user_id") { text } else { nil }
    }
}
