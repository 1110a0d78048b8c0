import Broker
import Foundation
import Jobs
import Store

/// Turns a delivery into a submission or a rejection: no I/O, every problem listed, the properties' beside the body's.
package struct MessageReader: Sendable {
    /// What a message is.
    package enum Reading: Sendable {
        /// A job. Its pictures are still inside the specification.
        case job(Submission, JobSpec)
        /// Not a job.
        case rejected(Rejection)
    }

    private let largestBody: Int
    let tenants: TenantRules
    private let models: @Sendable () -> ModelChoice

    /// Reads messages with bodies of at most `largestBody` bytes that name these models.
    package init(
        largestBody: Int, tenants: TenantRules, models: @escaping @Sendable () -> ModelChoice = { .any }
    ) {
        (self.largestBody, self.tenants, self.models) = (largestBody, tenants, models)
    }

    /// Whether it is a probe, by a glance at it: one that is written at length may be anything.
    static func isProbe(_ delivery: Delivery) -> Bool {
        delivery.body.count <= 256
            && (try? JobSpec.parsed(Data(delivery.body)))?["kind"]?.string == JobKind.probe.rawValue
    }

    /// Reads one.
    package func read(_ delivery: Delivery) -> Reading {
        let properties = delivery.properties
        var problems = problems(in: properties) + tenants.problems(in: properties)
        let body = Data(delivery.body)
        let models = models()
        var spec: JobSpec?
        if delivery.bodySize > UInt64(largestBody) {
            problems.append(
                Problem("", found: "a body of \(delivery.bodySize) bytes", allowed: "at most \(largestBody) bytes"))
        } else {
            do { spec = try JobSpec(body: body, models: models) } catch let found as Problems {
                problems += found.list
            } catch {
                problems.append(Problem("", found: "\(error)", allowed: "a job"))
            }
        }
        if let spec, let type = properties.type, type != spec.kind.rawValue {
            problems.append(
                Problem("property:type", found: "\"\(type)\"", allowed: "the body's kind, \(spec.kind.rawValue)"))
        }
        let owner = tenants.tenant(of: properties)
        let tenant = owner ?? ""
        guard let spec, problems.isEmpty, let messageID = properties.messageID else {
            return .rejected(
                Rejection(
                    tenant: tenant, messageID: properties.messageID.map { String($0.prefix(200)) },
                    kind: Self.kind(of: body), problems: problems,
                    body: body, replyTo: owner.flatMap { answerable(properties.replyTo, for: $0) },
                    correlationID: Self.returnable(properties.correlationID)))
        }
        var submission = Submission(
            tenant: tenant, messageID: messageID, spec: spec,
            priority: properties.priority.map { Int($0) } ?? 0,
            runAfter: Self.date(properties, "run_after"), deadline: Self.date(properties, "deadline"),
            lifetime: Self.lifetime(of: delivery), replyTo: properties.replyTo,
            correlationID: properties.correlationID, traceparent: properties.traceparent,
            modelDigest: spec.model.flatMap { models[$0]?.digest })
        submission.expiresAt = Self.expiry(properties)
        submission.furtherModels = models.further(of: spec)
        return .job(submission, spec)
    }

    private func problems(in properties: MessageProperties) -> [Problem] {
        var problems: [Problem] = []
        let length = properties.messageID?.utf8.count ?? 0
        if !JobSpec.messageIDBytes.contains(length) {
            problems.append(
                Problem(
                    "property:message_id", found: length == 0 ? "nothing" : "\(length) bytes",
                    allowed: "1 to 128 bytes that stay the same when the message is published again"))
        }
        problems += Self.problems(withTexts: properties)
        if let type = properties.contentType,
            type.split(separator: ";").first?.trimmingCharacters(in: .whitespaces).lowercased() != "application/json"
        {
            problems.append(Problem("property:content_type", found: "\"\(type)\"", allowed: "application/json"))
        }
        if let priority = properties.priority, priority > 9 {
            problems.append(Problem("property:priority", found: "\(priority)", allowed: "0 to 9"))
        }
        return problems + Self.problems(withTimes: properties)
    }

    private static func problems(withTexts properties: MessageProperties) -> [Problem] {
        var problems: [Problem] = []
        for (name, text) in texts(of: properties) {
            func note(_ found: String, allowed: String) {
                problems.append(Problem("property:\(name)", found: found, allowed: allowed))
            }
            let brief = JSONValue.string(text).brief
            if text.utf8.contains(0) { note(brief, allowed: "text without NUL characters") }
            // They are repaired as they are read: an answer would not carry back what its asker waits for.
            if text.unicodeScalars.contains("\u{FFFD}") {
                note("bytes that are no UTF-8: \(brief)", allowed: "text in UTF-8")
            }
            // As long as an answer could not carry back: repaired ones, and a header's.
            if name != "message_id", text.utf8.count > 255 {
                note("\(text.utf8.count) bytes as UTF-8", allowed: "at most 255")
            }
        }
        return problems
    }

    private static func problems(withTimes properties: MessageProperties) -> [Problem] {
        var problems: [Problem] = []
        for name in ["run_after", "deadline"] where date(properties, name) == nil {
            guard let value = properties.headers[name] else { continue }
            problems.append(
                Problem(
                    "property:headers/\(name)", found: words(value),
                    allowed: "a time that exists, with seconds and a zone, like 2026-01-31T12:00:00Z"))
        }
        // It would wait, and could never begin.
        if let start = date(properties, "run_after"), let end = date(properties, "deadline"), end <= start {
            problems.append(
                Problem(
                    "property:headers/deadline", found: end.formatted(.iso8601),
                    allowed: "a time after run_after, which is \(start.formatted(.iso8601))"))
        }
        return problems
    }

    /// The properties that are written down as text.
    private static func texts(of properties: MessageProperties) -> [(name: String, text: String)] {
        [
            ("message_id", properties.messageID), ("user_id", properties.userID), ("reply_to", properties.replyTo),
            ("correlation_id", properties.correlationID), ("headers/traceparent", properties.traceparent),
        ].compactMap { name, text in text.map { (name, $0) } }
    }

    private func answerable(_ queue: String?, for tenant: String) -> String? {
        Self.returnable(queue).flatMap { tenants.allowsReply(to: $0, for: tenant) ? $0 : nil }
    }

    /// What an answer can carry: AMQP's short strings hold 255 bytes.
    private static func returnable(_ text: String?) -> String? { text.flatMap { $0.utf8.count > 255 ? nil : $0 } }

    /// What is left of AMQP's own lifetime, milliseconds from when the message came, as text; in seconds, for hosts'
    /// clocks do not matter.
    private static func lifetime(of delivery: Delivery) -> Double? {
        delivery.properties.expiration.flatMap { Double($0) }.map {
            $0 / 1000 - delivery.arrival.duration(to: .now) / .seconds(1)
        }
    }

    /// When AMQP's own lifetime is over by the sender's `timestamp`, reckoned from the end of the second that it names.
    /// One that lies ahead, in milliseconds say, is not when the message was published: nil, as without.
    private static func expiry(_ properties: MessageProperties) -> Date? {
        guard let lifetime = properties.expiration.flatMap({ UInt32($0) }),
            let published = properties.timestamp.map({ Double($0) }), published <= Date.now.timeIntervalSince1970
        else { return nil }
        return Date(timeIntervalSince1970: published + 1 + Double(lifetime) / 1000)
    }

    /// A time as a text, or as AMQP's own timestamp: what clients make of their languages' dates.
    private static func date(_ properties: MessageProperties, _ name: String) -> Date? {
        switch properties.headers[name] {
        case .string(let text): MessageTime.date(text)
        case .timestamp(let seconds): MessageTime.date(seconds: seconds)
        default: nil
        }
    }

    /// A header's value, for whoever sent another.
    private static func words(_ value: FieldValue) -> String {
        switch value {
        case .string(let text): JSONValue.string(text).brief
        case .integer(let number): "the number \(number)"
        case .timestamp(let seconds): "the timestamp \(seconds); its unit is the second"
        case .void: "null"
        default: "\(value)".clipped(to: 60)
        }
    }

    private static func kind(of body: Data) -> String? {
        (try? JobSpec.parsed(body))?["kind"]?.string.map { $0.clipped(to: 64) }
    }
}
