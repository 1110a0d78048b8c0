import Foundation

/// Something Atelier says about a job on the exchange of events: routing key `<tenant>.<kind>.<event>`, a JSON body,
/// CloudEvents attributes as headers.
package struct JobEvent: Sendable, Equatable {
    /// The stable id of the message; consumers drop repeated ones.
    package let id = UUID()
    /// What happened: accepted, started, progress, metric, retrying, completed, discarded, cancelled, rejected …
    package let event: String
    /// `<tenant>.<kind>.<event>`, each part made safe for a routing key.
    package let routingKey: String
    /// The body.
    package let body: JSONValue

    /// Describes one event.
    package init(event: String, tenant: String, kind: String, body: JSONValue) {
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

    /// A tenant or kind as a word of a routing key: letters, digits, - and _ stay, other bytes %XX, so that no
    /// two texts share a word and no dot of a stranger's parts one. Only what is longer than 100 then is cut, with ~ at
    /// its end, for a routing key has 255 bytes. Nothing is _. `atelier.routing_word` is the same in SQL.
    package static func routingWord(_ text: String) -> String {
        if text.isEmpty { return "_" }
        let word = text.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                String(Unicode.Scalar(byte))
            default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
        return word.utf8.count <= 100 ? word : word.prefix(99) + "~"
    }
}
