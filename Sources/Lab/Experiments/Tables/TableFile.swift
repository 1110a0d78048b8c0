import Foundation

/// The cells of a run, in a file that grows line by line and survives whatever ends the run. Several processes may fill
/// it together.
struct TableFile {
    private let folder: String
    private var path: String { "\(folder)/cells.jsonl" }

    /// - Throws: where the folder cannot be made.
    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: "\(folder)/claims", withIntermediateDirectories: true)
    }

    /// What is done, by whatever process.
    func cells() throws -> [TableCell.Key: TableCell] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        // A line that was cut off in the middle is a cell that is not done.
        let cells = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 0x0A)
            .compactMap { try? JSONDecoder().decode(TableCell.self, from: $0) }
        return Dictionary(cells.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
    }

    /// Makes a cell and writes it down, unless it is there or another process is at it. Gives whether it did.
    @discardableResult
    func fill(_ key: TableCell.Key, _ make: () throws -> TableCell) throws -> Bool {
        guard let claim = try Claim("\(folder)/claims/\(key.name)") else { return false }
        return try withExtendedLifetime(claim) {
            // Looked up only now: another process may have been at it until a moment ago.
            guard try cells()[key] == nil else { return false }
            try add(make())
            return true
        }
    }

    /// Writes a cell down; of a cell that is there already this one counts.
    func add(_ cell: TableCell) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CocoaError.unwritable(path, errno) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // Begins with an end of line, for the last one may have none.
        let line = try Data("\n".utf8) + encoder.encode(cell) + Data("\n".utf8)
        try naming(path) { try file.write(contentsOf: line) }
    }

    /// A process's hold on a cell, which the kernel ends with the process.
    private final class Claim {
        private let path: String
        private let file: Int32

        /// Nil while another holds it.
        init?(_ path: String) throws {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw CocoaError.unwritable(path, errno) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                close(file)
                return nil
            }
            // Not before: from here on this object's end removes the file.
            (self.path, self.file) = (path, file)
        }

        // Who opened the file before it was removed locks one that has no name any more, and finds the cell done.
        deinit {
            unlink(path)
            close(file)
        }
    }
}
