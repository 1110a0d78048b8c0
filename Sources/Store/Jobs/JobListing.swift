import Foundation
import Jobs

/// Which jobs somebody means.
package struct JobFilter: Sendable {
    /// Only these; empty: any.
    package var ids: [UUID] = []
    /// Only jobs in this state; nil: in any.
    package var state: JobState?
    /// Only jobs of this kind; nil: of any.
    package var kind: JobKind?
    /// Only this tenant's; nil: anybody's.
    package var tenant: String?
    /// Only jobs that name this model; nil: any.
    package var model: String?
    /// Only jobs that wait or ended with this error; nil: any.
    package var errorCode: String?
    /// Only jobs that were created since; nil: any.
    package var since: Date?
    /// Only those that come after this one, newest first: the next page.
    package var after: UUID?
    /// Of a page.
    package var limit = 50

    /// All jobs, newest first.
    package init() {}

    /// Whether anything narrows the choice.
    package var isNarrow: Bool {
        !ids.isEmpty || state != nil || kind != nil || tenant != nil || model != nil || errorCode != nil || since != nil
    }

    /// Whether a job waits or ended with its error; others' are an earlier attempt's.
    fileprivate static let showsError = "j.state in ('discarded', 'cancelled', 'retryable')"

    /// Which rows of `atelier.jobs j` are meant, whatever the page.
    fileprivate static let condition = """
        ($1::uuid[] is null or j.id = any($1::uuid[]))
        and ($2::text is null or j.state::text = $2)
        and ($3::text is null or j.kind = $3)
        and ($4::text is null or j.tenant = $4)
        and ($5::text is null or j.error_code = $5 and \(showsError))
        and ($6::timestamptz is null or j.created_at >= $6::timestamptz)
        and ($7::text is null or j.model = $7)
        """

    /// What stands for $1 to $7 of it.
    fileprivate var binds: [String?] {
        [
            ids.isEmpty ? nil : "{\(ids.map(\.uuidString).joined(separator: ","))}", state?.rawValue, kind?.rawValue,
            tenant, errorCode, since?.formatted(.iso8601), model,
        ]
    }
}

extension Store {
    /// Jobs with their progress, newest first. `waiting_seconds` and `running_seconds` are apart: all attempts run. An
    /// error is what a job waits or ended with, not what an earlier attempt of a running one left.
    package func jobs(_ filter: JobFilter) throws -> [JSONValue] {
        try objects(
            """
            with page as (
                select j.* from atelier.jobs j
                where \(JobFilter.condition)
                and ($8::uuid is null
                    or (j.created_at, j.number)
                        < (select b.created_at, b.number from atelier.jobs b where b.id = $8::uuid))
                order by j.created_at desc, j.number desc
                limit $9::int),
            timed as (
                select p.*, extract(epoch from coalesce(p.finalized_at, now()) - p.created_at) as age,
                    (select coalesce(sum(extract(epoch from coalesce(a.ended_at, now()) - a.started_at)), 0)
                        from atelier.attempts a where a.job = p.id) as running
                from page p)
            select j.id as job, j.message_id, j.tenant, j.kind, j.state, j.priority, j.attempt, j.failures, j.stage,
                j.step, j.steps, case when \(JobFilter.showsError) then j.error_code end
                as error_code, j.error_message, j.cancel_reason,
                coalesce(j.spec->'concept', j.spec->'concepts'->0)->>'name' as concept,
                j.created_at, j.started_at, j.finalized_at,
                round(j.age::numeric, 1) as seconds, round(j.running::numeric, 1) as running_seconds,
                round(greatest(j.age - j.running, 0)::numeric, 1) as waiting_seconds
            from timed j
            order by j.created_at desc, j.number desc
            """, filter.binds + [filter.after?.uuidString, String(filter.limit)])
    }

    /// How many jobs are meant, whatever the page.
    package func count(_ filter: JobFilter) throws -> Int {
        try query("select count(*) as jobs from atelier.jobs j where \(JobFilter.condition)", filter.binds)
            .first?["jobs"].flatMap { Int($0) } ?? 0
    }
}
