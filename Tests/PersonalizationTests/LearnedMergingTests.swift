import Backbones
import ComputeTesting
import Layers
import ModelTesting
import Personalization
import Tensors
import Testing

private func adapter(for weights: Weights, seed: UInt64) throws -> LoRAAdapter {
    let adapter = try LoRAAdapter(
        for: weights, options: .init(rank: 2, alpha: 4, targets: ["q_proj", "v_proj"]), seed: seed)
    for (index, parameter) in adapter.parameters.enumerated() {
        parameter.value.assign(.example(parameter.value.shape, seed: seed * 100 + UInt64(index), scale: 0.5))
    }
    return adapter
}

@Suite(.computing) struct LearnedMergingTests {
    /// KL of the model with both changes from the model with a concept's own, over its first reference.
    private func divergence(
        _ model: ChameleonModel, _ joined: [LoRAAdapter], from own: LoRAAdapter, of concept: Concept
    ) throws -> Float {
        let prompt = concept.photoPrompt(DreamBooth.identifier(of: concept.role))
        let sequence = model.sequence(prompt, codes: model.codes([concept.references[0]])[0])
        func logits(_ adapters: [LoRAAdapter]) throws -> Tensor {
            for one in adapters { try one.merge(into: model.transformerWeights) }
            defer { for one in adapters { try? one.merge(into: model.transformerWeights, share: -1) } }
            return model.transformer.logits(sequence.ids, batch: 1).value
        }
        let teacher = try logits([own])
        let rows = teacher.reshaped([sequence.ids.count, teacher.width]).slice(sequence.asked).copy()
        return CoARLoss.divergence(.init(try logits(joined)), asked: sequence.asked, teacher: rows).scalar
    }

    @Test func learntFactorsKeepBothConceptsBetterThanASum() throws {
        let model = try tinyChameleon()
        let concepts = [tinyConcept(), tinyConcept("ink", role: .style)]
        let adapters = try [1, 2].map { try adapter(for: model.transformerWeights, seed: $0) }
        let before = model.transformerWeights.parameters.map(\.value.values)
        let learnt = Array(zip(concepts, adapters))
        let merged = try LearnedMerging(learnt).merge(on: model)
        #expect(model.transformerWeights.parameters.map(\.value.values) == before)
        #expect(model.transformerWeights.parameters.allSatisfy { $0.updates.isEmpty && !$0.isTrainable })
        func bits(_ adapters: [LoRAAdapter]) -> [[UInt32]] {
            adapters.flatMap(\.parameters).map { $0.value.values.map(\.bitPattern) }
        }
        let again = bits(try LearnedMerging(learnt).merge(on: model))
        #expect(again == bits(merged))
        func total(_ joined: [LoRAAdapter]) throws -> Float {
            try learnt.reduce(0) { try $0 + divergence(model, joined, from: $1.1, of: $1.0) }
        }
        let (sum, factored) = (try total(adapters), try total(merged))
        #expect(factored < 0.7 * sum, "\(factored) beside \(sum)")
    }

    @Test func columnsThatBothUseCost() throws {
        let model = try tinyChameleon()
        let learnt = try [(tinyConcept(), 1), (tinyConcept("ink", role: .style), 2)].map {
            ($0, try adapter(for: model.transformerWeights, seed: $1))
        }
        /// Σ over columns of |A₁'s| · |A₂'s|: what both use.
        func common(_ weight: Float) throws -> Float {
            var options = LearnedMerging.Options()
            options.similarityWeight = weight
            let merged = try LearnedMerging(learnt, options: options).merge(on: model)
            return merged[0].updates.keys.reduce(0) { sum, module in
                let (a, b) = (merged[0].updates[module]!.down.value, merged[1].updates[module]!.down.value)
                return zip(a.values, b.values).reduce(sum) { $0 + abs($1.0 * $1.1) }
            }
        }
        let (free, costly) = (try common(0), try common(100))
        #expect(costly < 0.5 * free, "\(costly) beside \(free)")
    }

    @Test func factorsActAlikeOnTheWayAndInTheWeights() {
        let columns = Parameter(name: "m", value: .example([1, 5], seed: 3))
        let update = LowRankUpdate(
            down: Parameter(name: "a", value: .example([2, 5], seed: 1)),
            up: Parameter(name: "b", value: .example([4, 2], seed: 2)), scale: 0.5, columns: columns)
        let weight = Parameter(name: "w", value: Tensor(zeros: [4, 5]), isProjection: true)
        let x = Tensor.example([3, 5], seed: 4)
        weight.update = update
        let hung = weight.project(.init(x)).value.values
        weight.update = nil
        weight.value.accumulate(update.matrix, scale: 1)
        let added = weight.project(.init(x)).value.values
        #expect(zip(hung, added).allSatisfy { abs($0 - $1) < 1e-5 } && hung.contains { abs($0) > 1e-3 })
        #expect(update.folded.columns == nil && update.folded.matrix.values == update.matrix.values)
    }

    @Test func blocksAreKeptByTheirNumber() throws {
        let model = try tinyChameleon()
        let (weights, depth) = (model.transformerWeights, model.configuration.transformer.depth)
        let whole = try adapter(for: weights, seed: 1)
        let second = whole.keeping { $0 == 1 }
        #expect(second.updates.keys.sorted() == ["q_proj", "v_proj"].map { "model.layers.1.self_attn.\($0)" })
        #expect(whole.keeping { _ in false }.updates.isEmpty && whole.keeping { _ in true }.updates.count == 2 * depth)
    }
}
