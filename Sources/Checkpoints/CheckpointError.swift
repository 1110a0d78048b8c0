/// A checkpoint that could not be read or written: which file, where in it, and what is allowed.
package struct CheckpointError: Error, CustomStringConvertible, Equatable {
    package let path: String
    package let problem: String

    /// Describes a fault of the file at `path`.
    package init(path: String, problem: String) { (self.path, self.problem) = (path, problem) }

    package var description: String { "\(path): \(problem)" }
}
