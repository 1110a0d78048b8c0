import Autograd
import ComputeTesting
import Evaluation
import Foundation
import Layers
import Randomness
import Tensors
import Testing

@testable import Lab

@Suite(.computing) struct TokenizerObjectiveTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    private func options(
        steps: Int, classifier: String? = nil, adversaryFrom: Int? = nil, run: String = "run"
    ) -> PretrainingOptions {
        PretrainingOptions(
            folder: "\(folder)/\(run)", steps: steps, batch: 2, learningRate: 1e-3, seed: 1, reportEvery: 100,
            seconds: nil, classifier: classifier, adversaryFrom: adversaryFrom)
    }

    private func pictures(_ seed: UInt64) -> Tensor {
        var generator = Philox(seed: seed, purpose: 0, index: 0)
        return Tensor((0..<2 * 3 * 32 * 32).map { _ in 2 * generator.uniform() - 1 }, shape: [2, 3, 32, 32])
    }

    private func gradient(_ objective: TokenizerObjective, step: Int) -> (values: [Float], names: [String]) {
        let decoded = Variable(pictures(1), node: Node())
        let zero = Variable(Tensor(zeros: [1]))
        let losses = objective.accumulate(decoded, of: Variable(pictures(2)), step: step, other: zero)
        return (decoded.node!.gradient!.values, losses.map(\.name))
    }

    @Test func withoutTheOthersItIsTheReconstructionLoss() throws {
        let decoded = Variable(pictures(1), node: Node())
        ReconstructionLoss(decoded, of: Variable(pictures(2))).total.backward()
        let expected = decoded.node!.gradient!.values
        let (values, names) = gradient(try TokenizerObjective(options(steps: 1)), step: 0)
        #expect(names == ["psnr", "absolute", "edges"])
        for (a, b) in zip(values, expected) { #expect(abs(a - b) <= 1e-5 * max(abs(b), 1e-3)) }
    }

    /// Its share of the gradient's norm is fixed, whatever the discriminator's weights are.
    @Test func theAdversaryIsHeardFromItsStepOnAndNoLouderThanItsShare() throws {
        let alone = gradient(try TokenizerObjective(options(steps: 1)), step: 5)
        let before = gradient(try TokenizerObjective(options(steps: 9, adversaryFrom: 6)), step: 5)
        let after = gradient(try TokenizerObjective(options(steps: 9, adversaryFrom: 5)), step: 5)
        #expect(before.values == alone.values)
        #expect(after.names.suffix(2) == ["generator", "discriminator"])
        func norm(_ values: [Float]) -> Double { values.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot() }
        let own = zip(after.values, alone.values).map { $0 - $1 }
        #expect(abs(norm(own) / norm(alone.values) - 0.4) < 1e-3)
    }

    @Test func aDiscriminatorThatTrainsTellsTheWorldFromNoise() {
        let adversary = Adversary(seed: 3, firstStep: 0)
        let (real, decoded) = (pictures(4), (0.1 * Variable(pictures(5))).value)
        let first = adversary.accumulate(real: real, decoded: decoded)
        for _ in 0..<40 {
            adversary.optimizer.update()
            _ = adversary.accumulate(real: real, decoded: decoded)
        }
        #expect(adversary.accumulate(real: real, decoded: decoded) < 0.5 * first)
    }

    @Test func thePerceptualDistanceIsNoneToOneself() throws {
        let classifier = try AttributeClassifier(.init(pictureSize: 32, channels: 8), .fresh(seed: 1))
        let distance = PerceptualLoss(classifier: classifier)
        #expect(distance(Variable(pictures(1)), of: Variable(pictures(1))).scalar == 0)
        #expect(distance(Variable(pictures(1)), of: Variable(pictures(2))).scalar > 0.01)
    }

    /// The discriminator and its moments are part of the checkpoint, and no part of the model.
    @Test func aStoppedTrainingGoesOnWithItsAdversaryToTheSameBytes() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ steps: [Int], _ name: String) throws -> [String: Tensor] {
            for count in steps {
                // The schedule follows the number of steps in all: stop by time, not by a smaller number.
                var options = options(steps: 3, adversaryFrom: 1, run: name)
                options.seconds = count < 3 ? 0 : nil
                try InfinityPretraining(options: options).run(.tokenizer)
            }
            let checkpoint = "\(folder)/\(name)/tokenizer.checkpoint.safetensors"
            return try OptimizerState(path: checkpoint).tensors
        }
        let (whole, parts) = (try run([3], "whole"), try run([1, 2, 3], "parts"))
        #expect(whole.keys.contains("value.discriminator.entry.weight"))
        for (name, tensor) in whole { #expect(parts[name]?.values == tensor.values, "\(name)") }
        let trained = try options(steps: 3, run: "whole").trained(.tokenizer)
        #expect(!trained.keys.contains { $0.hasPrefix("discriminator.") })
    }
}
