import Broker
import Jobs

/// Whose a message is, and what its sender may ask for: by the user name that the broker vouches for.
package struct TenantRules: Sendable {
    /// Whose messages without a user are, where they are taken.
    package static let anonymous = "default"

    /// Whether a message must say which user sent it.
    let requiresUser: Bool
    /// The first word of queues that answers may go to.
    let replyPrefix: String
    /// RabbitMQ users who may pause, resume, and cancel any job.
    package let operators: Set<String>

    /// Rules of these settings; the daemon's own user, `user`, is an operator.
    package init(_ settings: Settings, user: String) {
        requiresUser = settings.userID == "required"
        replyPrefix = settings.replyPrefix
        operators = Set(settings.operators.split(separator: ",").map(String.init)).union([user])
    }

    /// Whose it is; nil: nobody's, and it cannot be taken.
    func tenant(of properties: MessageProperties) -> String? {
        properties.userID.flatMap { $0.isEmpty ? nil : $0 } ?? (requiresUser ? nil : Self.anonymous)
    }

    /// Whether answers to a tenant may go to this queue: one of its own, or the pseudo queue that the broker alone
    /// names and that leads back to whom it gave that name.
    func allowsReply(to queue: String, for tenant: String) -> Bool {
        let own = ownQueue(of: tenant)
        return queue == own || queue.hasPrefix(own + ".") || Self.isDirectReply(queue)
    }

    /// Whether it is RabbitMQ's direct reply-to, as the broker names it to who is to answer.
    static func isDirectReply(_ queue: String) -> Bool { queue.hasPrefix("amq.rabbitmq.reply-to.") }

    /// What is wrong with the properties: no user, or answers to a queue that is not the sender's.
    func problems(in properties: MessageProperties) -> [Problem] {
        guard let tenant = tenant(of: properties) else {
            return [
                Problem(
                    "property:user_id", found: "nothing",
                    allowed: "the user that the message is published as; the broker vouches for it")
            ]
        }
        guard let queue = properties.replyTo, !allowsReply(to: queue, for: tenant) else { return [] }
        let own = ownQueue(of: tenant)
        return [
            Problem(
                "property:reply_to", found: JSONValue.string(queue).brief,
                allowed: "\(own), a queue whose name begins with \(own)., or amq.rabbitmq.reply-to")
        ]
    }

    /// The queue that a tenant's answers may go to; so may they to those whose names begin with it and a dot.
    package func ownQueue(of tenant: String) -> String { replyPrefix + "." + JobEvent.routingWord(tenant) }
}
