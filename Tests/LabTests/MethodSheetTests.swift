import ComputeTesting
import Images
import Testing

@testable import Lab

@Suite(.computing) struct MethodSheetTests {
    private func flat(_ shade: Int, side: Int = 8) -> Picture {
        Picture(width: side, height: side, filledWith: (UInt8(shade), 0, 0))
    }

    /// The shade in the middle of the picture at a place of the result, whose pictures begin right of the titles.
    private func shade(_ sheet: Picture, row: Int, column: Int) -> UInt8 {
        let x = 162 + column * 10 + 4
        let y = 2 + row * 10 + 4
        return sheet.pixels[3 * (y * sheet.width + x)]
    }

    @Test func everyLineShowsTheFirstPictureOfEachPrompt() throws {
        // Five references fill a line and begin another.
        let layout = MethodSheet(columns: 4, references: 5, prompts: 3)
        func cell(_ base: Int) -> Picture {
            layout.cell(
                references: (1...5).map { flat($0) },
                prompts: (0..<3).map { prompt in (0..<2).map { flat(base + 10 * prompt + $0) } })
        }
        let sheet = try #require(layout.picture([("one", cell(100)), ("two", cell(200))]))
        #expect((0..<5).map { shade(sheet, row: 0, column: $0) } == [1, 2, 3, 4, 5])
        #expect((0..<3).map { shade(sheet, row: 1, column: $0) } == [100, 110, 120])
        #expect((0..<3).map { shade(sheet, row: 2, column: $0) } == [200, 210, 220])
        #expect(sheet.height == 2 + 3 * 10)
    }

    @Test func aCellsSheetGivesItsPicturesBack() {
        let layout = MethodSheet(columns: 4, references: 5, prompts: 3)
        let prompts = (0..<3).map { prompt in (0..<2).map { flat(100 + 10 * prompt + $0) } }
        let sheet = layout.cell(references: (1...5).map { flat($0) }, prompts: prompts)
        #expect(layout.pictures(of: sheet, perPrompt: 2) == prompts)
    }

    /// Else it would go on under the pictures.
    @Test func aTitlesWordThatIsTooLongForALineIsBroken() throws {
        let layout = MethodSheet(columns: 1, references: 1, prompts: 1)
        let cell = layout.cell(references: [flat(1, side: 64)], prompts: [[flat(100, side: 64)]])
        let line = "ABCDEFGHIJKLMNOPQRST"
        let broken = try #require(layout.picture([(line + line, cell)]))
        #expect(broken == layout.picture([("\(line) \(line)", cell)]))
        #expect(broken != layout.picture([(line, cell)]))
    }

    @Test func ofNothingThereIsNoSheet() {
        #expect(MethodSheet(columns: 4, references: 4, prompts: 3).picture([]) == nil)
    }
}
