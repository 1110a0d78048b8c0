import Foundation
import Hashing
import Jobs
import Store
import Synchronization

/// PostgreSQL as the role that sees the dashboard's views and nothing else: a few connections, each on a thread of its
/// own, so that no page waits for another's query and no thread of the cooperative pool for any.
package struct Reader: Sendable {
    private let stores: [Store]
    private let turn = Turn()

    /// Which connection is next.
    private final class Turn: Sendable {
        private let count = Atomic(0)
        func next(of number: Int) -> Int { abs(count.add(1, ordering: .relaxed).newValue) % number }
    }

    /// Connects with the first query.
    package init(url: String) {
        stores = (0..<4).map { _ in Store(url: url, application: "atelier-web", patience: .seconds(16)) }
    }

    /// Rows as JSON objects; values enter only as parameters.
    /// - Throws: `StoreError`.
    package func rows(_ sql: String, _ parameters: [String?] = []) async throws -> [JSONValue] {
        let store = stores[turn.next(of: stores.count)]
        let rows = try await store.query("select to_jsonb(q) as object from (\(sql)) q", parameters)
        return try rows.map { try StrictJSON.value(of: Data(($0["object"] ?? "null").utf8)) }
    }

    /// The first row, or nil.
    /// - Throws: `StoreError`.
    package func row(_ sql: String, _ parameters: [String?] = []) async throws -> JSONValue? {
        try await rows(sql, parameters).first
    }

    /// Seconds since 1970 by the database's clock.
    /// - Throws: `StoreError`.
    func clock() async throws -> Double {
        try await row("select extract(epoch from clock_timestamp())::double precision as now")?["now"]?.double ?? 0
    }

    /// The models that draw and that a worker holds.
    /// - Throws: `StoreError`.
    func drawingModels() async throws -> ModelChoice {
        let rows = try await rows("select * from dashboard.model_descriptions where is_held order by model")
        return ModelChoice(rows.compactMap(ModelDescription.init(row:)).filter(\.family.draws))
    }

    /// What was measured of a job as its training went, by names and steps.
    /// - Throws: `StoreError`.
    func curves(of job: JSONValue) async throws -> [JSONValue] {
        try await rows(
            "select name, step, value from dashboard.curves where job = $1::uuid order by name, step",
            [job["job"]?.string])
    }

    /// What was refused at the door, newest first.
    /// - Parameters:
    ///   - tenant: only this one's, where given.
    ///   - number: only those before the one of this number.
    /// - Throws: `StoreError`.
    func rejections(of tenant: String?, before number: Int64?, limit: Int) async throws -> [JSONValue] {
        try await rows(
            """
            select * from dashboard.rejections
            where ($1::text is null or tenant = $1) and ($2::bigint is null or number < $2::bigint)
            order by number desc limit $3::int
            """, [tenant, number.map { String($0) }, String(limit)])
    }
}

extension Reader: ConceptSource {
    /// The newest version of each concept of a tenant on each model.
    /// - Throws: `StoreError`.
    package func newestConcepts(tenant: String) async throws -> [StoredConcept] {
        try await rows(
            """
            select distinct on (name, model) name, role, version, model, adapter_sha256 from dashboard.concepts
            where tenant = $1 order by name, model, version desc
            """, [tenant]
        ).compactMap(StoredConcept.init)
    }

    /// Single versions of a tenant's concepts, those of them that there are.
    /// - Throws: `StoreError`.
    package func concepts(_ versions: [(name: String, version: Int)], tenant: String) async throws -> [StoredConcept] {
        try await rows(
            """
            select name, role, version, model, adapter_sha256 from dashboard.concepts
            where tenant = $1
                and (name, version) in (select v->>0, (v->>1)::int from jsonb_array_elements($2::jsonb) v)
            """,
            [tenant, JSONValue.array(versions.map { .array([.string($0.name), .integer($0.version)]) }).text]
        ).compactMap(StoredConcept.init)
    }

    /// The adapters of what mentions mean on a model, by what they call it, those of them that there are.
    /// - Throws: `StoreError`.
    package func adapters(
        of mentions: [ConceptMention], model: String, tenant: String
    ) async throws -> [String: InspectionOrder.Adapter] {
        let rows = try await rows(
            """
            select m.v->>0 as key, c.method, (a.file->>'bytes')::bigint as bytes, (c.options->>'rows')::int as rows
            from jsonb_array_elements($1::jsonb) m(v)
                cross join lateral (
                    select method, options, adapter_sha256, artifacts from dashboard.concept_details
                    where tenant = $2 and model = $3 and name = m.v->>1
                        and (m.v->>2 is null or version = (m.v->>2)::int)
                    order by version desc limit 1) c
                join jsonb_array_elements(c.artifacts) a(file)
                    on a.file->>'role' = 'adapter' and a.file->>'sha256' = c.adapter_sha256
            """, [mentions.parameter, tenant, model])
        return rows.reduce(into: [:]) { found, row in
            guard let key = row["key"]?.string, let method = row["method"]?.string,
                let bytes = row["bytes"]?.integer
            else { return }
            found[key] = InspectionOrder.Adapter(method: method, bytes: bytes, rows: row["rows"]?.integer)
        }
    }

    /// A tenant's job with the proxies that it drew; nil where there is no such job.
    /// - Throws: `StoreError`.
    package func drawing(_ job: UUID, tenant: String) async throws -> DrawingJob? {
        try await row(
            "select state, spec, artifacts from dashboard.job_details where job = $1::uuid and tenant = $2",
            [job.uuidString.lowercased(), tenant]
        ).flatMap(DrawingJob.init)
    }
}

extension DrawingJob {
    /// Nil for a row of a state that is not known.
    fileprivate init?(_ row: JSONValue) {
        guard let state = row.jobState, let spec = row["spec"] else {
            return nil
        }
        func files(_ role: ArtifactRole) -> [JSONValue] {
            (row["artifacts"]?.array ?? []).filter { $0.artifactRole == role }
        }
        self.init(
            state: state, spec: spec,
            proxies: files(.proxy).compactMap { file in
                file["sha256"]?.string.flatMap { SHA256Digest($0) }.map {
                    StoredProxy(digest: $0, prompt: file["prompt"]?.string ?? "")
                }
            }, sheets: files(.proxies).compactMap { $0["name"]?.string })
    }
}

extension StoredConcept {
    /// Nil for a row of a role that is not known.
    fileprivate init?(_ row: JSONValue) {
        guard let role = row["role"]?.string.flatMap(ConceptRole.init(rawValue:)) else { return nil }
        self.init(
            name: row["name"]?.string ?? "", role: role, version: row["version"]?.integer ?? 0,
            model: row["model"]?.string ?? "", adapter: row["adapter_sha256"]?.string ?? "")
    }
}
