import Jobs

/// How fast an attempt goes on: what its progress events say beside the step.
struct ProgressPace {
    /// What one report of progress amounts to.
    struct Reading: Sendable, Equatable {
        /// Of the present stage.
        let percent: Double
        /// Since the attempt began.
        let elapsedSeconds: Double
        /// Until the end of the present stage, at the pace of its steps so far; before its second report until the end
        /// of the job by its estimate, nil where it has none.
        let remainingSeconds: Double?
    }

    private struct Stage {
        let name: String
        let began: ContinuousClock.Instant
        let firstStep: Int
    }

    private let began: ContinuousClock.Instant
    /// What the whole job was to take when it was accepted.
    private let estimatedSeconds: Double?
    private var stage: Stage?

    /// The pace of an attempt that begins now.
    init(began: ContinuousClock.Instant = .now, estimatedSeconds: Double? = nil) {
        (self.began, self.estimatedSeconds) = (began, estimatedSeconds)
    }

    /// Reads a report.
    mutating func read(
        _ progress: EngineEvent.Progress, at now: ContinuousClock.Instant = .now
    ) -> Reading {
        if stage?.name != progress.stage {
            stage = Stage(name: progress.stage, began: now, firstStep: progress.step)
        }
        return Reading(
            percent: Self.rounded(100 * Double(progress.step) / Double(max(1, progress.steps))),
            elapsedSeconds: Self.rounded(began.duration(to: now) / .seconds(1)),
            remainingSeconds: stage.flatMap { remaining($0, progress, now) }.map(Self.rounded))
    }

    private func remaining(
        _ stage: Stage, _ progress: EngineEvent.Progress, _ now: ContinuousClock.Instant
    ) -> Double? {
        // An engine may say any number: differences of whole ones would end the daemon where they are too large.
        let done = Double(progress.step) - Double(stage.firstStep)
        guard done > 0 else { return estimatedSeconds.map { max(0, $0 - began.duration(to: now) / .seconds(1)) } }
        return stage.began.duration(to: now) / .seconds(1) * (Double(progress.steps) - Double(progress.step)) / done
    }

    private static func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
