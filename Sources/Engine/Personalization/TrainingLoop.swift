import Jobs
import Personalization

/// Takes the steps of a job's training, and tells the daemon of its losses and its progress.
struct TrainingLoop {
    /// What learns, "student", where a job has several trainings; nil where it has one.
    var learner: String?
    /// The option that says how fast it learns.
    var rate = "learning rate"
    /// Whether losses differ with the noise of a step, as a diffusion model's do.
    let isOfNoise: Bool
    let progress: ProgressReports
    let connection: EngineConnection

    /// Trains to the end.
    /// - Parameter afterStep: called behind each step; behind the last one, what was learnt has been found sound.
    /// - Throws: `JobFailure` where the training diverged; what `afterStep` throws.
    func run(
        _ training: some StepwiseTraining, _ curve: inout LossCurve, afterStep: (_ curve: LossCurve) throws -> Void
    ) throws {
        StopRequest.hold()
        while training.step < training.steps {
            let losses = training.advance()
            guard losses.isFinite else {
                throw diverged(
                    "\(loss) is \(losses.total), its gradient \(losses.gradientNorm) at step \(training.step)")
            }
            curve.add(step: training.step, losses)
            let isLast = training.step == training.steps
            if training.step % 20 == 0 || isLast {
                connection.send(.metric(.init(step: training.step, values: curve.latest)))
            }
            progress.send(learner ?? "train", step: training.step, of: training.steps)
            if isLast { try verify(training, curve) }
            try afterStep(curve)
        }
    }

    /// What later jobs would refuse, or draw nothing with, takes no concept's name; and of proxies that a supervisor
    /// draws which learnt nothing, a student would learn without a word.
    private func verify(_ training: some StepwiseTraining, _ curve: LossCurve) throws {
        if let (from, to) = curve.divergence(isOfNoise: isOfNoise) {
            throw diverged(
                """
                \(loss) rose from \(from.rounded(digits: 3)) to \(to.rounded(digits: 3)) in \(training.step) steps, so \
                that nothing was learnt
                """)
        }
        // A diffusion model's loss rises little, however far its weights go.
        if let (module, ratio) = training.excess {
            throw diverged(JobFailure.excessive(learner.map { "the \($0)'s \(module)" } ?? module, by: ratio))
        }
    }

    private var loss: String { learner.map { "the \($0)'s loss" } ?? "the loss" }

    private func diverged(_ what: String) -> JobFailure { .diverged(what, rate: rate) }
}
