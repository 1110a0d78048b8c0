import Autograd
import Backbones
import ComputeTesting
import ModelTesting
import Tensors
import Testing

@testable import Lab

/// What a decoder that learns once more is shown.
@Suite(.computing) struct BitwiseTokenizerTrainingTests {
    private let captions = ["a red dog", "a blue car"]
    private let pictures = Variable(Tensor.example([2, 3, 16, 16]))

    /// What the decoder makes of a step's bits.
    private func decoded(_ model: InfinityModel, step: Int, draws: Bool) -> [Float] {
        let tokenizer = BitwiseTokenizerTraining(model: model, seed: 1, draws: draws)
        return tokenizer.pass(pictures, of: captions, step: step, learnsTokens: false).decoded.value.values
    }

    private func own(_ model: InfinityModel) -> [Float] {
        let features = model.tokenizer.features(pictures).value
        let maps = model.tokenizer.quantize(features, schedule: model.configuration.schedule)
        return model.tokenizer.decode(Variable(maps.sum)).value.values
    }

    @Test func theDecoderSeesOwnBitsAndDrawnOnesInTurn() throws {
        let model = try tinyModel()
        let own = own(model)
        #expect(decoded(model, step: 0, draws: true) == own)
        let (last, lastTwo) = (decoded(model, step: 1, draws: true), decoded(model, step: 2, draws: true))
        #expect(last != own && lastTwo != own && last != lastTwo)
        #expect(decoded(model, step: 1, draws: true) == last, "a step draws the same again")
        #expect(decoded(model, step: 4, draws: true) != last, "another step draws anew")
    }

    @Test func withoutATransformerThatDrawsItSeesOwnBitsAlone() throws {
        let model = try tinyModel()
        #expect((1...2).allSatisfy { decoded(model, step: $0, draws: false) == own(model) })
    }
}
