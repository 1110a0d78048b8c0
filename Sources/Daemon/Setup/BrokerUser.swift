/// A user of RabbitMQ's, as `rabbitmqctl list_users` lists it.
package struct BrokerUser: Decodable, Sendable {
    /// The tag of users who may publish in others' names.
    package static let impersonator = "impersonator"

    /// Its name.
    package let user: String
    /// What it may do besides its rights on virtual hosts.
    package let tags: [String]
}
