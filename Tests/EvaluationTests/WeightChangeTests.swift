import ComputeTesting
import Tensors
import Testing

@testable import Evaluation

@Suite(.computing) struct WeightChangeTests {
    @Test func changesAreRelativeAndSortedByBlockAndKind() {
        let before = [
            "blocks.0.ffn.fc1.weight": Tensor([1, -2], shape: [1, 2]),
            "blocks.0.ffn.fc1.bias": Tensor([4, 4], shape: [2]),
            "blocks.0.ca.mat_q.weight": Tensor([2, 2], shape: [1, 2]),
            "blocks.0.ca_norm.weight": Tensor([2], shape: [1]),
            "blocks.10.sa.proj.weight": Tensor([3], shape: [1, 1]), "blocks.2.ada_gss": Tensor([3], shape: [1]),
            "word_embed.weight": Tensor([1], shape: [1, 1]),
        ]
        var after = before
        after["blocks.0.ffn.fc1.weight"] = Tensor([1.5, -3], shape: [1, 2])  // half of each
        after["blocks.0.ca_norm.weight"] = Tensor([2.5], shape: [1])
        after["word_embed.weight"] = Tensor([9], shape: [1, 1])
        let layers = WeightChange(before: before, after: after, epsilon: 0).layers
        #expect(layers.map(\.block) == [0, 0, 2, 10])
        #expect(layers.map(\.kind) == [.crossAttention, .feedForward, .modulation, .selfAttention])
        #expect(abs(layers[1].mean - 0.25) < 1e-7, "two of four numbers changed by half")
        #expect(abs(layers[0].mean - 0.25 / 3) < 1e-7)
        #expect(abs(layers[1].norm - (1.25 / 37.0).squareRoot()) < 1e-7)
        #expect(layers[2].mean == 0 && layers[3].norm == 0)
    }

    /// As released models name them.
    @Test func blocksInGroupsAreCountedThrough() {
        let names = [(0, 0), (0, 1), (1, 0), (1, 1)].map { "block_chunks.\($0).module.\($1).ca.mat_q.weight" }
        let before = Dictionary(uniqueKeysWithValues: names.map { ($0, Tensor([2], shape: [1, 1])) })
        let layers = WeightChange(before: before, after: before).layers
        #expect(layers.map(\.block) == [0, 1, 2, 3] && layers.allSatisfy { $0.kind == .crossAttention })
    }

    @Test func aNumberThatWasZeroDoesNotCountForEverything() {
        let change = WeightChange(
            before: ["blocks.0.ffn.x": Tensor([0], shape: [1])], after: ["blocks.0.ffn.x": Tensor([0.001], shape: [1])])
        #expect(abs(change.layers[0].mean - 1) < 1e-6)
    }
}
