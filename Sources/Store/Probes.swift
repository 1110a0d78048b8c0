import Foundation
import Jobs

extension Store {
    /// Claims and completes up to `count` probes, with one result for all. Gives how many; none for a worker that was
    /// given up.
    package func answerProbes(_ worker: UUID, _ count: Int, result: JSONValue) throws -> Int {
        try query(
            "select atelier.answer_probes($1::uuid, $2::int, $3::jsonb) as count",
            [worker.uuidString, String(count), result.text]
        )
        .first?["count"].flatMap { Int($0) } ?? 0
    }
}
