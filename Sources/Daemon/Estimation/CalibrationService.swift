import Foundation
import Jobs
import Logging
import Store

/// Tells the tables how fast this host is and what an engine may take of its memory: once for each registration, and
/// measured only where that was never done, or with other threads. Apart from everything else, for nothing waits for
/// it.
package actor CalibrationService {
    private var settings: Settings
    private let environment: [String: String]
    private let worker: WorkerRegistration
    private let store: Store
    private let logger: Logger
    /// What was told last.
    private var told: (worker: UUID, memoryBytes: Int, threads: Int)?
    /// Those that were asked for when it was measured last.
    private var measuredThreads: Int?

    /// Measures with the engine of `settings`.
    package init(
        settings: Settings, environment: [String: String], worker: WorkerRegistration, store: Store, logger: Logger
    ) {
        (self.settings, self.environment) = (settings, environment)
        (self.worker, self.store, self.logger) = (worker, store, logger)
    }

    /// Another limit of memory, or other threads, perhaps.
    func adopt(_ settings: Settings) { self.settings = settings }

    /// Tells what is not told yet.
    func maintain() async {
        guard let id = worker.id else { return }
        let (memory, threads) = (settings.engineMemoryBytes, settings.engineThreads)
        if let told, told == (id, memory, threads) { return }
        do {
            // The limit at once: measuring takes a while.
            try await store.calibrate(id, host: HostIdentity.own, memoryBytes: memory, rates: nil)
            told = (id, memory, threads)
            guard measuredThreads != threads, try await needsMeasuring() else { return }
            measuredThreads = threads
            guard let rates = await HostCalibration(settings, environment: environment).rates() else {
                return logger.notice("the engine does not measure: nothing says beforehand what jobs take")
            }
            try await store.calibrate(id, host: HostIdentity.own, memoryBytes: memory, rates: rates)
            logger.notice("host measured", metadata: ["engine.threads": "\(rates.threads)"])
        } catch {
            told = nil
            logger.warning("the host's measure could not be written down", metadata: ["error": "\(error)"])
        }
    }

    private func needsMeasuring() async throws -> Bool {
        guard let threads = try await store.measuredThreads(of: HostIdentity.own) else { return true }
        return settings.engineThreads > 0 && settings.engineThreads != threads
    }
}

extension Settings {
    /// The most that one engine may take.
    package var engineMemoryBytes: Int {
        engineMemoryMiB > 0 ? engineMemoryMiB << 20 : Int(ProcessInfo.processInfo.physicalMemory)
    }
}
