import Foundation
import Jobs
import Store

/// Whether waiting jobs can be taken over to the weights that living daemons hold now under the names of those they
/// were accepted for. Concepts go by what they were learnt on: an adapter changes the weights it was made for, and no
/// engine uses it on others.
package struct Rebinding {
    /// Other weights of one model.
    package typealias Change = WeightsBinding.Change

    /// What is to be said of a job.
    package enum Verdict: Sendable, Equatable {
        /// It can be: to these.
        case possible([Change])
        /// It waits for no weights.
        case needless(String)
        /// It cannot be, and why.
        case refused(String)
    }

    private let store: Store
    private let digest: String
    private var concepts: LearntConcepts
    private var digests: [String: String?] = [:]

    /// - Parameters:
    ///   - store: with the rights of atelier_admin.
    ///   - digest: which weights are meant, or how their digest begins; empty: those there are.
    package init(store: Store, digest: String = "") {
        (self.store, self.digest) = (store, digest)
        concepts = LearntConcepts(store: store)
    }

    /// What can be done with each of these jobs.
    /// - Throws: `StoreError`.
    package mutating func verdicts(of jobs: [UUID]) async throws -> [UUID: Verdict] {
        var verdicts: [UUID: Verdict] = [:]
        for binding in try await store.bindings(of: jobs, digest: digest) {
            verdicts[binding.job] = try await verdict(of: binding)
        }
        for job in jobs where verdicts[job] == nil {
            verdicts[job] = .needless("what ended or runs, or needs no model, waits for no weights")
        }
        return verdicts
    }

    private mutating func verdict(of binding: WeightsBinding) async throws -> Verdict {
        let needs = binding.needs.split(separator: " ").map { need in
            let parts = need.split(separator: "@")
            return parts[0] + (parts.count > 1 ? " (\(parts[1].prefix(12)))" : "")
        }.joined(separator: " with ")
        if binding.isHeld { return .needless("a living daemon holds \(needs)") }
        guard let changes = binding.choices.first else {
            let names = binding.needs.split(separator: " ").map { $0.prefix { $0 != "@" } }.joined(separator: " with ")
            let whose = digest.isEmpty ? "" : " whose digest begins with \(digest)"
            return .refused("no living daemon holds \(needs), nor another \(names)\(whose)")
        }
        guard binding.choices.count == 1 else {
            let held = Set(binding.choices.joined()).sorted().map { "\($0.model) \($0.to.prefix(12))" }
            return .refused(
                "instead of \(needs) living daemons hold several: \(held.joined(separator: ", ")); --digest says which")
        }
        if let trouble = try await unusable(in: binding, changes) { return .refused(trouble) }
        return .possible(changes)
    }

    /// The concept that a job uses and could not any more.
    private mutating func unusable(in binding: WeightsBinding, _ changes: [Change]) async throws -> String? {
        guard let spec = try? JobSpec(binding.spec, isAccepted: true),
            let change = changes.first(where: { $0.model == spec.model })
        else { return nil }
        let found = try await concepts.found(for: spec, tenant: binding.tenant).concepts
        for (key, concept) in found.sorted(by: { $0.key < $1.key }) {
            let known = try await weights(under: concept, tenant: binding.tenant)
            guard let own = known, own != change.to else { continue }
            return """
                <\(key)> of \(binding.tenant) was learnt on \(change.model) (\(own.prefix(12))) and cannot be used on \
                \(change.to.prefix(12)): learn it again there, or cancel what uses it
                """
        }
        return nil
    }

    private mutating func weights(under concept: StoredConcept, tenant: String) async throws -> String? {
        let key = "\(concept.name)@\(concept.version) \(tenant)"
        if let known = digests[key] { return known }
        let found = try await store.digest(under: concept, tenant: tenant)
        digests[key] = .some(found)
        return found
    }
}
