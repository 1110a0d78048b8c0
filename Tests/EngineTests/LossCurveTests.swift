import ComputeTesting
import Foundation
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
        let risen = try #require(curve([0.5] + (1...20).map { Float($0 * $0) }).divergence(isOfNoise: false))
        #expect(risen.from == 0.5 && risen.to > 100)
    }

    @Test func aFallingLossAndASingleSpikeAreNoDivergence() {
        #expect(curve([0.5, 0.45, 0.4, 0.35]).divergence(isOfNoise: false) == nil)
        #expect(curve([0.5, 0.4, 9, 0.4] + Array(repeating: 0.4, count: 20)).divergence(isOfNoise: false) == nil)
        #expect(LossCurve().divergence(isOfNoise: false) == nil)
    }

    /// As models that predict noise have them: at much noise there is little to miss.
    @Test func ofAModelOfNoiseNoSingleStepIsTheBeginning() throws {
        let losses: [Float] = [0.004, 0.09, 0.31, 0.02, 0.14, 0.05, 0.2, 0.008, 0.11, 0.26]
        let healthy = curve((0..<4).flatMap { _ in losses })
        #expect(healthy.divergence(isOfNoise: false) != nil)
        #expect(healthy.divergence(isOfNoise: true) == nil)
        let risen = try #require(curve(losses + Array(repeating: 1.1, count: 30)).divergence(isOfNoise: true))
        #expect(risen.from == Double(Float(0.31)) && risen.to > 1)
    }

    /// It kept the first step alone.
    @Test func ofATrainingThatAFormerVersionBeganNobodyKnowsWhereItBegan() throws {
        let file = #"{"names":["concept"],"points":[{"step":10,"losses":[0.1],"count":10}],"first":0.004,"recent":0.1}"#
        var curve = try JSONDecoder().decode(LossCurve.self, from: Data(file.utf8))
        curve.add(step: 11, Losses(total: 0.2))
        #expect(curve.divergence(isOfNoise: true) == nil && curve.divergence(isOfNoise: false) != nil)
    }
}
