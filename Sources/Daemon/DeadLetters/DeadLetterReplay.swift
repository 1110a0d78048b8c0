import Broker

/// Publishes dead letters again as they came, one after the other.
///
/// Over a letter in another's name the broker closes the connection of a user that is no impersonator: it is asked
/// once, and what it said holds for all further letters of others.
package actor DeadLetterReplay {
    private let publisher: Publisher
    private let user: String
    private let names: TopologyNames
    /// A name that the broker does not take from this user, and what it said.
    private var refusal: (name: String, text: String)?

    /// Connects. `report` is called from the connection's thread and must not block.
    package init(
        _ address: BrokerAddress, names: TopologyNames,
        report: @escaping @Sendable (ConnectionEvent) -> Void = { _ in }
    ) {
        publisher = Publisher(address, topology: nil, report: report)
        (user, self.names) = (address.user, names)
        publisher.start()
    }

    /// Publishes one, and says what became of it; the letter stays where it was.
    package func publish(_ letter: DeadLetter, of delivery: Delivery) async -> PublishOutcome {
        let name = delivery.properties.userID ?? user
        if let refusal, name != user {
            let text = refusal.text.replacing("'\(refusal.name)'", with: "'\(name)'")
            return .unknown(.closed(code: 406, text: text))
        }
        let outcome = await publisher.publish(letter.message(of: delivery, names), within: .seconds(15))
        if let text = outcome.nameRefusal { refusal = (name, text) }
        return outcome
    }

    /// Closes the connection.
    package func stop() async { await publisher.stop() }
}
