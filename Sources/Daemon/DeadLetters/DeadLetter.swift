import Broker
import Foundation
import Jobs

/// A message the broker gave up on, and why: the first entry of the header `x-death`.
package struct DeadLetter: Sendable {
    /// The message's id, where it has one.
    package let messageID: String?
    /// What kind of job it says it is.
    package let kind: String
    /// Who sent it.
    package let tenant: String
    /// How long its body is.
    package let bytes: UInt64
    private let reason: String
    /// Where it died.
    package let queue: String
    /// When it died.
    package let time: Date?

    /// Reads what the broker wrote on it.
    package init(_ delivery: Delivery) {
        let properties = delivery.properties
        messageID = properties.messageID
        kind = properties.type ?? ""
        tenant = properties.userID ?? TenantRules.anonymous
        bytes = delivery.bodySize
        var death: [String: FieldValue] = [:]
        if case .array(let deaths) = properties.headers["x-death"], case .table(let first) = deaths.first {
            death = first
        }
        reason = death["reason"]?.string ?? "unknown"
        queue = death["queue"]?.string ?? ""
        if case .timestamp(let seconds) = death["time"] {
            time = Date(timeIntervalSince1970: Double(seconds))
        } else {
            time = nil
        }
    }

    /// What tells it from another tenant's of the same message id; nil where it has none.
    package var handle: String? {
        messageID.map { id in
            [tenant, id].map { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }
                .joined(separator: "/")
        }
    }

    /// For programs.
    package var json: JSONValue {
        .object([
            "message_id": messageID.map(JSONValue.string) ?? .null, "kind": .string(kind), "tenant": .string(tenant),
            "bytes": .integer(Int(clamping: bytes)),
            "reason": .string(reason), "queue": .string(queue),
            "time": time.map { .string($0.formatted(.iso8601)) } ?? .null,
        ])
    }

    /// RabbitMQ's reasons, said so that one knows what to look at.
    package var words: String {
        switch reason {
        case "rejected": "refused by the store"
        case "delivery_limit": "delivered too often"
        case "expired": "expired"
        case "maxlen": "queue was full"
        default: reason
        }
    }

    /// The message as it came, to be published again: without what the broker wrote on it when it died.
    package func message(of delivery: Delivery, _ names: TopologyNames) -> OutgoingMessage {
        var properties = delivery.properties
        properties.headers = properties.headers.filter { name, _ in
            !["x-death", "x-first-death", "x-last-death", "x-delivery-count"].contains { name.hasPrefix($0) }
        }
        // Its lifetime begins anew: who replays it wants it done.
        properties.timestamp = nil
        return OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey, properties: properties,
            body: delivery.body)
    }
}
