import ComputeTesting
import Personalization
import Testing

@testable import Engine

@Suite(.computing) struct LossCurveTests {
    private struct Losses: TrainingLosses {
        let total: Float
        let gradientNorm: Float = 1
        var parts: KeyValuePairs<String, Float> { ["concept": total] }
    }

    private func curve(_ losses: [Float]) -> LossCurve {
        losses.enumerated().reduce(into: LossCurve()) { $0.add(step: $1.offset + 1, Losses(total: $1.element)) }
    }

    @Test func aTrainingThatEndsFarAboveItsBeginningHasDiverged() throws {
        let risen = try #require(curve([0.5] + (1...20).map { Float($0 * $0) }).divergence)
        #expect(risen.from == 0.5 && risen.to > 100)
    }

    @Test func aFallingLossAndASingleSpikeAreNoDivergence() {
        #expect(curve([0.5, 0.45, 0.4, 0.35]).divergence == nil)
        #expect(curve([0.5, 0.4, 9, 0.4] + Array(repeating: 0.4, count: 20)).divergence == nil)
        #expect(LossCurve().divergence == nil)
    }
}
