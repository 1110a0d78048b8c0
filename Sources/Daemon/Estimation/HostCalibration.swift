import Foundation
import Jobs

/// Has an engine measure how fast this host is, as its jobs will find it: with as many threads as they get.
package struct HostCalibration: Sendable {
    private let question: EngineQuestion

    /// The engine of these settings.
    package init(_ settings: Settings, environment: [String: String]) {
        question = EngineQuestion(
            "measure", settings, environment: environment, threads: settings.engineThreads, patience: 60)
    }

    /// What it measured; nil where it does not measure, or measures something else.
    package func rates() async -> HostRates? {
        let rates = await question.answer(HostRates.self)
        return rates?.version == HostRates.version ? rates : nil
    }
}
