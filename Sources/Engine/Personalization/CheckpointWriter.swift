import Foundation
import Hashing
import Jobs

/// Writes a job's checkpoints into its workspace: so many seconds after the last one, and where the daemon asks the
/// engine to stop.
final class CheckpointWriter {
    private let workspace: String
    private let seconds: Int
    private let connection: EngineConnection
    private var lastWritten = Date()

    init(_ order: EngineOrder, connection: EngineConnection) {
        (workspace, seconds, self.connection) = (order.workspace, order.checkpointSeconds, connection)
    }

    /// Writes and announces a checkpoint where one is due.
    /// - Parameters:
    ///   - isEnd: whether nothing is left to do that a stop could put off.
    ///   - write: puts everything that the next step reads into a file.
    /// - Throws: `AskedToStop` behind a checkpoint that was asked for; what `write` throws.
    func writeIfDue(step: Int, isEnd: Bool, _ write: (_ path: String) throws -> Void) throws {
        let isAskedToStop = StopRequest.isPending && !isEnd
        guard isAskedToStop || Date().timeIntervalSince(lastWritten) >= Double(seconds) else { return }
        let path = "\(workspace)/checkpoint-\(step).safetensors"
        try write(path)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        connection.send(
            .checkpoint(
                .init(step: step, path: path, sha256: try SHA256Digest.ofFile(path).description, bytes: size)))
        lastWritten = Date()
        if isAskedToStop { throw AskedToStop(step: step) }
    }
}
