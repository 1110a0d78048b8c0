import Foundation

/// What one variant makes of one subject from one seed: a line in a file of results.
struct TableCell: Codable, Equatable {
    /// Which cell it is, and what it was made of.
    struct Key: Codable, Hashable {
        let variant: String
        let subject: Int
        let seed: UInt64
        /// Of settings, options, model and encoders: with any other the cell is another.
        let inputs: String
    }

    let key: Key
    let className: String
    /// By metric and encoder.
    let scores: [String: Double]
    /// For learning; nil where nothing was learned, as are the next two.
    var seconds: Double? = nil
    var parameters: Int? = nil
    var adapterBytes: Int? = nil
}

/// The cells of a run, in a file that grows line by line and survives whatever ends the run.
struct TableCells {
    private let path: String
    private(set) var cells: [TableCell.Key: TableCell] = [:]

    /// - Throws: where the folder cannot be made or its file not be read.
    init(folder: String) throws {
        path = "\(folder)/cells.jsonl"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard FileManager.default.fileExists(atPath: path) else { return }
        for line in try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 0x0A) {
            // A line that was cut off in the middle is a cell that is not done.
            if let cell = try? JSONDecoder().decode(TableCell.self, from: line) { cells[cell.key] = cell }
        }
    }

    mutating func add(_ cell: TableCell) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        // Begins with an end of line, for the last one may have none.
        try file.write(contentsOf: Data("\n".utf8) + encoder.encode(cell) + Data("\n".utf8))
        cells[cell.key] = cell
    }
}
