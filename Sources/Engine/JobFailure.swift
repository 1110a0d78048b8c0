import Jobs

/// Why a job cannot be done: what the daemon is told.
package struct JobFailure: Error, CustomStringConvertible {
    /// Which kind of failure, as the runbook lists them (`model.damaged`).
    package let code: String
    /// What the daemon does with the job.
    let consequence: Consequence
    /// A sentence for the sender, or for who operates.
    package let message: String
    /// Faults of the message, each with its place.
    let problems: [Problem]?

    /// - Parameter problems: of the message, where its sender can mend them.
    package init(code: String, consequence: Consequence, message: String, problems: [Problem]? = nil) {
        (self.code, self.consequence, self.message, self.problems) = (code, consequence, message, problems)
    }

    /// The message, then a line a problem.
    package var description: String { ([message] + (problems ?? []).map(\.description)).joined(separator: "\n") }

    var event: EngineEvent {
        .failed(.init(code: code, consequence: consequence, message: message, problems: problems))
    }
}

extension JobFailure {
    /// What is said of options that a job cannot have.
    static func options(_ problems: [Problem]) -> JobFailure {
        JobFailure(
            code: "input.options", consequence: .rejected,
            message: "\(counted(problems.count, "option")) cannot be used", problems: problems)
    }
}
