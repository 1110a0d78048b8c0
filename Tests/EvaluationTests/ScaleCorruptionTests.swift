import Backbones
import Testing

@testable import Evaluation

@Suite struct ScaleCorruptionTests {
    /// Scales of 1 and 4 tokens of 2 bits, two pictures.
    @Test(arguments: [(0, 0), (1, 2), (2, 10)])
    func theFirstScalesStay(kept: Int, own: Int) {
        let schedule = ScaleSchedule.square([1, 2])
        let mixed = ScaleCorruption.mixed([UInt8](repeating: 1, count: 20), [UInt8](repeating: 0, count: 20), kept: kept, schedule, depth: 2)
        let picture = [UInt8](repeating: 1, count: own) + [UInt8](repeating: 0, count: 10 - own)
        #expect(mixed == picture + picture)
    }
}
