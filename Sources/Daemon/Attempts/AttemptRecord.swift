import Foundation
import Jobs
import Store

/// One attempt in the tables and on the metrics exchange: what is written by it, always under its fence.
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

    /// The record of `claim`.
    package init(claim: ClaimedJob, store: Store, live: LiveEvents) {
        (self.claim, self.store, self.live) = (claim, store, live)
    }

    /// Writes updates down, and lets who listens to the metrics exchange hear of them.
    package func write(_ updates: AttemptUpdates) async -> Fate {
        do {
            let cancelling = try await store.record(
                claim.job, claim.attempt, started: updates.started, progress: updates.progress,
                metrics: updates.metrics,
                checkpoint: updates.checkpoint,
                artifacts: updates.artifacts,
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
        if let progress = updates.progress { emit("progress", Self.members(of: progress, updates.pace)) }
        for metric in updates.metrics {
            let values = metric.values.filter(\.value.isFinite).mapValues(JSONValue.number)
            emit("metric", ["step": .integer(metric.step), "values": .object(values)])
        }
    }

    private static func members(
        of progress: EngineEvent.Progress, _ pace: ProgressPace.Reading?
    ) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "stage": .string(progress.stage), "step": .integer(progress.step), "steps": .integer(progress.steps),
        ]
        members["percent"] = pace.map { .number($0.percent) }
        members["elapsed_seconds"] = pace.map { .number($0.elapsedSeconds) }
        members["eta_seconds"] = pace?.remainingSeconds.map(JSONValue.number)
        members["eta_of"] = pace?.remainder.map { JSONValue.string($0.rawValue) }
        return members
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
