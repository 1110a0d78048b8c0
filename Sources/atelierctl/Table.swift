/// A time as JSON has it, for people: `2026-01-31 12:00:00Z`.
func moment(_ text: String) -> String {
    guard let parts = text.wholeMatch(of: /(\d+-\d+-\d+)T(\d+:\d+:\d+)(\.\d+)?(.*)/) else { return text }
    return "\(parts.1) \(parts.2)\(parts.4 == "+00:00" ? "Z" : parts.4)"
}

/// Rows under headings, columns as wide as their widest cell; every cell is made printable.
struct Table {
    /// The headings; one that begins with `>` stands right-aligned.
    let headings: [String]
    /// One array of cells a row.
    var rows: [[String]] = []

    /// A table with these headings.
    init(_ headings: String...) { self.headings = headings }

    /// Appends a row.
    mutating func append(_ cells: String...) { rows.append(cells) }

    /// The lines of the table.
    func lines() -> [String] {
        let titles = headings.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        let cells = [titles] + rows.map { $0.map(printable) }
        let widths = titles.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in line(row, widths) }
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        var line = ""
        for (column, cell) in row.enumerated() {
            let space = String(repeating: " ", count: widths[column] - cell.count)
            let isLast = column == row.count - 1
            line += headings[column].hasPrefix(">") ? space + cell : cell + (isLast ? "" : space)
            if !isLast { line += "  " }
        }
        return line
    }
}
