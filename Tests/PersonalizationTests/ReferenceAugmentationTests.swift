import ComputeTesting
import Images
import Personalization
import Randomness
import Testing

@Suite(.computing) struct ReferenceAugmentationTests {
    /// Columns one pixel wide, black and white by turns: what blurs them makes grey.
    private func stripes(_ side: Int) -> Picture {
        Picture(
            width: side, height: side,
            pixels: (0..<side * side).flatMap { [UInt8](repeating: $0 % side % 2 == 0 ? 0 : 255, count: 3) })
    }

    private func zoomed(_ picture: Picture, size: Int, seed: UInt64) -> Picture {
        var generator = Philox(seed: seed, purpose: 1, index: 0)
        return ReferenceAugmentation(size: size, largestZoom: 1.5)(picture, &generator)
    }

    @Test func aPictureWithoutPixelsToSpareStaysSharp() {
        for seed: UInt64 in 1...5 { #expect(zoomed(stripes(32), size: 32, seed: seed) == stripes(32)) }
    }

    /// A disc as large as the picture: the more it is enlarged, the less of its corners stays.
    @Test func aLargerPictureIsEnlargedAsFarAsItsPixelsGo() {
        func disc(_ side: Int) -> Picture {
            Picture(
                width: side, height: side,
                pixels: (0..<side * side).flatMap { place -> [UInt8] in
                    let x = Double(place % side) + 0.5 - Double(side) / 2
                    let y = Double(place / side) + 0.5 - Double(side) / 2
                    return [UInt8](repeating: x * x + y * y < Double(side * side) / 4 ? 255 : 0, count: 3)
                })
        }
        func share(_ side: Int, seed: UInt64) -> Double {
            let picture = zoomed(disc(side), size: 32, seed: seed)
            #expect(picture.width == 32 && picture.height == 32)
            return Double(picture.pixels.reduce(0) { $0 + Int($1) }) / Double(255 * picture.pixels.count)
        }
        let seeds: ClosedRange<UInt64> = 1...20
        let quarter = Double.pi / 4
        let little = seeds.map { share(36, seed: $0) }
        let much = seeds.map { share(64, seed: $0) }
        #expect(little.allSatisfy { (quarter - 0.03...0.92).contains($0) }, "36 pixels allow an eighth more: \(little)")
        #expect(much.max()! > 0.95 && much.min()! < 0.85, "64 pixels allow half more: \(much)")
    }
}
