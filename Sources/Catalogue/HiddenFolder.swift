import Foundation
import Hashing

/// A hidden folder among the models, which one that comes or goes lies in; it is gone with this value. Who has it holds
/// its lock: what nobody holds was left by a program that was killed, and goes before the next is made.
final class HiddenFolder: Sendable {
    /// What models lie hidden for.
    enum Purpose: String, CaseIterable { case adding, removing }

    /// Where it is.
    let path: String
    private let lock: Int32?

    /// An empty one in the models' folder, which is made too.
    /// - Throws: `OutputPlace.Fault`, or what the file system says.
    init(for purpose: Purpose, in directory: String) throws {
        try OutputPlace.folder(directory)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // Nobody takes the new one for an orphan before its lock is held.
        let gate = Self.locked(directory, LOCK_EX)
        defer { if let gate { close(gate) } }
        Self.removeOrphans(in: directory)
        path = "\(directory)/\(Self.prefix(purpose))\(UUID().uuidString.lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        lock = Self.locked(path, LOCK_EX | LOCK_NB)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        if let lock { close(lock) }
    }

    private static func prefix(_ purpose: Purpose) -> String { ".\(purpose.rawValue)-" }

    private static func removeOrphans(in directory: String) {
        let prefixes = Purpose.allCases.map(prefix)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            let path = "\(directory)/\(name)"
            guard prefixes.contains(where: { name.hasPrefix($0) }), let orphan = locked(path, LOCK_EX | LOCK_NB) else {
                continue
            }
            try? FileManager.default.removeItem(atPath: path)
            close(orphan)
        }
    }

    /// A folder with its lock; nil where it is another's, or cannot be had there.
    private static func locked(_ path: String, _ operation: Int32) -> Int32? {
        let folder = open(path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        if flock(folder, operation) == 0 { return folder }
        close(folder)
        return nil
    }
}
