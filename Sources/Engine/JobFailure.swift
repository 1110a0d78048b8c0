import Jobs

/// Why a job cannot be done: what the daemon is told.
package struct JobFailure: Error, CustomStringConvertible {
    package let code: String
    package let consequence: Consequence
    package let message: String
    package let problems: [Problem]?

    package init(code: String, consequence: Consequence, message: String, problems: [Problem]? = nil) {
        (self.code, self.consequence, self.message, self.problems) = (code, consequence, message, problems)
    }

    package var description: String { ([message] + (problems ?? []).map(\.description)).joined(separator: "\n") }

    var event: EngineEvent {
        .failed(.init(code: code, consequence: consequence, message: message, problems: problems))
    }
}
