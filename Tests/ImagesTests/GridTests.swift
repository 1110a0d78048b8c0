import ComputeTesting
import Images
import Testing

@Suite(.computing) struct GridTests {
    private let red = Picture(width: 2, height: 1, filledWith: (255, 0, 0))
    private let green = Picture(width: 2, height: 1, filledWith: (0, 255, 0))
    private let blue = Picture(width: 2, height: 1, filledWith: (0, 0, 255))

    @Test func picturesLieInRowsOnWhite() {
        let sheet = Grid.rows(of: 2, [red, green, blue])
        #expect(sheet.width == 2 + 2 + 2 + 2 + 2 && sheet.height == 2 + 1 + 2 + 1 + 2)
        let letters = (0..<sheet.height).map { y in
            String(
                (0..<sheet.width).map { x -> Character in
                    switch Array(sheet.pixels[3 * (y * sheet.width + x)..<3 * (y * sheet.width + x) + 3]) {
                    case [255, 255, 255]: "."
                    case [255, 0, 0]: "r"
                    case [0, 255, 0]: "g"
                    case [0, 0, 255]: "b"
                    default: "?"
                    }
                })
        }
        #expect(
            letters == [
                "..........", "..........", "..rr..gg..", "..........", "..........", "..bb......", "..........",
                "..........",
            ])
    }

    @Test func pastingChangesNothingElse() {
        var sheet = Picture(width: 4, height: 3, filledWith: (9, 9, 9))
        sheet.paste(red, left: 1, top: 2)
        var expected = [UInt8](repeating: 9, count: 36)
        expected.replaceSubrange(27..<33, with: [255, 0, 0, 255, 0, 0])
        #expect(sheet.pixels == expected)
    }
}
