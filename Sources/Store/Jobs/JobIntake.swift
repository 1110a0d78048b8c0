import Foundation
import Jobs

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
}
