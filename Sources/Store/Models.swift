import Foundation
import Jobs

extension Store {
    /// The models that workers hold, or held before they were stopped: of several of one name the one that a living
    /// worker registered last.
    /// - Throws: `StoreError`.
    package func knownModels() throws -> [ModelDescription] {
        try query(
            """
            select distinct on (m.model) m.description from atelier.worker_models m
                join atelier.workers w on w.id = m.worker
            where m.description is not null
            order by m.model, (w.gone_at is null) desc, w.started_at desc
            """
        ).compactMap { row in
            // What a later version describes in another way is not for this daemon.
            row["description"].flatMap { try? JSONDecoder().decode(ModelDescription.self, from: Data($0.utf8)) }
        }
    }

    /// The models of the cluster with the workers that hold them.
    /// - Throws: `StoreError`.
    package func modelsOfCluster() throws -> [JSONValue] { try objects("select * from dashboard.models") }

    /// Waiting jobs that no living worker can do, by model and what is lacking: `worker.model`, `worker.memory` or
    /// `worker.disk`.
    /// - Throws: `StoreError`.
    package func withoutWorker() throws -> [Row] {
        try query(
            """
            select model, left(coalesce(model_digest, 'any digest'), 12) as digest, further_models, sum(jobs) as jobs,
                lacks, max(memory_bytes) as memory_bytes, max(largest_memory_bytes) as largest_memory_bytes,
                max(disk_bytes) as disk_bytes, max(largest_disk_bytes) as largest_disk_bytes,
                bool_or(holds_other_weights) as holds_other_weights
            from dashboard.without_worker group by 1, 2, 3, lacks order by 1, 2, 3, lacks
            """)
    }
}
