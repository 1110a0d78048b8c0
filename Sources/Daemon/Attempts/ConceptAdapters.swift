import Foundation
import Hashing
import Jobs
import Store

/// Finds the concepts a job names among what its tenant has learnt: the newest version of each on the job's model.
struct ConceptAdapters: Sendable {
    let tenant: String
    let store: Store
    let artifacts: ArtifactDirectory

    /// Links the adapter of every concept the job mentions into its inputs; paths by name.
    /// - Throws: `AttemptProblem` listing every mention that means nothing, with what would do; `StoreError` when
    ///   PostgreSQL is away.
    func linked(for spec: JobSpec, into workspace: AttemptWorkspace) async throws -> [String: String] {
        var learnt = LearntConcepts(store: store)
        let (concepts, problems) = try await learnt.found(for: spec, tenant: tenant)
        guard problems.isEmpty else { throw unknown(problems) }
        return try await runBlocking {
            try Dictionary(uniqueKeysWithValues: concepts.map { ($0, try link($1, as: $0, into: workspace)) })
        }
    }

    private func link(_ concept: StoredConcept, as key: String, into workspace: AttemptWorkspace) throws -> String {
        guard let digest = SHA256Digest(concept.adapter), try artifacts.contains(digest) else {
            throw AttemptProblem(
                code: "concept.missing",
                message: "the adapter of <\(concept.name)>, \(concept.adapter), is not in the store",
                consequence: .fatal)
        }
        return try workspace.link(artifacts.path(of: digest), as: key + ".safetensors")
    }

    private func unknown(_ problems: [Problem]) -> AttemptProblem {
        let told = problems.prefix(LearntConcepts.told).map(\.found)
        let found = told.indices.filter { !told[..<$0].contains(told[$0]) }.map { told[$0] }
        let rest = problems.count > told.count ? "; …" : ""
        return AttemptProblem(
            code: "concept.unknown",
            message: "no concept that can be used here: \(found.joined(separator: "; "))\(rest)",
            consequence: .rejected, problems: problems)
    }
}
