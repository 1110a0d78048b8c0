import ComputeTesting
import Images
import LittleWorld
import Testing

@Suite(.computing) struct MannerTests {
    private let scene = Subject.training(.rabbit, index: 0).scene(in: .grass, number: 0)

    private func painted(_ index: UInt64) -> Picture {
        scene.painted(in: Manner(index: index, seed: 1)).paint(size: 64)
    }

    @Test func theSameMannerPaintsTheSameBytesAndAnotherDoesNot() {
        let pictures = (0..<40).map { painted(UInt64($0)) }
        #expect(pictures == (0..<40).map { painted(UInt64($0)) })
        #expect(Set(pictures.map(\.pixels)).count == 40)
        #expect(!pictures.contains(scene.paint(size: 64)))
    }

    @Test func captionsSayNoStyleButAPainting() {
        let words = Set(LittleWorld.vocabulary)
        for index in 0..<200 as Range<UInt64> {
            let scene = LittleWorld.scene(index: index, seed: 4, split: .training)
                .painted(in: Manner(index: index, seed: 4))
            #expect(scene.caption.hasPrefix("a \(LittleWorld.styleNoun) of a"), "\(scene.caption)")
            #expect(scene.caption.split(separator: " ").allSatisfy { words.contains(String($0)) }, "\(scene.caption)")
        }
    }

    /// A model that has them in training is still asked for woodcuts and mosaics as for something new.
    @Test func noMannerIsAHeldOutStyle() {
        for style in Style.heldOut {
            let wanted = LittleWorld.example(of: style).paint(size: 64).pixels
            for index in 0..<300 as Range<UInt64> {
                let same = zip(painted(index).pixels, wanted).count { abs(Int($0) - Int($1)) < 16 }
                #expect(same < wanted.count * 3 / 4, "\(style) and the manner \(index)")
            }
        }
    }
}
