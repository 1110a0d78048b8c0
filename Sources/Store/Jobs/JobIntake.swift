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
    var maxAttempts: Int
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
        deadline: Date? = nil, lifetime: Double? = nil,
        replyTo: String? = nil, correlationID: String? = nil, traceparent: String? = nil, maxAttempts: Int = 3,
        model: String? = nil, modelDigest: String? = nil
    ) {
        (self.tenant, self.messageID, self.kind, self.spec, self.priority) = (tenant, messageID, kind, spec, priority)
        (self.runAfter, self.deadline, self.lifetime, self.replyTo, self.correlationID) = (
            runAfter, deadline, lifetime, replyTo, correlationID
        )
        (self.traceparent, self.maxAttempts) = (traceparent, maxAttempts)
        (self.model, self.modelDigest) = (model, modelDigest)
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

/// A message that cannot be a job.
package struct Rejection: Sendable {
    /// Who published it, as the broker vouches; empty where nobody did.
    package var tenant: String
    /// Nil where it had none.
    package var messageID: String?
    /// As it was said, whether it is one or not.
    package var kind: String?
    /// At least one.
    package var problems: [Problem]
    /// As it came; of a long one the beginning is kept.
    package var body: Data
    /// The queue that is told besides.
    package var replyTo: String?
    /// Goes into the event.
    package var correlationID: String?

    /// Describes a rejection.
    package init(
        tenant: String, messageID: String?, kind: String?, problems: [Problem], body: Data, replyTo: String? = nil,
        correlationID: String? = nil
    ) {
        (self.tenant, self.messageID, self.kind, self.problems) = (tenant, messageID, kind, problems)
        (self.body, self.replyTo, self.correlationID) = (body, replyTo, correlationID)
    }
}

extension [Problem] {
    /// The first fifty problems and their number, in texts that end: as `atelier.bounded_problems` has them, and before
    /// they are sent there or logged.
    package var bounded: [Problem] {
        let first = prefix(50).map {
            Problem(
                $0.pointer.clipped(to: 299), found: $0.found.clipped(to: 299), allowed: $0.allowed.clipped(to: 599))
        }
        guard count > 50 else { return first }
        return first + [Problem("", found: "\(count) problems", allowed: "none; the first 50 are listed")]
    }
}

/// What became of a message.
package enum Acceptance: Sendable, Equatable {
    /// A new job.
    case accepted(UUID)
    /// The job of the same message id and body that was there before.
    case duplicate(UUID)
    /// The job of the same message id that was there before had another body: JSON pointers to where they differ, the
    /// first three. Nothing was written.
    case conflict(UUID, differences: [String])

    /// The job.
    package var job: UUID {
        switch self {
        case .accepted(let job), .duplicate(let job), .conflict(let job, _): job
        }
    }
}

extension Submission {
    /// As many are told of one job.
    private static let mostWarnings = 50
    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// The message as `atelier.accept_all` reads it.
    fileprivate var row: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
        return .object([
            "tenant": .string(tenant), "message_id": .string(messageID), "kind": .string(kind.rawValue), "spec": spec,
            "priority": .integer(priority),
            "run_after": text(runAfter?.formatted(Self.time)), "deadline": text(deadline?.formatted(Self.time)),
            "expires_in": lifetime.map(JSONValue.number) ?? .null,
            "expires_at": text(expiresAt?.formatted(Self.time)), "reply_to": text(replyTo),
            "correlation_id": text(correlationID), "traceparent": text(traceparent),
            "max_attempts": .integer(maxAttempts), "model": text(model), "model_digest": text(modelDigest),
            "further_models": furtherModels.isEmpty ? .null : .string(furtherModels.joined(separator: " ")),
            "pictures": .array(pictures.map { .string($0.description) }),
            "warnings": .array(warnings.prefix(Self.mostWarnings).map { .string($0.storable.clipped(to: 300)) }),
            "cost": cost.flatMap { try? JSONValue($0.0) } ?? .null, "host": text(cost?.host),
        ])
    }
}

