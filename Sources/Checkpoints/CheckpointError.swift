/// A checkpoint that could not be read or written: which file, where in it, and what is allowed.
package struct CheckpointError: Error, CustomStringConvertible, Equatable {
    /// The file, index or folder.
    package let path: String
    /// What is wrong, where in the file, and what is allowed.
    package let problem: String

    /// Describes a fault of the file at `path`.
    package init(path: String, problem: String) { (self.path, self.problem) = (path, problem) }

    /// Path and problem, in one line.
    package var description: String { "\(path): \(problem)" }
}
