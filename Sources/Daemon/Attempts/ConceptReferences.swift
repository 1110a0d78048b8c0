import Hashing
import Jobs
import Store

/// Finds the pictures that an evaluation's concepts were learnt from.
struct ConceptReferences: Sendable {
    let tenant: String
    let store: Store
    let artifacts: ArtifactDirectory

    /// Links the references of every concept into the job's inputs; files by name. Nil where a job needs none or brings
    /// its own.
    /// - Throws: `AttemptProblem` where they are not in the store; `StoreError` when PostgreSQL is away.
    func linked(for spec: JobSpec, into workspace: AttemptWorkspace) async throws -> [String: [ReferenceFile]]? {
        guard case .evaluate(let spec) = spec, spec.images.isEmpty else { return nil }
        var files: [String: [ReferenceFile]] = [:]
        for mention in spec.mentions {
            files[mention.key] = try await link(mention, model: spec.model, into: workspace)
        }
        return files
    }

    private func link(
        _ mention: ConceptMention, model: String, into workspace: AttemptWorkspace
    ) async throws -> [ReferenceFile] {
        let references = try await store.references(
            of: mention.name, version: mention.version, tenant: tenant, model: model)
        return try await runBlocking { try link(references, of: mention, into: workspace) }
    }

    private func link(
        _ references: [(digest: SHA256Digest, crop: CropArea?)], of mention: ConceptMention,
        into workspace: AttemptWorkspace
    ) throws -> [ReferenceFile] {
        guard !references.isEmpty, try references.allSatisfy({ try artifacts.contains($0.digest) }) else {
            throw AttemptProblem(
                code: "concept.references",
                message: """
                    the pictures that <\(mention.key)> was learnt from are not in the store; give pictures in /images
                    """,
                consequence: .rejected)
        }
        return try references.enumerated().map { index, reference in
            let path = try workspace.link(artifacts.path(of: reference.digest), as: "\(mention.key)-\(index + 1)")
            return ReferenceFile(path: path, crop: reference.crop)
        }
    }
}
