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

/// One attempt in the tables and on the metrics exchange: what is read for it and written by it, always under its
/// fence.
package struct AttemptRecord: Sendable {
    /// What became of a write.
    package enum Fate: Sendable, Equatable {
        /// It is committed; whether somebody wants the job cancelled.
        case written(isCancelling: Bool)
        /// The attempt does not own its job any more: nothing was written.
        case lost
        /// PostgreSQL is away.
        case unavailable
        /// PostgreSQL refused it: trying again does not help.
        case refused(String)
    }

    /// What became of an ending.
    package enum Closing: Sendable, Equatable {
        case closed(JobState)
        case lost
        case unavailable
        case refused(String)
    }

    /// The claimed job.
    package let claim: ClaimedJob
    private let store: Store
    private let live: LiveEvents
    private let logger: Logger

    /// The record of `claim`.
    package init(claim: ClaimedJob, store: Store, live: LiveEvents, logger: Logger) {
        self.claim = claim
        self.store = store
        self.live = live
        self.logger = logger
    }

    /// The line that tells the engine what to do. Links pictures and adapters into the workspace, and picks the newest
    /// checkpoint whose bytes are still what they were. Throws `AttemptProblem`, or `StoreError` when PostgreSQL is
    /// away.
    package func order(
        workspace: AttemptWorkspace, artifacts: ArtifactDirectory, settings: Settings
    ) async throws -> Data {
        let spec: JobSpec
        do { spec = try claim.spec.get() } catch {
            throw AttemptProblem(
                code: "job.invalid", message: "the job is not acceptable any more", consequence: .rejected,
                problems: error.list)
        }
        let images = try await pictures(of: spec, workspace: workspace, artifacts: artifacts)
        let resume = try await checkpoint()
        let order = EngineOrder(
            job: claim.job, attempt: claim.attempt, spec: spec, tenant: claim.tenant,
            images: images,
            adapters: try await ConceptAdapters(tenant: claim.tenant, store: store, artifacts: artifacts).linked(
                for: spec, into: workspace),
            references: try await ConceptReferences(tenant: claim.tenant, store: store, artifacts: artifacts).linked(
                for: spec, into: workspace),
            models: settings.modelsDirectory,
            workspace: workspace.folder, resume: resume, checkpointSeconds: settings.checkpointSeconds)
        return order.line
    }

    private func pictures(
        of spec: JobSpec, workspace: AttemptWorkspace, artifacts: ArtifactDirectory
    ) async throws -> [String] {
        let digests = spec.images.compactMap { image -> SHA256Digest? in
            if case .artifact(let text) = image.content { SHA256Digest(text) } else { nil }
        }
        // Another tenant's is as one that nobody has: not even that it exists is told.
        let held = digests.isEmpty ? [] : try await store.held(by: claim.tenant, digests)
        var problems: [Problem] = []
        let paths = try spec.images.enumerated().compactMap { index, image -> String? in
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
                message: "\(problems.count) of \(spec.images.count) pictures are not in the store",
                consequence: .rejected,
                problems: problems)
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

    /// Writes updates down, and lets who listens to the metrics exchange hear of them.
    package func write(_ updates: AttemptUpdates) async -> Fate {
        do {
            let cancelling = try await store.record(
                claim.job, claim.attempt, started: updates.started, progress: updates.progress,
                metrics: updates.metrics,
                checkpoint: updates.checkpoint,
                memory: updates.memory)
            guard let cancelling else { return .lost }
            emit(updates)
            return .written(isCancelling: cancelling)
        } catch let error as StoreError where !error.isTemporary {
            return .refused(error.description)
        } catch {
            return .unavailable
        }
    }

    private func emit(_ updates: AttemptUpdates) {
        if let progress = updates.progress {
            emit(
                "progress",
                ["stage": .string(progress.stage), "step": .integer(progress.step), "steps": .integer(progress.steps)])
        }
        for metric in updates.metrics {
            let values = metric.values.filter(\.value.isFinite).mapValues(JSONValue.number)
            emit("metric", ["step": .integer(metric.step), "values": .object(values)])
        }
    }

    private func emit(_ event: String, _ members: [String: JSONValue]) {
        let identity: [String: JSONValue] = [
            "version": .integer(1), "event": .string(event), "job": .string(claim.job.uuidString.lowercased()),
            "message_id": .string(claim.messageID), "tenant": .string(claim.tenant),
            "kind": .string(claim.kind.rawValue),
            "attempt": .integer(claim.attempt), "time": .string(Date.now.formatted(.iso8601)),
        ]
        live.send(
            JobEvent(
                event: event, tenant: claim.tenant, kind: claim.kind.rawValue,
                body: .object(identity.merging(members) { $1 })))
    }

    /// Commits the ending. After an unclear commit the second try finds the job final, or claimed anew: both are
    /// `lost`, unless the state says that this very attempt ended it.
    package func close(_ end: AttemptResult) async -> Closing {
        do {
            guard let state = try await store.finish(claim.job, claim.attempt, end) else { return .lost }
            return .closed(state)
        } catch let error as StoreError where !error.isTemporary {
            return .refused(error.description)
        } catch {
            return .unavailable
        }
    }
}
