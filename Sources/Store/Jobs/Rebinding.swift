import Foundation
import Jobs

/// What a waiting job is bound to, and what living workers hold under the names of that.
package struct WeightsBinding: Sendable, Equatable {
    /// One of a job's models whose weights would be others.
    package struct Change: Sendable, Hashable, Comparable {
        /// By its name.
        package let model: String
        /// The digest that the job was accepted for.
        package let from: String
        /// The digest that a living worker holds.
        package let to: String

        /// Other weights of one model.
        package init(model: String, from: String, to: String) {
            (self.model, self.from, self.to) = (model, from, to)
        }

        /// By name, then by the digests.
        package static func < (one: Change, other: Change) -> Bool {
            (one.model, one.from, one.to) < (other.model, other.from, other.to)
        }
    }

    /// A job that waits.
    package let job: UUID
    /// Whose it is.
    package let tenant: String
    /// The job's body.
    package let spec: JSONValue
    /// The models it needs, as `name@digest` with a space between two.
    package let needs: String
    /// Whether a living worker holds all of it.
    package let isHeld: Bool
    /// Each way to bind it to what some living worker holds instead.
    package let choices: [[Change]]
}

extension Store {
    /// What those of the jobs that wait and need a model are bound to.
    /// - Parameter digest: what another digest must begin with, to be a choice.
    /// - Throws: `StoreError`.
    package func bindings(of jobs: [UUID], digest: String = "") throws -> [WeightsBinding] {
        try objects(
            """
            with waiting as (
                select j.id, j.tenant, j.spec, j.needs from atelier.jobs j
                where j.id = any ($1::uuid[]) and j.state in ('available', 'scheduled', 'retryable')
                    and j.model is not null),
            held as materialized (
                select n.needs, atelier.rebindings(n.needs, $2) as choices
                from (select distinct w.needs from waiting w) n)
            select w.id, w.tenant, w.spec, w.needs, w.needs = any (h.choices) as is_held,
                (select coalesce(jsonb_agg(atelier.rebound_models(w.needs, c)), '[]')
                    from unnest(h.choices) c where c <> w.needs) as choices
            from waiting w join held h on h.needs = w.needs
            """, ["{\(jobs.map(\.uuidString).joined(separator: ","))}", digest]
        ).compactMap(WeightsBinding.init)
    }

    /// Takes a waiting job over to the weights that living workers hold under the names it needs; it begins anew.
    /// - Parameter digest: says which, or how it begins, where they hold several.
    /// - Returns: its state; nil where it was left alone: it does not wait, what it needs is held, or there is no or
    ///   more than one choice.
    /// - Throws: `StoreError`. Whoever calls must have the role atelier_admin.
    package func rebind(_ job: UUID, digest: String = "") throws -> JobState? {
        try query("select atelier.rebind($1::uuid, $2) as state", [job.uuidString, digest]).first?["state"]
            .flatMap(JobState.init(rawValue:))
    }

    /// The digest of the model that a version of a concept was learnt on; nil where nobody wrote it down.
    /// - Throws: `StoreError`.
    package func digest(under concept: StoredConcept, tenant: String) throws -> String? {
        try query(
            """
            select j.model_digest from atelier.concepts c join atelier.jobs j on j.id = c.job
            where c.tenant = $1 and c.name = $2 and c.version = $3::int
            """, [tenant, concept.name, String(concept.version)]
        ).first?["model_digest"]
    }
}

extension WeightsBinding {
    fileprivate init?(_ row: JSONValue) {
        guard let job = row["id"]?.string.flatMap(UUID.init(uuidString:)), let needs = row["needs"]?.string else {
            return nil
        }
        self.init(
            job: job, tenant: row["tenant"]?.string ?? "", spec: row["spec"] ?? .null, needs: needs,
            isHeld: row["is_held"] == .bool(true),
            choices: (row["choices"]?.array ?? []).map { ($0.array ?? []).compactMap(Change.init) })
    }
}

extension WeightsBinding.Change {
    fileprivate init?(_ row: JSONValue) {
        guard let model = row["model"]?.string else { return nil }
        self.init(model: model, from: row["from"]?.string ?? "", to: row["to"]?.string ?? "")
    }
}
