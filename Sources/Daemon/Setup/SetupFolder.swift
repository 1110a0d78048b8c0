import Foundation
import Hashing

/// The folder of an installation's settings and secrets, as `atelierctl setup` fills it: what is there already stays.
struct SetupFolder: Sendable {
    let path: String

    /// Makes the folder, if it is not there.
    func make() throws {
        try OutputPlace.folder(path)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
    }

    /// A secret that was written before; nil where there is none.
    func secret(_ name: String) -> String? {
        FileManager.default.contents(atPath: path + "/" + name)
            .flatMap { String(data: $0, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines) }
            .flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Writes a file that is there as a whole or not at all, from the start with this mode.
    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        let temporary = path + "/." + name
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw SystemError("create", temporary) }
        defer { close(file) }
        let bytes = Array((text + "\n").utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count, fchmod(file, mode) == 0, fsync(file) == 0 else {
            throw SystemError("write", temporary)
        }
        guard rename(temporary, path + "/" + name) == 0 else { throw SystemError("rename", temporary) }
    }

    /// A password: 192 random bits.
    static func password() -> String { RandomText.make(words: 3) }
}
