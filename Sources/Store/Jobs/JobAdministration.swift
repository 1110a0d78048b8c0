import Foundation
import Jobs

extension Store {
    /// Everything about one job, or nil. `shown_error_code` is what it waits or ended with; `error_code` may be of an
    /// earlier attempt.
    package func job(_ id: UUID) throws -> JSONValue? {
        try objects(
            """
            select j.*, (select coalesce(jsonb_agg(to_jsonb(a) order by a.attempt), '[]') from atelier.attempts a
                where a.job = j.id) as attempts,
                (select coalesce(jsonb_agg(to_jsonb(f) order by f.name), '[]') from atelier.artifacts f where f.job =
                    j.id) as artifacts,
                (select coalesce(jsonb_agg(to_jsonb(c) order by c.attempt, c.step), '[]') from atelier.checkpoints c
                    where c.job = j.id) as checkpoints,
                (select coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'at', e.at) order by e.id), '[]')
                    from atelier.job_events e where e.job = j.id) as events,
                d.lacks_worker, d.lacks, d.largest_memory_bytes, d.largest_disk_bytes,
                d.holds_other_weights, d.warnings,
                (select r.error_code from dashboard.job_rows r where r.job = j.id) as shown_error_code
            from atelier.jobs j join dashboard.job_details d on d.job = j.id where j.id = $1::uuid
            """, [id.uuidString]
        ).first
    }

    /// The id of the job that an id, a beginning of one or a message id means; several: the choice is not clear. A
    /// whole id means its own job, whatever message ids senders give.
    package func find(_ text: String) throws -> [UUID] {
        if let id = UUID(uuidString: text), try tenant(of: id) != nil { return [id] }
        let range = Store.identifiers(beginningWith: text)
        return try query(
            """
            select id from atelier.jobs where id between $1::uuid and $2::uuid or message_id = $3 order by created_at \
            limit 3
            """,
            [range?.lowerBound.uuidString, range?.upperBound.uuidString, text]
        ).compactMap { $0["id"].flatMap(UUID.init(uuidString:)) }
    }

    /// The ids a text may be the beginning of, which an index finds; nil for what begins none, or is shorter than four
    /// digits.
    static func identifiers(beginningWith text: String) -> ClosedRange<UUID>? {
        let whole = "00000000-0000-0000-0000-000000000000"
        guard (4...whole.count).contains(text.count),
            zip(text, whole).allSatisfy({ $1 == "-" ? $0 == "-" : $0.isHexDigit && $0.isASCII })
        else { return nil }
        func filled(_ digit: Character) -> UUID? {
            UUID(uuidString: text + whole.dropFirst(text.count).map { $0 == "-" ? "-" : String(digit) }.joined())
        }
        guard let first = filled("0"), let last = filled("f") else { return nil }
        return first...last
    }

    /// Cancels a job; gives its state afterwards, or nil where there is none.
    package func cancel(_ job: UUID, reason: String?) throws -> JobState? {
        try query("select atelier.cancel($1::uuid, $2) as state", [job.uuidString, reason?.storable]).first?["state"]
            .flatMap(JobState.init(rawValue:))
    }

    /// Whose a job is; nil where there is none.
    package func tenant(of job: UUID) throws -> String? {
        try query("select tenant from atelier.jobs where id = $1::uuid", [job.uuidString]).first?["tenant"]
    }

    /// The states in which a job can be tried again.
    package func statesToRetry() throws -> [JobState] {
        try query(
            "select state from unnest(enum_range(null::atelier.job_state)) state where atelier.can_be_retried(state)"
        ).compactMap { $0["state"].flatMap(JobState.init(rawValue:)) }
    }

    /// Tries a job again; gives whether it was in a state for that.
    package func retry(_ job: UUID, fromScratch: Bool) throws -> Bool {
        try query("select atelier.retry($1::uuid, $2::boolean) as done", [job.uuidString, fromScratch ? "t" : "f"])
            .first?["done"] == "t"
    }

    /// What became of a job that was to be deleted.
    package enum Deletion: Sendable, Equatable {
        /// It is gone, with all that hung on it.
        case deleted
        /// It has not ended: nothing was done. It is to be cancelled first.
        case unfinished(JobState)
    }

    /// Erases a job that has ended, with its attempts, events, scores, messages, the rejections of its message id and
    /// the concept it learnt, and its pictures and adapter unless another job or concept of the tenant needs them;
    /// their files follow within minutes. Nil where there is no such job.
    ///
    /// This is what `atelierctl jobs delete` does; whoever calls must have the role atelier_admin.
    package func deleteJob(_ job: UUID) throws -> Deletion? {
        guard let state = try query("select atelier.delete_job($1::uuid) as state", [job.uuidString]).first?["state"]
        else { return nil }
        return JobState(rawValue: state).map(Deletion.unfinished) ?? .deleted
    }

    /// The database's time, by which answers to a message that is published next are told from earlier ones.
    package func clock() throws -> String { try query("select clock_timestamp() as now").first?["now"] ?? "" }

    /// What a daemon made of a message with an id since a time of ``clock()``; nil as long as none has seen it.
    package func answer(to messageID: String, tenant: String, since time: String) throws -> MessageAnswer? {
        let jobs = try query(
            """
            select j.id from atelier.jobs j where j.tenant = $1 and j.message_id = $2 and exists (
                select from atelier.job_events e
                where e.job = j.id and e.event in ('accepted', 'duplicate') and e.at >= $3::timestamptz)
            """, [tenant, messageID, time])
        if let job = jobs.first?["id"].flatMap(UUID.init(uuidString:)) { return .job(job) }
        return try objects(
            """
            select message_id, kind, problems, at from atelier.rejections
            where tenant = $1 and message_id = $2 and at >= $3::timestamptz order by id desc limit 1
            """, [tenant, messageID, time]
        ).first.map(MessageAnswer.rejection)
    }
}

/// What became of a message that somebody published.
package enum MessageAnswer: Sendable, Equatable {
    /// It is a job: a new one, or the one that the same message had made before.
    case job(UUID)
    /// It is none; why, as its row in `rejections` says.
    case rejection(JSONValue)
}
