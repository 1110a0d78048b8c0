/// Rows under headings, columns as wide as their widest cell; every cell is made printable.
struct Table {
    /// The headings; one that begins with `>` stands right-aligned.
    private(set) var headings: [String]
    /// One array of cells a row.
    var rows: [[String]] = []

    /// A table with these headings.
    init(_ headings: String...) { self.headings = headings }

    /// Appends a row.
    mutating func append(_ cells: String...) { rows.append(cells) }

    /// Without those columns that say nothing in any row; the same where there are no rows.
    func withoutEmptyColumns() -> Table {
        guard !rows.isEmpty else { return self }
        let kept = headings.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        var table = self
        table.headings = kept.map { headings[$0] }
        table.rows = rows.map { row in kept.map { row[$0] } }
        return table
    }

    /// The lines of the table.
    func lines() -> [String] {
        let titles = headings.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        let cells = [titles] + rows.map { $0.map(printable) }
        let widths = titles.indices.map { column in cells.map { $0[column].columns }.max() ?? 0 }
        return cells.map { row in line(row, widths) }
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        var line = ""
        for (column, cell) in row.enumerated() {
            let space = String(repeating: " ", count: widths[column] - cell.columns)
            let isLast = column == row.count - 1
            line += headings[column].hasPrefix(">") ? space + cell : cell + (isLast ? "" : space)
            if !isLast { line += "  " }
        }
        return line
    }
}

extension String {
    /// How many columns of a terminal it takes.
    fileprivate var columns: Int { reduce(0) { $0 + ($1.isWide ? 2 : 1) } }
}

extension Character {
    /// Whether it takes two columns: what East Asian scripts are written with (UAX #11), and emoji.
    fileprivate var isWide: Bool {
        guard let first = unicodeScalars.first else { return false }
        switch first.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return true
        default: return first.properties.isEmojiPresentation
        }
    }
}
