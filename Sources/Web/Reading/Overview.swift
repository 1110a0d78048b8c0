import Daemon
import Foundation
import Jobs

/// What the first page shows of everything: counted at most once a second however many look, and what is dear to count
/// (a day's waits, two days' hours) at most once in fifteen.
///
/// Whoever asks in between gets what was counted last.
actor Overview {
    private let reader: Reader
    private let lease, heartbeat: Double
    private var kept: [String: (rows: [JSONValue], at: ContinuousClock.Instant)] = [:]
    private var counting: [String: Task<[JSONValue], any Error>] = [:]

    /// - Parameters:
    ///   - lease: seconds after a daemon's last heartbeat until others may take its jobs.
    ///   - heartbeat: seconds between two of its heartbeats.
    init(reader: Reader, lease: Double, heartbeat: Double) {
        (self.reader, self.lease, self.heartbeat) = (reader, lease, heartbeat)
    }

    /// How the daemon of a row is, its own or a running job's.
    nonisolated func liveness(_ row: JSONValue) -> WorkerLiveness {
        WorkerLiveness(row: row, heartbeatSeconds: heartbeat)
    }

    private static let cheap = Duration.seconds(1)
    private static let dear = Duration.seconds(15)

    /// Counts what is dear before anybody asks.
    func warm() async {
        _ = try? await latency()
        _ = try? await throughput()
    }

    /// States and kinds of what waits and runs.
    func queue(_ tenant: String?) async throws -> [JSONValue] {
        guard let tenant else { return try await rows("select * from dashboard.queue", Self.cheap) }
        return try await reader.rows(
            """
            select kind, state, count(*) as jobs, min(created_at) as oldest,
                round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds
            from dashboard.job_rows
            where tenant = $1 and state in ('available', 'scheduled', 'retryable', 'running')
            group by kind, state order by kind, state
            """, [tenant])
    }

    /// What runs now.
    func running(_ tenant: String?) async throws -> [JSONValue] {
        try await rows("select * from dashboard.running", Self.cheap).filter {
            tenant == nil || $0["tenant"]?.string == tenant
        }
    }

    /// Daemons that live, or left within the hour. What has been silent for two leases left without a word: nobody is
    /// there to give it up.
    func workers() async throws -> [JSONValue] {
        try await rows(
            """
            select w.*, w.gone_at is null and w.beat_age_seconds < \(2 * lease) as lives from dashboard.workers w
            where w.gone_at is null or w.gone_at > now() - interval '1 hour'
            """, Self.cheap)
    }

    private static let cluster = "select * from dashboard.cluster"
    private static let outbox = "select * from dashboard.outbox"

    /// Whether all are paused.
    func cluster() async throws -> JSONValue { try await rows(Self.cluster, Self.cheap).first ?? .null }

    /// What leaves.
    func outbox() async throws -> JSONValue { try await rows(Self.outbox, .seconds(3)).first ?? .null }

    /// Counts anew what people change by hand: the page that they come back to shows what they did.
    func forgetOrders() {
        for sql in [Self.cluster, Self.outbox] { (kept[sql], counting[sql]) = (nil, nil) }
    }

    /// Waits and runs of a day, by kind.
    func latency() async throws -> [JSONValue] {
        try await rows("select * from dashboard.latency order by kind", Self.dear)
    }

    /// What ended in each of the last 48 hours, by state.
    func throughput() async throws -> [JSONValue] {
        try await rows(
            """
            select hour, state, sum(jobs)::bigint as jobs from dashboard.throughput
            where hour > now() - interval '48 hours' and kind <> 'probe'
            group by hour, state order by hour
            """, Self.dear)
    }

    /// Models that jobs wait for and nobody holds.
    func withoutWorker() async throws -> [JSONValue] {
        try await rows("select * from dashboard.without_worker", .seconds(5))
    }

    /// Failures by code.
    func failures() async throws -> [JSONValue] { try await rows("select * from dashboard.failures", .seconds(2)) }

    /// Methods beside each other.
    func leaderboard() async throws -> [JSONValue] {
        try await rows("select * from dashboard.leaderboard", .seconds(5))
    }

    /// What takes the disk.
    func storage() async throws -> [JSONValue] { try await rows("select * from dashboard.storage", Self.dear) }

    /// What was counted last, if that is new enough, or not much older while it is counted anew.
    private func rows(_ sql: String, _ age: Duration) async throws -> [JSONValue] {
        let found = kept[sql]
        if let found, found.at + age > .now { return found.rows }
        let task = counting[sql] ?? count(sql)
        // History changes slowly: an hour's old one is shown until the new one is there, a moment later.
        let patience = age < Self.dear ? age * 2 : .seconds(3600)
        if let found, found.at + patience > .now { return found.rows }
        return try await task.value
    }

    private func count(_ sql: String) -> Task<[JSONValue], any Error> {
        let task = Task { [reader] in try await reader.rows(sql) }
        counting[sql] = task
        Task {
            let rows = try? await task.value
            // What was forgotten meanwhile shows what was before.
            guard counting[sql] == task else { return }
            counting[sql] = nil
            if let rows { kept[sql] = (rows, .now) }
        }
        return task
    }
}