extension Store {
    /// Whether jobs can be made of messages: the database is there, writes, and has the function for it.
    package func takesWrites() throws -> Bool {
        try query(
            """
            select current_setting('transaction_read_only') = 'off' as is_writing,
                (select count(*) from atelier.accept_all('[]'::jsonb)) as none
            """
        ).first?["is_writing"] == "t"
    }

    /// Makes jobs of messages, or finds those they made before: all of them or, when it throws, none. Gives what became
    /// of each, in order.
    package func accept(_ submissions: [Submission]) throws -> [Acceptance] {
        let rows = try query(
            "select verdict, job, to_jsonb(differences) differences from atelier.accept_all($1::jsonb) order by place",
            [JSONValue.array(submissions.map(\.row)).text])
        let acceptances = try rows.compactMap(Self.acceptance)
        guard acceptances.count == submissions.count else {
            throw StoreError.refused(
                state: "", message: "accept_all gave \(acceptances.count) of \(submissions.count) jobs")
        }
        return acceptances
    }

    private static func acceptance(_ row: Row) throws -> Acceptance? {
        guard let job = row["job"].flatMap(UUID.init(uuidString:)) else { return nil }
        switch row["verdict"] {
        case "accepted": return .accepted(job)
        case "duplicate": return .duplicate(job)
        default:
            let list = try row["differences"].map { try JSONValue(json: Data($0.utf8)) }
            return .conflict(job, differences: list?.array?.compactMap(\.string) ?? [])
        }
    }

    /// Answers a message that would be rejected where it made a job before, which it gives; nil where no job has its id
    /// and `spec`, its body as a row has it.
    package func answerAgain(_ rejection: Rejection, spec: JSONValue) throws -> UUID? {
        let parameters: [String?] = [
            rejection.tenant, rejection.messageID, spec.text, rejection.replyTo, rejection.correlationID,
        ]
        do throws(StoreError) {
            let rows = try query("select atelier.answer_again($1, $2, $3::jsonb, $4, $5) as job", parameters)
            return rows.first?["job"].flatMap(UUID.init(uuidString:))
        } catch {
            guard !error.isTemporary else { throw error }
            return nil  // what PostgreSQL cannot hold was never a job
        }
    }

    /// Writes down a rejected message and the event that says so.
    package func reject(_ rejection: Rejection) throws {
        let problems = try JSONEncoder().encode(rejection.problems.bounded)
        try query(
            "select atelier.reject($1, $2, $3, $4::jsonb, $5::bytea, $6, $7)",
            [
                rejection.tenant.storable, rejection.messageID?.storable, rejection.kind?.storable,
                Self.clean(String(decoding: problems, as: UTF8.self)),
                "\\x" + Self.kept(of: rejection.body).hexadecimal, rejection.replyTo?.storable,
                rejection.correlationID?.storable,
            ])
    }

    private static let keptBytes = 64 << 10

    /// A rejected body as it is written down: of a long one its beginning, and what tells it from others that begin so.
    static func kept(of body: Data) -> Data {
        if body.count <= keptBytes { return body }
        return body.prefix(keptBytes) + Data("\n… \(body.count) bytes in all, \(SHA256Digest.of(body).prefixed)\n".utf8)
    }

    /// jsonb cannot hold NUL, not even escaped: U+FFFD stands for it. A backslash that is itself escaped escapes
    /// nothing.
    static func clean(_ json: String) -> String {
        // A mark that joins with the last digit would hide it.
        json.replacing(/\\(u0000|.)/.matchingSemantics(.unicodeScalar)) { $0.1 == "u0000" ? "\\ufffd" : String($0.0) }
    }
}

extension Data {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 2 * count) { text in
            for (index, byte) in enumerated() {
                (text[2 * index], text[2 * index + 1]) = (digits[Int(byte >> 4)], digits[Int(byte & 15)])
            }
            return 2 * count
        }
    }
}

extension String {
    /// The text as PostgreSQL can hold it: with U+FFFD where a NUL was.
    var storable: String { replacing("\0", with: "\u{FFFD}") }
}
