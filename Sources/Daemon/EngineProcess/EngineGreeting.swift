import Jobs

/// Asks an engine, before any job is given to it, which protocol it speaks and what it does.
package struct EngineGreeting: Sendable {
    private let question: EngineQuestion

    /// The engine of these settings.
    package init(_ settings: Settings, environment: [String: String]) {
        question = EngineQuestion("protocol", settings, environment: environment, threads: 1, patience: 20)
    }

    /// What it answers; nil where it says nothing that can be read in time, as engines did before they were asked.
    package func answer() async -> EngineProtocol? { await question.answer(EngineProtocol.self) }
}
