import Foundation
import Jobs

extension Store {
    /// The threads that a host was measured with; nil where it was not, or in another way.
    /// - Throws: `StoreError`.
    package func measuredThreads(of host: String) throws -> Int? {
        try query(
            "select threads from atelier.host_rates where host = $1 and version = $2::int",
            [host, String(HostRates.version)]
        ).first?["threads"].flatMap { Int($0) }
    }

    /// Says what a worker may take of memory, and how fast its host is where that was measured now.
    /// - Throws: `StoreError`.
    package func calibrate(_ worker: UUID, host: String, memoryBytes: Int, rates: HostRates?) throws {
        try query(
            "select atelier.calibrate($1::uuid, $2, $3::bigint, $4::jsonb)",
            [worker.uuidString, host, String(memoryBytes), rates.map { String(decoding: $0.line, as: UTF8.self) }])
    }

    /// What a job of a cost takes on a host; nil where the host is not measured.
    /// - Throws: `StoreError`.
    package func estimate(_ cost: JobCost, of spec: JobSpec, host: String) throws -> JobEstimate? {
        let method: String? = if case .personalize(let spec) = spec { spec.method.rawValue } else { nil }
        let rows = try query(
            "select atelier.estimate($1::jsonb, $2, $3, $4, $5) as estimate",
            [try JSONValue(cost).text, host, spec.kind.rawValue, method, spec.model])
        return rows.first?["estimate"].flatMap { try? JSONDecoder().decode(JobEstimate.self, from: Data($0.utf8)) }
    }

    /// The most memory that an engine may take of any worker that lives or left within a day, for it may be starting
    /// again, and counts until its successor says what it has; nil where a living one does not say, or there is none.
    /// - Throws: `StoreError`.
    package func largestMemory() throws -> Int? {
        try query(
            """
            select case when count(*) = count(memory_bytes) then max(memory_bytes) end as bytes
            from (
                select distinct on (host, state_directory) memory_bytes from atelier.workers
                where gone_at is null or gone_at > now() - interval '1 day' and memory_bytes is not null
                order by host, state_directory, started_at desc) w
            """
        ).first?["bytes"].flatMap { Int($0) }
    }
}
