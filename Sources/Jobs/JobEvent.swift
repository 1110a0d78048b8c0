import Foundation

/// Something Atelier says about a job on the exchange of events: routing key `<tenant>.<kind>.<event>`, a JSON body,
/// CloudEvents attributes as headers.
package struct JobEvent: Sendable, Equatable {
    /// The stable id of the message; consumers drop repeated ones.
    package let id: UUID
    /// What happened: accepted, started, progress, metric, retrying, completed, discarded, cancelled, rejected …
    package let event: String
    /// `<tenant>.<kind>.<event>`, each part made safe for a routing key.
    package let routingKey: String
    /// The body.
    package let body: JSONValue

    /// Describes one event.
    package init(id: UUID = UUID(), event: String, tenant: String, kind: String, body: JSONValue) {
        self.id = id
        self.event = event
        self.body = body
        routingKey = [tenant, kind, event].map(Self.routingWord).joined(separator: ".")
    }

    /// CloudEvents' attributes for AMQP headers.
    package static func headers(id: String, event: String, subject: String, time: Date) -> [String: String] {
        [
            "cloudEvents:specversion": "1.0", "cloudEvents:id": id, "cloudEvents:source": "/atelier",
            "cloudEvents:type": "atelier.job.\(event).v1", "cloudEvents:subject": subject,
            "cloudEvents:time": time.formatted(.iso8601),
        ]
    }

    /// One word of a routing key: dots, wildcards and spaces of strangers would change what is bound.
    package static func routingWord(_ text: String) -> String {
        let safe = String(
            text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "_" }.prefix(64))
        return safe.isEmpty ? "_" : safe
    }
}
