import Foundation
import Hashing
import Jobs

/// A concept as jobs find it.
package struct StoredConcept: Sendable, Equatable {
    /// Without a version.
    package let name: String
    /// Whether it is a subject or a style.
    package let role: ConceptRole
    /// From 1, for each tenant and name; none is given twice.
    package let version: Int
    /// What it was learnt on, by its name.
    package let model: String
    /// The SHA-256 of its adapter.
    package let adapter: String

    /// One of these parts.
    package init(name: String, role: ConceptRole, version: Int, model: String, adapter: String) {
        (self.name, self.role, self.version) = (name, role, version)
        (self.model, self.adapter) = (model, adapter)
    }
}

/// Where what tenants have learnt, and drawn to learn from, is asked for: tables, or views of them.
package protocol ConceptSource: Sendable {
    /// The newest version of each concept a tenant has learnt on each model, in order of names and models.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func newestConcepts(tenant: String) async throws -> [StoredConcept]
    /// Single versions of a tenant's concepts, those of them that there are.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func concepts(_ versions: [(name: String, version: Int)], tenant: String) async throws -> [StoredConcept]
    /// The adapters of what mentions mean on a model, by what they call it, those of them that there are.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func adapters(
        of mentions: [ConceptMention], model: String, tenant: String
    ) async throws -> [String: InspectionOrder.Adapter]
    /// A tenant's job with the proxies that it drew; nil where there is no such job.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func drawing(_ job: UUID, tenant: String) async throws -> DrawingJob?
}

extension [ConceptMention] {
    /// A list of key, name and version for each, as JSON for a statement's parameter.
    package var parameter: String {
        let each = Set(map(\.key)).sorted().compactMap { key in first { $0.key == key } }
        return JSONValue.array(
            each.map { .array([.string($0.key), .string($0.name), $0.version.map(JSONValue.integer) ?? .null]) }
        ).text
    }
}

extension Store: ConceptSource {}

extension StoredConcept {
    /// Nil for a row of a role that is not known.
    fileprivate init?(_ row: Row) {
        guard let role = row["role"].flatMap(ConceptRole.init(rawValue:)) else { return nil }
        self.init(
            name: row["name"] ?? "", role: role, version: row["version"].flatMap { Int($0) } ?? 0,
            model: row["model"] ?? "", adapter: row["adapter_sha256"] ?? "")
    }
}

extension Store {
    /// The newest version of each concept a tenant has learnt on each model, in order of names and models.
    package func newestConcepts(tenant: String) throws -> [StoredConcept] {
        try query(
            """
            select distinct on (name, model) name, role, version, model, adapter_sha256 from atelier.concepts
            where tenant = $1 and deleted_at is null order by name, model, version desc
            """, [tenant]
        ).compactMap(StoredConcept.init)
    }

    /// Single versions of a tenant's concepts, those of them that there are.
    package func concepts(_ versions: [(name: String, version: Int)], tenant: String) throws -> [StoredConcept] {
        try query(
            """
            select name, role, version, model, adapter_sha256 from atelier.concepts
            where tenant = $1 and deleted_at is null
                and (name, version) in (select v->>0, (v->>1)::int from jsonb_array_elements($2::jsonb) v)
            """,
            [tenant, JSONValue.array(versions.map { .array([.string($0.name), .integer($0.version)]) }).text]
        ).compactMap(StoredConcept.init)
    }

    /// The adapters of what mentions mean on a model, by what they call it, those of them that there are.
    package func adapters(
        of mentions: [ConceptMention], model: String, tenant: String
    ) throws -> [String: InspectionOrder.Adapter] {
        let rows = try query(
            """
            select m.v->>0 as key, j.spec->>'method' as method, a.bytes, (j.spec->'options'->>'rows')::int as rows
            from jsonb_array_elements($1::jsonb) m(v)
                cross join lateral (
                    select job, adapter_sha256 from atelier.concepts
                    where tenant = $2 and model = $3 and name = m.v->>1 and deleted_at is null
                        and (m.v->>2 is null or version = (m.v->>2)::int)
                    order by version desc limit 1) c
                join atelier.jobs j on j.id = c.job
                join atelier.artifacts a on a.job = c.job and a.sha256 = c.adapter_sha256 and a.role = 'adapter'
            """, [mentions.parameter, tenant, model])
        return rows.reduce(into: [:]) { found, row in
            guard let key = row["key"], let method = row["method"], let bytes = row["bytes"].flatMap({ Int($0) })
            else { return }
            found[key] = InspectionOrder.Adapter(
                method: method, bytes: bytes, rows: row["rows"].flatMap { Int($0) })
        }
    }

