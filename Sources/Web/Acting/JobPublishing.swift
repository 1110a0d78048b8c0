import Broker
import Daemon
import Foundation
import Jobs

/// Publishes jobs as any client does, over a connection of its own.
package final class JobPublishing: Sendable {
    /// Why a job was not published.
    package struct Refusal: Error, CustomStringConvertible { package let description: String }

    /// Who the broker knows this program as: the tenant of what is sent in nobody else's name.
    let user: String
    private let names: TopologyNames
    private let address: BrokerAddress

    /// Will publish at `address`.
    package init(_ address: BrokerAddress, names: TopologyNames) {
        (self.address, self.names, user) = (address, names, address.user)
    }

    /// Publishes a job, checked before, for a tenant; gives its message id. For another tenant than its own user's the
    /// broker must have made that user an impersonator; jobs of nobody's go to the tenant `default`.
    /// - Throws: `Problems`, ``Refusal``.
    func publish(_ body: JSONValue, for tenant: String, id: String? = nil) async throws -> String {
        let spec = try JobSpec(body)
        let identifier = id ?? UUID().uuidString.lowercased()
        let message = OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(
                contentType: "application/json", messageID: identifier, type: spec.kind.rawValue,
                userID: tenant == TenantRules.anonymous ? nil : tenant, applicationID: "atelier-web"),
            body: Array(body.line))
        // One connection a job: a broker that refuses the name closes it, and with it nobody else's.
        let publisher = Publisher(address, topology: nil)
        publisher.start()
        let outcome = await publisher.publish(message, within: .seconds(10))
        await publisher.stop()
        guard outcome.isConfirmed else {
            throw Refusal(description: Self.words(for: outcome, of: tenant, as: user))
        }
        return identifier
    }

    /// Why the broker does not have a tenant's message that `user` published, and what to do.
    static func words(for outcome: PublishOutcome, of tenant: String, as user: String) -> String {
        switch outcome {
        case .confirmed: ""
        case .refused: "the broker's queue of jobs is full; try again later"
        case .returned: "no queue takes jobs: has atelierd run yet?"
        case .unknown(let error):
            tenant == user
                ? "the broker did not take it: \(error)"
                : """
                the broker did not take it in the name of \(tenant): \(error); \(user) needs the tag impersonator for \
                that (rabbitmqctl set_user_tags \(user) impersonator)
                """
        }
    }
}
