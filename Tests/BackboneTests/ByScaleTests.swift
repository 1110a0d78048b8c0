import ComputeTesting
import Foundation
import Testing

@testable import Backbones

@Suite(.computing) struct ByScaleTests {
    /// Infinity's `reweight_loss_by_scale`: a scale counts as much as its side.
    @Test func tokensOfAScaleCountTogetherAsItsSide() {
        let weights = ScaleSchedule.square([1, 2, 4]).tokenWeights(batch: 2, bits: 3)
        #expect(weights.count == 2 * 21 && abs(3 * weights.reduce(0, +) - 1) < 1e-6)
        #expect(abs(weights[0] / weights[1] - 2) < 1e-6 && abs(weights[0] / weights[5] - 4) < 1e-6)
    }

    @Test(
        arguments: [("2.5", [2.5, 2.5, 2.5]), ("[1,2]", [1, 2, 2]), ("[1,2,3,4]", [1, 2, 3])] as [(String, [Float])])
    func oneNumberIsForAllAndTheLastForTheRest(json: String, values: [Float]) throws {
        let numbers = try JSONDecoder().decode(ByScale.self, from: Data(json.utf8))
        #expect(numbers.values(3) == values)
        #expect(try String(decoding: JSONEncoder().encode(numbers), as: UTF8.self) == json)
    }

    @Test func nothingIsNoNumber() {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ByScale.self, from: Data("[]".utf8)) }
    }
}
