import Backbones
import ComputeTesting
import Images
import ModelTesting
import Testing

@testable import Evaluation

@Suite(.computing) struct ScaleCorruptionTests {
    @Test func noiseGivesWayScaleByScale() throws {
        let model = try tinyModel()
        let side = model.configuration.pictureSize
        func picture(_ seed: Int) -> Picture {
            Picture(
                width: side, height: side,
                pixels: (0..<3 * side * side).map { UInt8(truncatingIfNeeded: ($0 + seed) * 97 * seed >> 3) })
        }
        let own = [picture(3), picture(5)]
        let noise = [picture(7), picture(11)]
        let corruption = ScaleCorruption(model, pictures: own, noise: noise)
        let scales = model.configuration.schedule.sides.count
        #expect(corruption.errors.count == scales + 1 && corruption.errors[scales] == 0 && corruption.errors[0] > 0)
        #expect(corruption.pictures.count == 2 && corruption.pictures.allSatisfy { $0.count == scales + 1 })
        // Nothing of the picture: what the tokenizer makes of noise; all of it: what it makes of the picture.
        let ofNoise = ScaleCorruption(model, pictures: noise, noise: own)
        for index in 0..<2 {
            #expect(corruption.pictures[index][0] == ofNoise.pictures[index][scales])
        }
    }

    /// Scales of 1 and 4 tokens of 2 bits, two pictures.
    @Test(arguments: [(0, 0), (1, 2), (2, 10)])
    func theFirstScalesStay(kept: Int, own: Int) {
        let schedule = ScaleSchedule.square([1, 2])
        let mixed = ScaleCorruption.mixed(
            [UInt8](repeating: 1, count: 20), [UInt8](repeating: 0, count: 20), kept: kept, schedule, depth: 2)
        let picture = [UInt8](repeating: 1, count: own) + [UInt8](repeating: 0, count: 10 - own)
        #expect(mixed == picture + picture)
    }
}
