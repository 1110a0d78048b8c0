import Foundation
import Jobs

/// A job that a worker owns, under the fence of its attempt.
package struct ClaimedJob: Sendable {
    /// The row.
    package let job: UUID
    /// From 1; the fence of everything that is written of it.
    package let attempt: Int
    /// Whether it needs an engine, and which worker does it.
    package let kind: JobKind
    /// Whose it is.
    package let tenant: String
    /// Of the message it was made of.
    package let messageID: String
    /// What is to be done, or what is wrong with a row that is no job any more.
    package let spec: Result<JobSpec, Problems>
    /// What it was to take when it was accepted; nil where nobody could tell.
    package var estimatedSeconds: Double?
}

extension Store {
    /// Claims up to `count` jobs of the kinds, nil: of all, that need no model the worker does not hold, nor more
    /// memory than its engines may take.
    /// - Parameter diskBytes: what is free where the worker's jobs keep what they do: none is claimed that would keep
    ///   more, unless it goes on from a checkpoint. Nil where nobody knows.
    /// - Throws: `StoreError`.
    package func claim(
        _ worker: UUID, _ count: Int, kinds: [JobKind]? = nil, diskBytes: Int? = nil
    ) throws -> [ClaimedJob] {
        try query(
            """
            select id, attempt, kind, tenant, message_id, spec, estimate->>'seconds' as seconds
            from atelier.claim($1::uuid, $2::int, $3::text[], $4::bigint)
            """,
            [
                worker.uuidString, String(count),
                kinds.map { Self.list($0.map(\.rawValue)) }, diskBytes.map { String($0) },
            ]
        )
        .compactMap { row in
            guard let job = row["id"].flatMap(UUID.init(uuidString:)),
                let attempt = row["attempt"].flatMap({ Int($0) }),
                let kind = row["kind"].flatMap(JobKind.init(rawValue:))
            else { return nil }
            return ClaimedJob(
                job: job, attempt: attempt, kind: kind, tenant: row["tenant"] ?? "", messageID: row["message_id"] ?? "",
                spec: Self.spec(row["spec"] ?? "{}"), estimatedSeconds: row["seconds"].flatMap { Double($0) })
        }
    }

    private static func spec(_ json: String) -> Result<JobSpec, Problems> {
        do { return .success(try JobSpec(body: Data(json.utf8), isAccepted: true)) } catch {
            return .failure(error as? Problems ?? Problems([Problem("", found: "\(error)", allowed: "a job")]))
        }
    }

    /// Seconds until the next scheduled or retryable job may be claimed, 0 or less where one is overdue; nil where none
    /// waits.
    package func secondsUntilDue() throws -> Double? {
        try query("select atelier.seconds_until_due() as seconds").first?["seconds"].flatMap { Double($0) }
    }

    /// Frees the jobs of workers whose last heartbeat is older than `lease` seconds; gives how many.
    package func rescueExpired(lease: Int) throws -> Int {
        try query("select atelier.rescue_expired($1::double precision) as jobs", [String(lease)]).first?["jobs"].flatMap
        { Int($0) } ?? 0
    }

    /// Discards what waited past its deadline, the most a call may; gives how many.
    package func expire() throws -> Int {
        try query("select atelier.expire() as jobs").first?["jobs"].flatMap { Int($0) } ?? 0
    }
}
