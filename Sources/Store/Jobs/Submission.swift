import Foundation
import Hashing
import Jobs

/// A valid job message, about to become a row.
package struct Submission: Sendable {
    /// Who published it, as the broker vouches.
    package var tenant: String
    /// With the tenant it tells a job from every other: a second one makes none.
    package var messageID: String
    /// Of the body.
    package var kind: JobKind
    /// The body; pictures are references into the artifact store by now.
    package var spec: JSONValue
    /// 0 to 9, higher first.
    package var priority: Int
    /// Not before then; nil: at once.
    package var runAfter: Date?
    /// It is discarded where it has not begun by then.
    package var deadline: Date?
    /// Seconds until it is too late to begin, for whom no `deadline` is given.
    package var lifetime: Double?
    /// When `lifetime` is over at the latest, where its sender said when it published the message.
    package var expiresAt: Date?
    /// The queue that its outcome goes to besides.
    package var replyTo: String?
    /// Goes into every event; the message id does where there is none.
    package var correlationID: String?
    var traceparent: String?
    /// The model that does it, nil where any worker does, and its files' digest, nil where any of that name do.
    package var model: String?
    /// 64 hexadecimal digits.
    package var modelDigest: String?
    /// What it needs besides: `name@digest`, or `name@` for any files of that name.
    package var furtherModels: [String] = []
    /// The SHA-256 of the pictures that came with the message, which are its tenant's then; not of those it refers to.
    package var pictures: [SHA256Digest] = []
    /// What its sender should know though it can be done: told when it is accepted.
    package var warnings: [String] = []

    /// What it takes, as an engine counted, and on whose rates it is priced; nil where nobody counted.
    package var cost: (JobCost, host: String)?

    /// Describes a submission.
    package init(
        tenant: String, messageID: String, kind: JobKind, spec: JSONValue, priority: Int = 0, runAfter: Date? = nil,
        deadline: Date? = nil, lifetime: Double? = nil, replyTo: String? = nil, correlationID: String? = nil,
        traceparent: String? = nil, model: String? = nil, modelDigest: String? = nil
    ) {
        (self.tenant, self.messageID, self.kind, self.spec, self.priority) = (tenant, messageID, kind, spec, priority)
        (self.runAfter, self.deadline, self.lifetime, self.replyTo, self.correlationID) = (
            runAfter, deadline, lifetime, replyTo, correlationID
        )
        (self.traceparent, self.model, self.modelDigest) = (traceparent, model, modelDigest)
    }

    /// Describes the submission of a job, as its row will have it.
    /// - Parameter modelDigest: of the model it names; nil: any of that name.
    package init(
        tenant: String, messageID: String, spec: JobSpec, priority: Int = 0, runAfter: Date? = nil,
        deadline: Date? = nil, lifetime: Double? = nil, replyTo: String? = nil, correlationID: String? = nil,
        traceparent: String? = nil, modelDigest: String? = nil
    ) {
        self.init(
            tenant: tenant, messageID: messageID, kind: spec.kind, spec: spec.json, priority: priority,
            runAfter: runAfter, deadline: deadline, lifetime: lifetime, replyTo: replyTo,
            correlationID: correlationID, traceparent: traceparent, model: spec.model, modelDigest: modelDigest)
    }
}

extension Submission {
    /// As many are told of one job.
    private static let mostWarnings = 50
    /// After as many that failed by its own fault it is discarded.
    private static let mostAttempts = 3
    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// The message as `atelier.accept_all` reads it.
    var row: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
        return .object([
            "tenant": .string(tenant), "message_id": .string(messageID), "kind": .string(kind.rawValue), "spec": spec,
            "priority": .integer(priority),
            "run_after": text(runAfter?.formatted(Self.time)), "deadline": text(deadline?.formatted(Self.time)),
            "expires_in": lifetime.map(JSONValue.number) ?? .null,
            "expires_at": text(expiresAt?.formatted(Self.time)), "reply_to": text(replyTo),
            "correlation_id": text(correlationID), "traceparent": text(traceparent),
            "max_attempts": .integer(Self.mostAttempts), "model": text(model), "model_digest": text(modelDigest),
            "further_models": furtherModels.isEmpty ? .null : .string(furtherModels.joined(separator: " ")),
            "pictures": .array(pictures.map { .string($0.description) }),
            "warnings": .array(warnings.prefix(Self.mostWarnings).map { .string($0.storable.clipped(to: 300)) }),
            "cost": cost.flatMap { try? JSONValue($0.0) } ?? .null, "host": text(cost?.host),
        ])
    }
}
