import Foundation
import Hashing
import Jobs
import Logging
import Store

/// Deletes what has outlived its time: rows in small batches with rests between them, then the artifacts nobody refers
/// to any more.
package actor Maintenance {
    /// Younger artifacts stay, whoever refers to them: their job may be about to be committed.
    private static let youth = Duration.seconds(24 * 3600)
    /// The same of those that somebody deleted.
    private static let haste = Duration.seconds(300)

    private var retention: Retention
    private let store: Store
    private let artifacts: ArtifactDirectory
    private let sweeper: WorkspaceSweeper
    private let shared: SharedFolder
    private let logger: Logger
    private let batch: Int
    private var lastSweep: ContinuousClock.Instant?

    /// Keeps what `retention` says.
    package init(
        retention: Retention, store: Store, artifacts: ArtifactDirectory, sweeper: WorkspaceSweeper,
        shared: SharedFolder, logger: Logger, batch: Int = 500
    ) {
        (self.retention, self.store, self.artifacts, self.sweeper) = (retention, store, artifacts, sweeper)
        (self.shared, self.logger, self.batch) = (shared, logger, batch)
    }

    /// Keeps what `retention` says from now on.
    package func keep(_ retention: Retention) { self.retention = retention }

    /// One round; artifacts and folders at most once an hour, and never in a folder that is another's. What cannot be
    /// done now is left to the next one.
    func maintain() async {
        do {
            try await store.countHours()  // before any of it is deleted
            try await prune()
            try await erase()
            if lastSweep.map({ $0.duration(to: .now) < .seconds(3600) }) ?? false { return }
            // What these tables do not know is only of no use if the folder is theirs.
            try await shared.check()
            lastSweep = .now
            try await sweep()
            let gone = try await sweeper.remove(by: store)
            if gone != (0, 0) {
                logger.info(
                    "orphaned folders removed",
                    metadata: ["folders.count": "\(gone.folders)", "logs.count": "\(gone.logs)"])
            }
            try await pruneWorkers()
        } catch {
            logger.warning("maintenance put off", metadata: ["error": "\(sentence(of: error))"])
        }
    }

    /// Deletes rows until none is over its time. Jobs with long curves may hold more than a statement has time for:
    /// then fewer at once go.
    package func prune() async throws {
        var total: [String: Int] = [:]
        var batch = StatementBatch(batch)
        while true {
            do {
                let deleted = try await store.prune(retention, limit: batch.size)
                total.merge(deleted, uniquingKeysWith: +)
                guard deleted.values.contains(where: { $0 >= batch.size }), !Task.isCancelled else { break }
            } catch { try batch.shrink(after: error) }
            try await Task.sleep(for: .milliseconds(200))
        }
        for (what, count) in total.sorted(by: { $0.key < $1.key }) where count > 0 {
            logger.info("rows pruned", metadata: ["rows.sort": "\(what)", "rows.count": "\(count)"])
        }
    }

    /// Deletes the rows of daemons that were gone as long as completed jobs are kept, once their last attempt is
    /// deleted: a few in a round, for each costs a look through all attempts.
    private func pruneWorkers() async throws {
        guard let days = retention.completedJobs else { return }
        var count = 0
        while count < 20, !Task.isCancelled, try await store.pruneWorker(goneFor: days) { count += 1 }
        guard count > 0 else { return }
        logger.info("rows pruned", metadata: ["rows.sort": "workers", "rows.count": "\(count)"])
    }

    /// Removes the files of artifacts whose last reference somebody deleted. One that was taken in just now may have a
    /// job on the way to the tables: it is left to a later round.
    package func erase() async throws {
        let digests = try await store.erasable(limit: batch)
        guard !digests.isEmpty else { return }
        try await shared.check()
        let artifacts = artifacts
        let gone = try await runBlocking {
            try digests.filter { try artifacts.remove($0, olderThan: Self.haste) || !artifacts.contains($0) }
        }
        // Logs of engines tell of prompts and pictures: they go before it is said that nothing remains.
        if !gone.isEmpty { _ = try await sweeper.remove(by: store) }
        try await store.erased(gone)
        guard !gone.isEmpty else { return }
        logger.info("artifacts erased", metadata: ["artifacts.count": "\(gone.count)"])
    }

    /// Takes artifacts from tenants that need them no more, and removes those nobody refers to. In this order: what is
    /// removed is on no shelf any more, and would stay its tenants' if the rest came to nothing. So goes what daemons
    /// that died left on its way.
    package func sweep() async throws {
        let artifacts = artifacts
        var count = 0
        for shelf in try await runBlocking({ try artifacts.shelves() }) {
            let old = try await runBlocking { try artifacts.digests(on: shelf, olderThan: Self.youth) }
            try await store.letGo(old)
            for digest in try await store.unreferenced(old.map(\.description)).compactMap({ SHA256Digest($0) }) {
                if try await runBlocking({ try artifacts.remove(digest, olderThan: Self.youth) }) { count += 1 }
            }
            if Task.isCancelled { break }
        }
        let orphans = try await runBlocking { try artifacts.removeOrphans(olderThan: Self.youth) }
        count += orphans
        if count > 0 { logger.info("artifacts removed", metadata: ["artifacts.count": "\(count)"]) }
    }
}
