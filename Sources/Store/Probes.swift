import Foundation
import Jobs

/// A probe that a worker owns, under the fence of its attempt.
package struct ClaimedProbe: Sendable, Equatable {
    package let job: UUID
    package let attempt: Int
}

extension Store {
    /// Claims up to `count` probes.
    package func claimProbes(_ worker: UUID, _ count: Int) throws -> [ClaimedProbe] {
        try query("select job, attempt from atelier.claim_probes($1::uuid, $2::int)", [worker.uuidString, String(count)]).compactMap { row in
            guard let job = row["job"].flatMap(UUID.init(uuidString:)), let attempt = row["attempt"].flatMap({ Int($0) }) else { return nil }
            return ClaimedProbe(job: job, attempt: attempt)
        }
    }

    /// Completes probes with one result for all. Gives how many of them their attempts still owned.
    package func finish(_ probes: [ClaimedProbe], result: JSONValue) throws -> Int {
        func list(_ values: [String]) -> String { "{" + values.joined(separator: ",") + "}" }
        return try query(
            "select atelier.finish_probes($1::uuid[], $2::int[], $3::jsonb) as done",
            [list(probes.map(\.job.uuidString)), list(probes.map { String($0.attempt) }), result.text]
        ).first?["done"].flatMap { Int($0) } ?? 0
    }
}
