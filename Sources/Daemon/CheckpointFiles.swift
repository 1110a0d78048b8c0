/// Which of an attempt's checkpoint files the tables may still name: they keep the last two that were written down, the newest, and the
/// one before it in case the newest cannot be read.
struct CheckpointFiles {
    private static let kept = 2

    /// Oldest first.
    private var announced: [String] = []
    private var written: [String] = []

    /// The engine has written a file.
    mutating func announce(_ path: String) { if !announced.contains(path) { announced.append(path) } }

    /// The tables know of the file now. Gives those before it that they do not need any more.
    mutating func write(_ path: String) -> [String] {
        written = (written + [path]).suffix(CheckpointFiles.kept)
        guard let place = announced.firstIndex(of: path) else { return [] }
        let old = announced[..<place].filter { !written.contains($0) }
        announced.removeAll { old.contains($0) }
        return old
    }

    /// Whether the tables name none of an earlier attempt.
    var areAllOurs: Bool { written.count == CheckpointFiles.kept }
}