    /// The pictures that a version of a tenant's concept on a model, the newest unless said, was learnt from, in their
    /// order: SHA-256, and the part that counted. None of one among several that had another job's proxies.
    package func references(
        of concept: String, version: Int? = nil, tenant: String, model: String
    ) throws -> [(digest: SHA256Digest, crop: CropArea?)] {
        try query(
            """
            select substr(i.image->>'artifact', 8) as sha256, i.image->'crop' as crop
            from (select job from atelier.concepts where tenant = $1 and name = $2 and model = $3 and deleted_at is
                null and ($4::int is null or version = $4::int) order by version desc limit 1) c
                join atelier.jobs j on j.id = c.job, jsonb_array_elements(j.spec->'images') with ordinality i(image,
                    number)
            where not exists (
                select from jsonb_array_elements(j.spec->'concepts') o
                where o->>'name' = $2 and not coalesce(o->'images', '[]') @> to_jsonb(i.number - 1))
            order by i.number
            """, [tenant, concept, model, version.map { String($0) }]
        ).compactMap { row in
            guard let digest = row["sha256"].flatMap({ SHA256Digest($0) }) else { return nil }
            return (digest, try row["crop"].flatMap { CropArea(try JSONValue(json: Data($0.utf8))) })
        }
    }

    /// Concepts that were learnt and not deleted, by tenant and name, the newest version first; with what was asked for
    /// and came of it.
    package func concepts(name: String? = nil, tenant: String? = nil, version: Int? = nil) throws -> [JSONValue] {
        try objects(
            """
            select c.name, c.version, c.role, c.class, c.method, c.model, c.tenant, c.created_at,
                c.job, j.message_id, c.adapter_sha256, a.bytes as adapter_bytes, c.metrics,
                c.options->>'trigger' as trigger
            from dashboard.concept_details c join atelier.jobs j on j.id = c.job
                left join atelier.artifacts a on a.job = c.job and a.sha256 = c.adapter_sha256 and a.role = 'adapter'
            where ($1::text is null or c.name = $1) and ($2::text is null or c.tenant = $2)
                and ($3::int is null or c.version = $3::int)
            order by c.tenant, c.name, c.version desc
            """, [name, tenant, version.map { String($0) }])
    }

    /// Makes an adapter, whose bytes are among the artifacts, the next version of a tenant's concept, and gives it.
    /// - Parameters:
    ///   - spec: what it is, as the message of a personalization says it.
    ///   - bytes: the adapter's size.
    /// - Throws: `StoreError`.
    package func importConcept(_ spec: JSONValue, tenant: String, adapter: SHA256Digest, bytes: Int64) throws -> Int {
        try query(
            "select atelier.import_concept($1, $2::jsonb, $3, $4::bigint) as version",
            [tenant, spec.text, adapter.description, String(bytes)]
        )
        .first?["version"].flatMap { Int($0) } ?? 0
    }

    /// Erases what was learnt of a version of a concept, or of all: adapter, drawn pictures, scores, curves; and,
    /// `withReferences`, the jobs that learnt it with the pictures it was learnt from, unless another job or concept of
    /// the tenant needs those. Gives how many versions. Files follow within minutes.
    package func deleteConcept(
        _ name: String, tenant: String, version: Int?, withReferences: Bool = false
    ) throws -> Int {
        try query(
            "select atelier.delete_concept($1, $2, $3::int, $4::boolean) as count",
            [tenant, name, version.map { String($0) }, withReferences ? "t" : "f"]
        )
        .first?["count"].flatMap { Int($0) } ?? 0
    }
}
