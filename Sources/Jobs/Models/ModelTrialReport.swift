/// What came of reading a model as a job reads it: `ENGINE check FOLDER`, one line of JSON.
package struct ModelTrialReport: Sendable, Equatable, JSONLine {
    /// Everything that would keep a job from drawing or measuring with the model.
    package var problems: [String]
    /// Why it was not read; nil where it was.
    package var untried: String?

    /// Of a model that was read, or was not.
    package init(problems: [String], untried: String? = nil) {
        (self.problems, self.untried) = (problems, untried)
    }
}
