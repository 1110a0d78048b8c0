import Autograd
import Backbones
import ComputeTesting
import Foundation
import Images
import Jobs
import Layers
import ModelTesting
import Personalization
import Randomness
import Tensors
import Testing

private func training(
    _ model: ChameleonModel, role: ConceptRole = .subject, _ change: (inout CoAROptions) -> Void = { _ in }
) -> CoARTraining {
    var options = CoAROptions()
    if role == .style { options.priorPreservation = false }
    options.layers = 2
    options.priorPictures = 3
    change(&options)
    return CoARTraining(model: model, concept: tinyConcept(role: role), options: options, seed: 7)
}

private func adapter(_ training: CoARTraining) -> Adapter { try! training.adapter(modelDigest: "d") }
private func bytes(_ training: CoARTraining) -> [String: [UInt32]] {
    adapter(training).tensors.mapValues { $0.values.map(\.bitPattern) }
}

@Suite(.computing) struct CoARTrainingTests {
    @Test func aRunResumedFromACheckpointEndsWithTheSameBits() throws {
        let undisturbed = try training(tinyChameleon())
        for _ in 0..<8 { _ = undisturbed.advance() }
        let first = try training(tinyChameleon())
        for _ in 0..<3 { _ = first.advance() }
        let second = try training(tinyChameleon())
        try second.restore(first.state.written())
        #expect(second.step == 3)
        for _ in 0..<5 { _ = second.advance() }
        #expect(bytes(second) == bytes(undisturbed))
    }

