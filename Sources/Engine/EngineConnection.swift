import Foundation
import Glibc
import Hashing
import Jobs

/// Whether the daemon has asked this engine to stop: set by a signal, read between steps. Before there is work to save
/// it ends the engine at once: a large model may be read for minutes.
enum StopRequest {
    nonisolated(unsafe) private static var isMade: sig_atomic_t = 0
    nonisolated(unsafe) private static var isHeld: sig_atomic_t = 0

    static var isPending: Bool { isMade != 0 }

    static func listen() {
        signal(SIGTERM) { _ in
            if StopRequest.isHeld == 0 { StopRequest.end() }
            StopRequest.isMade = 1
        }
    }

    /// From now on a request waits until it is read: there is work to save, or the last word is being said.
    static func hold() { isHeld = 1 }

    /// Called by a signal, which may come amid anything: nothing is allocated, and no lock is taken.
    private static func end() -> Never {
        let lastWord: StaticString = "{\"event\":\"interrupted\",\"step\":0}\n"
        _ = write(STDOUT_FILENO, lastWord.utf8Start, lastWord.utf8CodeUnitCount)
        _exit(0)
    }
}

/// Thrown where the daemon asked to stop and there is nothing more to save: what was done since the last checkpoint is
/// small, and is done anew.
struct AskedToStop: Error {
    let step: Int
}

/// The engine's side of the line to its daemon: one order in, events out, one JSON line each.
package final class EngineConnection {
    private let output: FileHandle
    /// How long nothing was sent before a sign of life is.
    private let quiet: Duration
    private var lastSent = ContinuousClock.now

    /// - Parameters:
    ///   - output: where events are written to, the daemon's end of stdout.
    ///   - quiet: how long nothing was sent before a sign of life is.
    package init(output: FileHandle = .standardOutput, quiet: Duration = .seconds(60)) {
        (self.output, self.quiet) = (output, quiet)
    }

    /// Reads the order, then watches stdin: when it closes the daemon is gone, and so is the reason to go on.
    package static func order() throws -> EngineOrder {
        guard let line = readLine(strippingNewline: true) else {
            throw JobFailure(code: "engine.order", consequence: .fatal, message: "stdin ended before an order came")
        }
        let watcher = Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { _exit(0) }
            }
        }
        watcher.start()
        return try EngineOrder(line: Data(line.utf8))
    }

    /// Writes one line. What cannot be written is dropped: nobody reads it.
    func send(_ event: EngineEvent) {
        // A daemon that has gone away is noticed by the watcher; a line that cannot be written has no reader.
        try? output.write(contentsOf: event.line + Data([0x0A]))
        lastSent = .now
    }

    /// Says that the engine is at work where it said nothing for so long: a picture of a large model takes longer than
    /// a daemon bears silence.
    func sendAlive() {
        if lastSent.duration(to: .now) >= quiet { send(.alive) }
    }

    /// Says that the engine is at work, and on which model.
    func sendStarted(on model: LoadedModel) {
        send(.started(.init(engine: Release.version, backbone: model.name)))
    }

    /// Announces a file in the workspace.
    func sendArtifact(
        role: ArtifactRole, path: String, mediaType: String, prompt: String? = nil, seed: UInt64? = nil
    ) throws {
        let digest = try SHA256Digest.ofFile(path)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        send(
            .artifact(
                .init(
                    role: role, name: (path as NSString).lastPathComponent, path: path, mediaType: mediaType,
                    sha256: digest.description, bytes: size,
                    prompt: prompt, seed: seed)))
    }
}
