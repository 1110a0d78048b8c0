import Foundation
import Hashing

/// How many days what has ended is kept; nil keeps it for ever.
package struct Retention: Sendable, Equatable {
    /// Completed and cancelled jobs, with everything that hangs on them. A message id that comes again later makes a
    /// new job.
    package var completedJobs: Double?
    /// Discarded jobs.
    package var discardedJobs: Double?
    /// Probes, however they ended.
    package var probes: Double?
    /// Messages that were sent.
    package var messages: Double?
    /// Rejected messages.
    package var rejections: Double?

    /// Days for each sort.
    package init(
        completedJobs: Double? = nil, discardedJobs: Double? = nil, probes: Double? = nil, messages: Double? = nil,
        rejections: Double? = nil
    ) {
        (self.completedJobs, self.discardedJobs, self.probes) = (completedJobs, discardedJobs, probes)
        (self.messages, self.rejections) = (messages, rejections)
    }
}

extension Store {
    /// Deletes at most `limit` rows of each sort that have outlived their time; gives how many of what, nothing left
    /// out.
    package func prune(_ retention: Retention, limit: Int) throws -> [String: Int] {
        let days = [
            retention.completedJobs, retention.discardedJobs, retention.probes, retention.messages,
            retention.rejections,
        ]
        let types = (1...5).map { "$\($0)::double precision" }.joined(separator: ", ")
        let rows = try query(
            "select what, count from atelier.prune(\(types), $6::int)",
            days.map { $0.map { String($0) } } + [String(limit)])
        return Dictionary(rows.map { ($0["what"] ?? "", $0["count"].flatMap { Int($0) } ?? 0) }, uniquingKeysWith: +)
    }

    /// Deletes the row of a daemon's start, with the models it held, that was gone so many days ago and that no attempt
    /// names any more; gives whether there was one. All attempts are looked through for it.
    package func pruneWorker(goneFor days: Double) throws -> Bool {
        try query("select atelier.prune_worker($1::double precision) as is_done", [String(days)]).first?["is_done"]
            == "t"
    }

    /// Counts what ended in the hours that are over, for the dashboard's throughput.
    package func countHours() throws { try query("select atelier.count_hours()") }

    /// Those of the jobs whose folders nobody needs, with the last attempt that needs none: they completed, were
    /// cancelled, or are in the tables no more. An attempt that begins from now on has a greater number.
    package func idle(_ jobs: [UUID]) throws -> [UUID: Int] {
        let rows = try query(
            """
            select i.id, coalesce(j.attempt, 2147483647) as attempt
            from unnest($1::uuid[]) i(id) left join atelier.jobs j on j.id = i.id
            where j.id is null or j.state in ('completed', 'cancelled')
            """, [Self.list(jobs.map { $0.uuidString.lowercased() })])
        return Dictionary(
            rows.compactMap { row in
                row["id"].flatMap(UUID.init(uuidString:)).map { ($0, row["attempt"].flatMap { Int($0) } ?? 0) }
            }
        ) { first, _ in first }
    }

    /// Those of the jobs that are in the tables no more.
    package func unknown(_ jobs: [UUID]) throws -> Set<UUID> {
        let rows = try query(
            """
            select i.id from unnest($1::uuid[]) i(id)
            where not exists (select from atelier.jobs j where j.id = i.id)
            """, [Self.list(jobs.map { $0.uuidString.lowercased() })])
        return Set(rows.compactMap { $0["id"].flatMap(UUID.init(uuidString:)) })
    }

    /// An array for PostgreSQL of elements without commas, braces and quotes.
    static func list(_ elements: [String]) -> String { "{" + elements.joined(separator: ",") + "}" }

    /// The next artifacts by their digests, at most `limit`; nil after the last.
    package func artifacts(after digest: String, limit: Int) throws -> [SHA256Digest]? {
        let rows = try query(
            "select distinct sha256 from atelier.artifacts where sha256 > $1 order by sha256 limit $2::int",
            [digest, String(limit)])
        return rows.isEmpty ? nil : rows.compactMap { $0["sha256"].flatMap { SHA256Digest($0) } }
    }

    /// Those of the digests that nobody refers to.
    package func unreferenced(_ digests: [String]) throws -> Set<String> {
        Set(
            try query(
                "select * from atelier.unreferenced($1::text[]) as digest", [Self.list(digests)]
            ).compactMap { $0["digest"] })
    }

    /// Those of the digests that a tenant has: it sent them, or a job of it made them.
    package func held(by tenant: String, _ digests: [SHA256Digest]) throws -> Set<SHA256Digest> {
        let list = Self.list(digests.map(\.description))
        return Set(
            try query("select * from atelier.held($1, $2::text[]) as digest", [tenant, list]).compactMap {
                $0["digest"].flatMap { SHA256Digest($0) }
            })
    }

    /// The artifacts whose last reference was deleted by somebody, at most `limit`: their files are to be removed.
    package func erasable(limit: Int) throws -> [SHA256Digest] {
        try query("select * from atelier.erasable($1::int) as digest", [String(limit)]).compactMap {
            $0["digest"].flatMap { SHA256Digest($0) }
        }
    }

    /// Says that the files of these are removed.
    package func erased(_ digests: [SHA256Digest]) throws {
        try query("select atelier.erased($1::text[])", [Self.list(digests.map(\.description))])
    }

    /// Takes these from every tenant of whom no job or concept needs them any more.
    package func letGo(_ digests: [SHA256Digest]) throws {
        try query("select atelier.let_go($1::text[])", [Self.list(digests.map(\.description))])
    }
}
