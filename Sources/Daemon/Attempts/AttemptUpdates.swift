import Jobs

/// What an engine said that is not yet written down. It is written a few times a second, not line by line, and waits
/// here while PostgreSQL is away: the engine works on, nothing grows without bound.
package struct AttemptUpdates: Sendable {
    /// As many metric lines wait at most; older ones go first, for metrics are lossy by contract.
    private static let metricLimit = 20_000

    /// The engine's first word.
    package var started: EngineEvent.Started?
    /// The latest progress.
    package var progress: EngineEvent.Progress?
    /// What that amounts to.
    var pace: ProgressPace.Reading?
    /// Metrics in their order.
    package var metrics: [EngineEvent.Metric] = []
    /// The latest checkpoint.
    package var checkpoint: EngineEvent.Checkpoint?
    /// Files that are in the store already, and are told of before the job ends; none of them is lost.
    package var artifacts: [EngineEvent.Artifact] = []
    /// The most bytes the engine was seen to hold, where that is more than what was written down.
    package var memory: Int64?

    /// Nothing yet.
    package init() {}

    /// Whether there is nothing to write.
    package var isEmpty: Bool {
        started == nil && progress == nil && metrics.isEmpty && checkpoint == nil && artifacts.isEmpty && memory == nil
    }

    /// Puts back what could not be written; what came since is newer and wins.
    mutating func putBack(_ older: AttemptUpdates) {
        started = started ?? older.started
        (progress, pace) = progress == nil ? (older.progress, older.pace) : (progress, pace)
        checkpoint = checkpoint ?? older.checkpoint
        artifacts = older.artifacts + artifacts
        memory = memory ?? older.memory
        metrics = Array((older.metrics + metrics).suffix(Self.metricLimit))
    }
}
