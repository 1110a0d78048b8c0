/// Everything that is wrong with a configuration, all at once: where each value came from, what was found, what is
/// allowed.
package struct SettingsProblems: Error, Equatable, CustomStringConvertible {
    /// One line for each problem, in the order of the settings' table.
    package let lines: [String]

    /// Collects `lines`.
    package init(_ lines: [String]) { self.lines = lines }

    /// A line a problem.
    package var description: String { lines.joined(separator: "\n") }
}
