/// What the ids of Chameleon's one vocabulary stand for, and how a picture lies in a sequence: begin-image, height and
/// width, rows of codes each closed by a new-line, end-image (Lumina-mGPT, arXiv 2408.02657, section 2).
package struct ChameleonVocabulary: Codable, Equatable, Sendable {
    /// Ids in all.
    package var size: Int
    /// The id of code 0; the others follow.
    package var firstCode: Int32
    /// Pictures' codes, whose ids lie together.
    package var codes: Int
    /// Opens every sequence that has a prompt.
    package var start: Int32
    /// Stands between a prompt and the picture.
    package var separator: Int32
    /// Opens a picture; its size follows.
    package var beginImage: Int32
    /// Closes a picture.
    var endImage: Int32
    /// Closes a row of codes.
    var newLine: Int32
    /// The id of size 0; a height or width of n units has the n-th after it.
    package var firstSize: Int32
    /// Pixels of a unit of size.
    package var sizeUnit: Int

    /// Every id as given; `init(text:codes:sizeUnit:units:)` lays them out anew.
    package init(
        size: Int, firstCode: Int32, codes: Int, start: Int32, separator: Int32, beginImage: Int32, endImage: Int32,
        newLine: Int32,
        firstSize: Int32, sizeUnit: Int
    ) {
        self.size = size
        self.firstCode = firstCode
        self.codes = codes
        self.start = start
        self.separator = separator
        self.beginImage = beginImage
        self.endImage = endImage
        self.newLine = newLine
        self.firstSize = firstSize
        self.sizeUnit = sizeUnit
    }

    /// A vocabulary for a model trained from nothing: a text tokenizer's ids, the marks, sizes up to `units`, then the
    /// codes.
    package init(text: Int, codes: Int, sizeUnit: Int, units: Int) {
        let marks = Int32(text)
        let firstCode = marks + 5 + Int32(units) + 1
        self.init(
            size: Int(firstCode) + codes, firstCode: firstCode, codes: codes, start: marks, separator: marks + 1,
            beginImage: marks + 2,
            endImage: marks + 3, newLine: marks + 4, firstSize: marks + 5, sizeUnit: sizeUnit)
    }

    /// Columns of the logits that are codes.
    package var codeIDs: Range<Int> { Int(firstCode)..<Int(firstCode) + codes }

    /// What stands before a prompt's picture: start, prompt, separator.
    package func opened(_ prompt: [Int32]) -> [Int32] { [start] + prompt + [separator] }

    /// Begin-image and the size of a picture of `grid` codes, each `patchSize` pixels on a side.
    package func heading(_ grid: PictureGrid, patchSize: Int) -> [Int32] {
        [beginImage] + [grid.height, grid.width].map { firstSize + Int32($0 * patchSize / sizeUnit) }
    }

    /// Codes [h · w] as rows closed by new-lines, then end-image.
    package func rows(_ codes: [Int32], _ grid: PictureGrid) -> [Int32] {
        precondition(codes.count == grid.codes, "\(codes.count) codes for a grid of \(grid.codes)")
        let rows = (0..<grid.height).flatMap { row in
            codes[row * grid.width..<(row + 1) * grid.width].map { $0 + firstCode } + [newLine]
        }
        return rows + [endImage]
    }
}

/// A picture's size in codes.
package struct PictureGrid: Codable, Hashable, Sendable {
    /// Rows and columns.
    package let height, width: Int
    /// Of a whole picture.
    package var codes: Int { height * width }

    /// In codes; a picture's pixels are so many times the tokenizer's `patchSize`.
    package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
}

/// A picture as codes.
package struct PictureCodes: Sendable {
    /// [h · w], row by row.
    package let codes: [Int32]
    /// h and w.
    package let grid: PictureGrid
}
