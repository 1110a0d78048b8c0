import Foundation
import Hashing
import Jobs
import Logging
import Store

/// Why an attempt could not even begin, with what follows from it.
package struct AttemptProblem: Error, Sendable, Equatable {
    let code: String
    let message: String
    let consequence: Consequence
    var problems: [Problem]?
}

/// Everything an attempt begins with, laid into its folder: pictures, adapters, the newest checkpoint whose bytes are
/// still what they were.
package struct AttemptInputs: Sendable {
    let claim: ClaimedJob
    let store: Store
    let artifacts: ArtifactDirectory
    let workspace: AttemptWorkspace
    let settings: Settings
    let logger: Logger

    /// What the engine is to do; a seed that the job does not have is drawn.
    /// - Throws: `AttemptProblem`; `StoreError` when PostgreSQL is away; `SystemError` where the folder cannot be used.
    func order() async throws -> EngineOrder {
        let spec: JobSpec
        do { spec = try claim.spec.get().seeded(by: claim.job) } catch {
            throw AttemptProblem(
                code: "job.invalid", message: "the job is not acceptable any more", consequence: .rejected,
                problems: error.list)
        }
        let images = try await pictures(of: spec)
        let resume = try await checkpoint()
        return EngineOrder(
            job: claim.job, attempt: claim.attempt, spec: spec, tenant: claim.tenant,
            images: images,
            adapters: try await ConceptAdapters(tenant: claim.tenant, store: store, artifacts: artifacts).linked(
                for: spec, into: workspace),
            references: try await ConceptReferences(tenant: claim.tenant, store: store, artifacts: artifacts).linked(
                for: spec, into: workspace),
            proxies: try await ConceptProxies(tenant: claim.tenant, store: store, artifacts: artifacts).linked(
                for: spec, into: workspace),
            models: settings.modelsDirectory,
            workspace: workspace.folder, resume: resume, checkpointSeconds: settings.checkpointSeconds)
    }

    private func pictures(of spec: JobSpec) async throws -> [String] {
        let digests = spec.images.compactMap { image -> SHA256Digest? in
            if case .artifact(let text) = image.content { SHA256Digest(text) } else { nil }
        }
        guard !digests.isEmpty else { return [] }
        // Another tenant's is as one that nobody has: not even that it exists is told.
        let held = try await store.held(by: claim.tenant, digests)
        let (workspace, artifacts) = (workspace, artifacts)
        return try await runBlocking {
            try Self.link(spec.images, held: held, from: artifacts, into: workspace)
        }
    }

    private static func link(
        _ images: [ImageSource], held: Set<SHA256Digest>, from artifacts: ArtifactDirectory,
        into workspace: AttemptWorkspace
    ) throws -> [String] {
        var problems: [Problem] = []
        let paths = try images.enumerated().compactMap { index, image -> String? in
            guard case .artifact(let text) = image.content, let digest = SHA256Digest(text) else { return nil }
            guard held.contains(digest), try artifacts.contains(digest) else {
                problems.append(
                    Problem(
                        "/images/\(index)/artifact", found: digest.prefixed,
                        allowed: "the digest of an artifact that you sent or that a job of yours made"))
                return nil
            }
            return try workspace.link(artifacts.path(of: digest), as: "\(index + 1)")
        }
        guard problems.isEmpty else {
            throw AttemptProblem(
                code: "input.artifact",
                message: counted(problems.count, "picture", "is", "are") + " not in the store",
                consequence: .rejected, problems: problems)
        }
        return paths
    }

    private func checkpoint() async throws -> String? {
        for checkpoint in try await store.checkpoints(of: claim.job) {
            let found = try? await runBlocking { try SHA256Digest.ofFile(checkpoint.path) }
            if found?.description == checkpoint.sha256 {
                try await store.resumed(claim.job, claim.attempt, from: checkpoint.step)
                return checkpoint.path
            }
            logger.warning(
                "checkpoint passed over",
                metadata: [
                    "path": "\(checkpoint.path)", "step": "\(checkpoint.step)",
                    "found": "\(found?.description ?? "nothing that can be read")",
                ])
        }
        return nil
    }
}
