/// AMQP's `basic` properties, and the headers.
package struct MessageProperties: Sendable, Equatable {
    /// Whether a message outlives a restart of the broker.
    package enum Durability: UInt8, Sendable {
        /// Kept in memory only.
        case transient = 1
        /// Written to disk.
        case persistent = 2
    }

    /// The body's media type.
    package var contentType: String?
    /// The body's encoding: `gzip` and the like.
    package var contentEncoding: String?
    /// The sender's identity of the message: the idempotency key.
    package var messageID: String?
    /// What kind of message it is.
    package var type: String?
    /// Who sent it; the broker refuses a name that is not the connection's user.
    package var userID: String?
    /// Which queue an answer goes to.
    package var replyTo: String?
    /// What an answer repeats.
    package var correlationID: String?
    /// 0–9, more is sooner.
    package var priority: UInt8?
    /// Milliseconds as text, AMQP's own form.
    package var expiration: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    /// Which program sent it.
    package var applicationID: String?
    /// Whether it outlives a restart of the broker.
    package var durability: Durability?
    /// Everything else.
    package var headers: [String: FieldValue]

    /// Properties of a persistent message, unless said otherwise.
    package init(
        contentType: String? = nil, contentEncoding: String? = nil, messageID: String? = nil, type: String? = nil,
        userID: String? = nil,
        replyTo: String? = nil, correlationID: String? = nil, priority: UInt8? = nil, expiration: String? = nil,
        timestamp: UInt64? = nil,
        applicationID: String? = nil, durability: Durability? = .persistent, headers: [String: FieldValue] = [:]
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.messageID = messageID
        self.type = type
        self.userID = userID
        self.replyTo = replyTo
        self.correlationID = correlationID
        self.priority = priority
        self.expiration = expiration
        self.timestamp = timestamp
        self.applicationID = applicationID
        self.durability = durability
        self.headers = headers
    }

    /// The W3C trace context, from the header `traceparent`.
    package var traceparent: String? { headers["traceparent"]?.string }
}
