/// A folder that does not answer: it lies on a mount that hangs.
package struct HangingFolder: Error, Equatable, CustomStringConvertible {
    let path: String

    /// The folder, and what to look at.
    package var description: String { "\(path) does not answer; does its server, and is its file system mounted?" }
}

/// Runs work in a folder that may lie on a mount that hangs; nobody waits for it longer than `limit`.
/// - Throws: ``HangingFolder``, or what the work throws.
package func runBlocking<Value: Sendable>(
    in folder: String, within limit: Duration, _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
    let task = Task { try await runBlocking(work) }
    return try await value(of: task, within: limit, or: HangingFolder(path: folder))
}
