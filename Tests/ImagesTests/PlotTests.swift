import ComputeTesting
import Testing

@testable import Images

@Suite(.computing) struct PlotTests {
    private static let blue: [UInt8] = [31, 98, 201], orange: [UInt8] = [214, 90, 36]
    /// The frame the curves are drawn in, corners included.
    private static let left = 70, right = 620, top = 40, bottom = 320

    private func plot(_ curves: [(Double, Double)]...) -> Picture {
        Plot(
            title: "loss",
            series: curves.enumerated().map { Plot.Series(name: "", points: $1.map { (x: $0.0, y: $0.1) }) }
        ).picture()
    }

    private func places(_ colour: [UInt8], in picture: Picture) -> [(x: Int, y: Int)] {
        (0..<picture.width * picture.height).filter { Array(picture.pixels[3 * $0..<3 * $0 + 3]) == colour }.map {
            ($0 % picture.width, $0 / picture.width)
        }
    }

    @Test func aStraightLineGoesFromCornerToCorner() throws {
        let places = places(Self.blue, in: plot([(0, 0), (5, 1), (10, 2)]))
        #expect(try #require(places.max { $0.y < $1.y }) == (Self.left, Self.bottom))
        #expect(try #require(places.min { $0.y < $1.y }) == (Self.right, Self.top))
        #expect(places.contains { $0 == (345, 180) })
        #expect(Set(places.map(\.x)) == Set(Self.left...Self.right), "the line has gaps")
    }

    /// As trainings of ten steps and fewer have them.
    @Test func aSinglePointIsADot() {
        let picture = plot([(5, 2)], [(5, 1), (6, .nan)])
        #expect(places(Self.blue, in: picture).count == 25)
        #expect(places(Self.blue, in: picture).contains { $0 == (Self.left, Self.top) })
        #expect(places(Self.orange, in: picture).contains { $0 == (Self.left, Self.bottom) })
    }

    @Test func curvesShareTheirAxes() {
        let picture = plot([(0, 0), (10, 1)], [(0, 2), (5, 2)])
        #expect(places(Self.blue, in: picture).allSatisfy { $0.y >= 180 })
        #expect(places(Self.orange, in: picture).allSatisfy { $0.y == Self.top && $0.x <= 345 })
        #expect(!places(Self.orange, in: picture).isEmpty)
    }

    @Test func pointsWithoutAPlaceAreLeftOut() {
        let clean = plot([(0, 0), (5, 1), (10, 2)])
        #expect(plot([(0, 0), (2, .nan), (5, 1), (.nan, 1), (6, .infinity), (7, 1e305), (10, 2)]) == clean)
        #expect(places(Self.blue, in: plot([(1, .nan)])).isEmpty)
        #expect(places(Self.blue, in: plot([])).isEmpty)
    }

    @Test func aTrainingThatDivergesCanBeLookedAt() {
        #expect(!places(Self.blue, in: plot([(0, 1), (1, 3e38), (2, -3e38)])).isEmpty)
        #expect(!places(Self.blue, in: plot([(0, 1), (1, 1)])).isEmpty)
    }

    @Test func axesAreDividedAtRoundNumbers() {
        #expect(Plot.ticks(0, 5) == [0, 1, 2, 3, 4, 5])
        #expect(Plot.ticks(10, 600) == [200, 400, 600])
        #expect(Plot.ticks(-0.3, 0.25) == [-0.2, 0, 0.2])
        #expect(Plot.ticks(7, 7) == [7])
        #expect((1...6).contains(Plot.ticks(-3e38, 3e38).count))
    }

    @Test func lettersAreDots() {
        func dots(_ text: String) -> [String] {
            var rows = [[Character]](
                repeating: [Character](repeating: ".", count: 4 * text.count), count: BitmapFont.height)
            BitmapFont.draw(text) { rows[$1][$0] = "#" }
            return rows.map { String($0) }
        }
        #expect(dots("7t") == ["###.###.", "..#..#..", ".#...#..", ".#...#..", ".#...#.."])
        #expect(dots("7T") == dots("7t"))
        #expect(dots("_") == ["....", "....", "....", "....", "###."], "concepts' names have it")
        #expect(dots("→") == [String](repeating: "....", count: 5), "what the font lacks is left blank")
    }
}
