import ComputeTesting
import Images
import Randomness
import Testing

@testable import Personalization

@Suite(.computing) struct EncodedCutsTests {
    private let augment = ReferenceAugmentation(size: 16, largestZoom: 1.5)
    /// One with pixels to spare, and one without.
    private let pictures = [32, 16].map { side in
        Picture(width: side, height: side, pixels: (0..<3 * side * side).map { UInt8($0 * 7 % 251) })
    }

    private func cuts(
        keeping most: Int = EncodedCuts.mostBytes, encode: @escaping (Picture) -> EncodedPicture
    ) -> EncodedCuts {
        EncodedCuts(
            of: pictures, from: pictures.map(PictureOrigin.init(middleOf:)), by: augment, keeping: most, encode: encode)
    }

    @Test func everyCutIsEncodedOnce() {
        var encoded: [Picture] = []
        let cuts = cuts {
            encoded.append($0)
            return .codes([Int32(encoded.count - 1)])
        }
        var (drawn, same) = (Philox(seed: 1), Philox(seed: 1))
        for number in (0..<100).map({ $0 % 2 }) {
            let (picture, origin) = cuts(number, &drawn)
            let side = augment.side(of: pictures[number], &same)
            let place = Int([picture].codes[0][0])
            #expect(encoded[place] == augment.cut(pictures[number], side: side))
            #expect(origin == augment.cut(PictureOrigin(middleOf: pictures[number]), side: side))
        }
        #expect(encoded.count > 5 && encoded.count <= augment.cuts + 1, "\(encoded.count)")
    }

    /// Two of four bytes each, beside the only one there is of a picture without pixels to spare.
    @Test func memoryDoesNotGrowWithTheCuts() {
        var count = 0
        let cuts = cuts(keeping: 8) { _ in
            count += 1
            return .codes([0])
        }
        var generator = Philox(seed: 1)
        for _ in 0..<100 { _ = cuts(0, &generator) }
        #expect(count > augment.cuts && count < 100)
        let before = count
        for _ in 0..<10 { _ = cuts(1, &generator) }
        #expect(count == before + 1)
    }
}
