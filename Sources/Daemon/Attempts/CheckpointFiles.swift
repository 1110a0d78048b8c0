import Foundation

/// Which of an attempt's checkpoint files are still needed, as the tables have it: the last two that were written down,
/// the newest, and the one before it in case the newest cannot be read.
package struct CheckpointFiles {
    private static let kept = 2

    /// Oldest first.
    private var announced: [String] = []
    private var written: [String] = []

    package init() {}

    /// The engine has written a file.
    package mutating func announce(_ path: String) { if !announced.contains(path) { announced.append(path) } }

    /// It is written down that the file is there. Gives those before it that nobody needs any more.
    package mutating func write(_ path: String) -> [String] {
        written = (written + [path]).suffix(CheckpointFiles.kept)
        guard let place = announced.firstIndex(of: path) else { return [] }
        let old = announced[..<place].filter { !written.contains($0) }
        announced.removeAll { old.contains($0) }
        return old
    }

    /// Whether the tables name none of an earlier attempt.
    var areAllOurs: Bool { written.count == CheckpointFiles.kept }

    /// Removes a checkpoint, with the losses and the proxies that lie beside it.
    package static func remove(_ path: String) {
        for end in ["", ".losses", ".proxies"] { try? FileManager.default.removeItem(atPath: path + end) }
    }
}
