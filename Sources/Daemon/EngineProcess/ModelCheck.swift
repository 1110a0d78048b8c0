import Foundation
import Jobs

/// Has an engine read a model as its jobs would, in a process of its own.
package struct ModelCheck: Sendable {
    private let question: EngineQuestion

    /// The engine of these settings reads the model in `folder`.
    package init(of folder: String, _ settings: Settings, environment: [String: String]) {
        // The largest releases have tens of gigabytes, which a slow disk reads in half an hour.
        question = EngineQuestion(
            "check", of: [folder], settings, environment: environment, threads: settings.engineThreads, patience: 1800)
    }

    /// What came of it; says so where the engine does not answer. One that crashes would crash in every job.
    package func report() async -> ModelTrialReport {
        let (answer, exit) = await question.reply(ModelTrialReport.self)
        if let answer { return answer }
        let engine = question.command.executable
        if let exit, exit.isFault {
            return ModelTrialReport(problems: [
                "\(engine) crashed while it read the model (\(exit.phrase)): sizes in its settings or files do not fit "
                    + "each other; fetch it anew, and report it if that does not help"
            ])
        }
        return ModelTrialReport(
            problems: [],
            untried: "\(engine) gave no answer: it is not there, or is older than this, or was killed, as it would be "
                + "where the model does not fit the memory")
    }
}