    /// Of references that nothing is cut off: once each was drawn, a step encodes none.
    @Test func aReferenceIsEncodedOnce() throws {
        let run = try training(tinyChameleon())
        let steps = (0..<40).map { _ in
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) { _ = run.advance() }
            return profile.operations
        }
        #expect(steps[0] > steps[39] && Set(steps.suffix(5)).count == 1, "\(steps)")
    }

    /// Vectors of few numbers keep floats.
    @Test func momentsCanBeKeptInEightBits() throws {
        let run = try training(tinyChameleon(depth: 16, width: 256)) {
            ($0.layers, $0.priorPreservation) = (16, false)
            $0.moments = .eightBit
        }
        for _ in 0..<2 { _ = run.advance() }
        #expect(try run.state.hasScales)
    }

    @Test func nothingButTheVectorsChangesAndFrozenWeightsGetNoGradient() throws {
        let model = try tinyChameleon()
        let all = model.transformerWeights.parameters + model.tokenizerWeights.parameters
        let before = all.map { $0.value.copy() }
        let run = training(model)
        let start = bytes(run)
        for _ in 0..<3 { _ = run.advance() }
        for (parameter, old) in zip(all, before) {
            #expect(parameter.value.values == old.values, "\(parameter.name) changed")
            #expect(parameter.node == nil && parameter.gradient == nil, "\(parameter.name) has gradient memory")
        }
        for (name, old) in start { #expect(bytes(run)[name] != old, "\(name) did not learn") }
    }

    @Test func theLossFalls() throws {
        let run = try training(outspoken()) {
            $0.largestZoom = 1
            $0.learningRate = 3e-2
        }
        let first = (0..<8).map { _ in run.advance().concept }.reduce(0, +)
        for _ in 0..<150 { _ = run.advance() }
        #expect((0..<8).map { _ in run.advance().concept }.reduce(0, +) < first * 0.97)
    }

    @Test func eachPartCanBeSwitchedOff() throws {
        let model = try tinyChameleon()
        let full = training(model).advance()
        #expect(
            full.prior > 0 && full.divergence > 0 && full.regularization == 0,
            "the image vectors start at the references' mean")
        let alone = training(model) {
            $0.priorPreservation = false
            $0.selfRegularization = false
        }
        let first = alone.advance()
        #expect(first.prior == 0 && first.divergence == 0 && first.regularization == 0 && first.concept > 0)
        #expect(first.total == first.concept)
        let regularized = training(model)
        _ = regularized.advance()
        #expect(regularized.advance().regularization > 0)
    }

    /// A model whose logits differ from token to token as a trained one's do: between a fresh one's no divergence could
    /// be seen.
    private func outspoken() throws -> ChameleonModel {
        let model = try tinyChameleon()
        for parameter in model.transformerWeights.parameters where parameter.isProjection {
            parameter.value.accumulate(parameter.value.copy(), scale: 12)
        }
        return model
    }

    @Test func theDivergenceFromTheFrozenModelStaysSmallWhereItCounts() throws {
        func last(weight: Float) throws -> Float {
            let run = try training(outspoken()) {
                $0.learningRate = 3e-2
                $0.priorWeight = 0
                $0.divergenceWeight = weight
            }
            for _ in 0..<60 { _ = run.advance() }
            return (0..<8).map { _ in run.advance().divergence }.reduce(0, +) / 8
        }
        let (free, held) = (try last(weight: 0), try last(weight: 20))
        #expect(held < 0.5 * free, "\(held), and where nothing holds it \(free)")
    }

    /// 9 of 32 layers, two vectors of 4096 each: 73,728 of seven billion.
    @Test func theTrainableShareAtLuminaMGPTsSizeIsBelowATwentiethOfAPercent() {
        let model = ChameleonTransformer.Configuration.luminaMGPT7B
        let count = 2 * CoAROptions().layerCount(of: model.depth, role: .subject) * model.width
        #expect(count == 73_728)
        #expect(Double(count) / 7e9 < 0.0005)
        #expect(CoAROptions().layerCount(of: 32, role: .style) == 3)
    }

    /// A tall reference and a wide one side by side: each after its own size, with the vectors in its own places.
    @Test func referencesOfSeveralShapesAreLearntTogether() throws {
        let model = try outspoken()
        let shapes = [ModelDescription.Size(width: 8, height: 32), ModelDescription.Size(width: 32, height: 16)]
        let references = zip(tinyConcept().references, shapes).map { $0.filling(width: $1.width, height: $1.height) }
        let concept = Concept(name: "rex", className: "dog", references: references, shapes: shapes)
        var options = CoAROptions()
        (options.batch, options.layers, options.largestZoom, options.priorPreservation) = (6, 2, 1, false)
        let run = CoARTraining(model: model, concept: concept, options: options, seed: 7)
        let learning = run.learning
        let vectors = ContextVectors(
            text: learning["context.text"]!.variable, image: learning["context.image"]!.variable)
        /// The sum over a reference's tokens, and their number.
        func alone(_ picture: Picture) -> (sum: Float, tokens: Float) {
            let grid = model.configuration.grid(height: picture.height, width: picture.width)
            let prompt = ConceptPrompts(model.drawing(grid), concepts: ["rex": vectors])(options.prompt(of: concept))
            let rows = model.configuration.vocabulary.rows(model.codes([picture])[0], grid)
            let batch = ChameleonBatch([ChameleonSequence(before: prompt.ids, picture: rows)])
            let logits = model.transformer.logits(batch.ids, batch: 1, contexts: prompt.contexts)
            return (batch.loss(logits).scalar * Float(rows.count), Float(rows.count))
        }
        // As the first step picks them: 21 is its purpose.
        var pick = Philox(seed: 7, purpose: 21, index: 0)
        let picked = (0..<options.batch).map { _ in pick.below(2) }
        #expect(Set(picked) == [0, 1])
        let losses = picked.map { alone(references[$0]) }
        let expected: Float = losses.reduce(0) { $0 + $1.sum } / losses.reduce(0) { $0 + $1.tokens }
        #expect(abs(run.advance().concept / expected - 1) < 1e-4)
        #expect(run.advance().total.isFinite)
    }

    @Test func aStyleIsLearnedFromOnePictureWithoutPrior() throws {
        let run = try training(tinyChameleon(), role: .style)
        let options = run.options
        #expect(options.prompt(of: run.concept) == "a photo of a dog in <rex> style")
        #expect(run.advance().prior == 0)
        #expect(adapter(run).description.role == .style)
    }

    @Test func anAdapterOfAFewKilobytesComesBackFromItsFileAndServesGeneration() throws {
        let model = try tinyChameleon()
        let run = training(model)
        for _ in 0..<3 { _ = run.advance() }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-\(UUID().uuidString).safetensors"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try adapter(run).write(path)
        let read = try Adapter(path: path)
        #expect(read.description == adapter(run).description)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect((size ?? .max) < 4096)
        let personalized = try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "d")
        let picture = personalized.generate(["a photo of <rex> dog"], seeds: [1])
        #expect(picture == personalized.generate(["a photo of <rex> dog"], seeds: [1]))
        #expect(picture[0].width == 16 && picture[0].height == 16)
        #expect(throws: AdapterError.self) {
            try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "other")
        }
        let foreign = Adapter(description: read.description, tensors: ["blocks.0.ffn.fc1.weight": Tensor(zeros: [1])])
        #expect(throws: AdapterError.unknownWeight(concept: "rex", name: "blocks.0.ffn.fc1.weight")) {
            try PersonalizedChameleon(model: model, adapters: ["rex": foreign], modelDigest: "d")
        }
    }
}
