import ComputeTesting
import Foundation
import Images
import LittleWorld
import Testing

@testable import Lab

@Suite(.computing) struct ReconstructionScoreTests {
    /// A tokenizer that keeps most of what training shows, and little of other styles.
    private func score(count: Int) -> ReconstructionScore {
        let scenes = HeldOutScenes.all(count: count)
        return ReconstructionScore(count: count, size: 16) { pictures in
            zip(scenes, pictures).map { scene, picture in
                var other = picture
                other.pixels = picture.pixels.map { $0 ^ (scene.style.isHeldOut ? 128 : 8) }
                return other
            }
        }
    }

    @Test func stylesOfTrainingHaveAFigureOfTheirOwn() throws {
        let score = score(count: 100)
        let known = try #require(score.known)
        #expect(abs(known - 20 * log10(255.0 / 8)) < 1e-9)
        #expect(score.decibels < known - 1)
        #expect(score.table.contains("never seen in training"))
    }

    /// A figure of no pictures would be infinite, which is no JSON.
    @Test func withoutTheirPicturesThereIsNone() throws {
        let first = try #require(HeldOutScenes.all(count: 200).firstIndex { !$0.style.isHeldOut })
        #expect(score(count: first).known == nil && score(count: first + 1).known != nil)
    }
}
