import Hashing
import Jobs
import Store

/// Finds the pictures that an evaluation's concepts were learnt from.
struct ConceptReferences: Sendable {
    let tenant: String
    let store: Store
    let artifacts: ArtifactDirectory

    /// Links the references of every concept into the job's inputs; paths by name. Nil where a job needs none or brings
    /// its own.
    /// - Throws: `AttemptProblem` where they are not in the store any more; `StoreError` when PostgreSQL is away.
    func linked(for spec: JobSpec, into workspace: AttemptWorkspace) async throws -> [String: [String]]? {
        guard case .evaluate(let spec) = spec, spec.images.isEmpty else { return nil }
        var paths: [String: [String]] = [:]
        for name in spec.concepts {
            paths[name] = try await link(name, model: spec.model, into: workspace)
        }
        return paths
    }

    private func link(_ name: String, model: String, into workspace: AttemptWorkspace) async throws -> [String] {
        let digests = try await store.references(of: name, tenant: tenant, model: model).compactMap { SHA256Digest($0) }
        guard !digests.isEmpty, try digests.allSatisfy({ try artifacts.contains($0) }) else {
            throw AttemptProblem(
                code: "concept.references",
                message:
                    "the pictures <\(name)> was learnt from are not in the store any more; give pictures in /images",
                consequence: .rejected)
        }
        return try digests.enumerated().map { try workspace.link(artifacts.path(of: $1), as: "\(name)-\($0 + 1).png") }
    }
}
