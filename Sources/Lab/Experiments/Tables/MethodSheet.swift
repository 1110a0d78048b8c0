import Foundation
import Images

/// One subject as every variant draws it: its references, then a line a variant with the first picture of each prompt.
/// Put together from the sheets that cells leave, so that a table and what it speaks of come from the same pictures.
struct MethodSheet {
    /// Pictures in a line of a cell's sheet.
    let columns: Int
    let references: Int
    let prompts: Int

    private static let lettersPerLine = 20, gap = 2

    /// The sheet a cell leaves: references, then a line a prompt.
    func cell(references: [Picture], prompts groups: [[Picture]]) -> Picture {
        Grid.sections(of: columns, [references] + groups, gap: MethodSheet.gap)
    }

    /// Of every prompt the pictures that a cell's sheet shows.
    func pictures(of sheet: Picture, perPrompt count: Int) -> [[Picture]] {
        let (side, above) = (side(of: sheet), linesOfReferences)
        return (0..<prompts).map { prompt in
            (0..<count).map { tile(sheet, side, row: above + prompt, column: $0) }
        }
    }

    /// - Parameter rows: a variant's title and its cell's sheet, all of one subject; models may draw in different
    ///   sizes.
    /// - Returns: nil of no sheets.
    func picture(_ rows: [(title: String, sheet: Picture)]) -> Picture? {
        guard let first = rows.first?.sheet, let side = rows.map({ self.side(of: $0.sheet) }).max() else { return nil }
        let above = linesOfReferences
        let shown =
            [("REFERENCES", (0..<references).map { tile(first, side, row: $0 / columns, column: $0 % columns) })]
            + rows.map { row in (row.title, (0..<prompts).map { tile(row.sheet, side, row: above + $0, column: 0) }) }
        let left = MethodSheet.lettersPerLine * 8 + MethodSheet.gap
        let step = side + MethodSheet.gap
        var sheet = Picture(
            width: left + max(references, prompts) * step, height: shown.count * step + MethodSheet.gap,
            filledWith: (255, 255, 255))
        for (number, (title, pictures)) in shown.enumerated() {
            let top = MethodSheet.gap + number * step
            for (line, text) in Picture.lines(of: title, columns: MethodSheet.lettersPerLine).enumerated() {
                sheet.write(text, left: MethodSheet.gap, top: top + side / 4 + line * 14)
            }
            for (column, picture) in pictures.enumerated() {
                sheet.paste(picture, left: left + column * step, top: top)
            }
        }
        return sheet
    }

    private var linesOfReferences: Int { (references + columns - 1) / columns }

    private func side(of sheet: Picture) -> Int { (sheet.width - MethodSheet.gap) / columns - MethodSheet.gap }

    private func tile(_ sheet: Picture, _ shown: Int, row: Int, column: Int) -> Picture {
        let side = side(of: sheet)
        let step = side + MethodSheet.gap
        return sheet.cropped(
            left: MethodSheet.gap + column * step, top: MethodSheet.gap + row * step, width: side, height: side
        )
        .resized(width: shown, height: shown)
    }
}
