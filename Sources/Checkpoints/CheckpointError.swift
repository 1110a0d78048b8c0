/// A checkpoint that could not be read or written: which file, where in it, and what is allowed.
package struct CheckpointError: Error, CustomStringConvertible, Equatable {
    /// The file, index or folder.
    package let path: String
    /// What is wrong, where in the file, and what is allowed.
    package let problem: String
    /// The system's number of why the file could not be written; nil of every other fault.
    package let errorNumber: Int32?

    /// Describes a fault of the file at `path`.
    package init(path: String, problem: String, errorNumber: Int32? = nil) {
        (self.path, self.problem, self.errorNumber) = (path, problem, errorNumber)
    }

    /// Path and problem, in one line.
    package var description: String { "\(path): \(problem)" }
}
