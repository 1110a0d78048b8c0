import ComputeTesting
import Images
import Testing

@testable import Lab

@Suite(.computing) struct GeometricAugmentationTests {
    /// Red on the left, blue on the right.
    private var halves: Picture {
        var picture = Picture(width: 32, height: 32, filledWith: (255, 0, 0))
        for y in 0..<32 {
            let right = (y * 32 + 16) * 3..<(y + 1) * 32 * 3
            picture.pixels.replaceSubrange(right, with: (0..<16).flatMap { _ in [0, 0, 255] as [UInt8] })
        }
        return picture
    }

    private func isRed(_ picture: Picture, _ x: Int, _ y: Int) -> Bool { picture.pixels[(y * 32 + x) * 3] > 200 }

    @Test func picturesAreTurnedALittleAndSeldomMirrored() {
        let pictures = GeometricAugmentation(seed: 5).pictures(of: [halves], count: 400)
        #expect(pictures == GeometricAugmentation(seed: 5).pictures(of: [halves], count: 400))
        let mirrored = pictures.count { !isRed($0, 4, 16) }
        #expect((8...36).contains(mirrored), "about one in twenty: \(mirrored)")
        // A turn of 5 degrees moves the border at the upper edge by 15.5 · tan 5° = 1.4 pixels, a crop of 0.9 by 1.6.
        #expect(pictures.allSatisfy { isRed($0, 12, 0) != isRed($0, 19, 0) })
        #expect(Set(pictures.map(\.pixels)).count > 300, "no two are alike but by chance")
    }

    /// A crop around the middle would leave the border there.
    @Test func cropsAreAnywhere() {
        let pictures = GeometricAugmentation(seed: 5).pictures(of: [halves], count: 400).filter { isRed($0, 4, 16) }
        #expect(pictures.count { !isRed($0, 15, 16) } > 60 && pictures.count { isRed($0, 16, 16) } > 8)
    }

    @Test func referencesTakeTurns() {
        let white = Picture(width: 32, height: 32, filledWith: (255, 255, 255))
        let pictures = GeometricAugmentation(seed: 5).pictures(of: [halves, white], count: 4)
        #expect(pictures[1] == white && pictures[3] == white && pictures[0] != white)
    }
}
