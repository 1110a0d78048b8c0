import Jobs

/// How fast an attempt goes on: what its progress events say beside the step.
struct ProgressPace {
    /// What is over when the remaining seconds are.
    enum Remainder: String, Sendable { case stage, job }

    /// What one report of progress amounts to.
    struct Reading: Sendable, Equatable {
        /// Of the present stage.
        let percent: Double
        /// Since the attempt began.
        let elapsedSeconds: Double
        /// Until the end of the present stage, at the pace of its steps so far; before its second report until the end
        /// of the job by its estimate, nil where it has none.
        let remainingSeconds: Double?
        /// Which of both it is; nil where neither is told.
        let remainder: Remainder?
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
        let left = stage.flatMap { remaining($0, progress, now) }
        return Reading(
            percent: Self.rounded(100 * Double(progress.step) / Double(max(1, progress.steps))),
            elapsedSeconds: Self.rounded(began.duration(to: now) / .seconds(1)),
            remainingSeconds: left.map { Self.rounded($0.seconds) }, remainder: left?.of)
    }

    private func remaining(
        _ stage: Stage, _ progress: EngineEvent.Progress, _ now: ContinuousClock.Instant
    ) -> (seconds: Double, of: Remainder)? {
        // An engine may say any number: differences of whole ones would end the daemon where they are too large.
        let done = Double(progress.step) - Double(stage.firstStep)
        guard done > 0 else {
            guard let estimatedSeconds else { return nil }
            return (max(0, estimatedSeconds - began.duration(to: now) / .seconds(1)), .job)
        }
        let ahead = Double(progress.steps) - Double(progress.step)
        return (stage.began.duration(to: now) / .seconds(1) * ahead / done, .stage)
    }

    private static func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
