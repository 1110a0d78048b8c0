import Autograd
import ComputeTesting
import Tensors
import Testing

@Suite(.computing) struct CheapOutputTests {
    /// Layers as networks have them, each with a cheap output that what follows keeps.
    private static let chains: [(name: String, shapes: [[Int]], body: @Sendable ([Variable]) -> Variable)] = [
        (
            "a feed-forward", [[2, 3, 4], [4], [6, 4], [4, 6]],
            { Linear().apply([GELU().apply([Linear().apply([RMSNorm().apply([$0[0], $0[1]]), $0[2]])]), $0[3]]) }
        ),
        (
            "a gated feed-forward", [[2, 3, 4], [6, 4], [6, 4], [4, 6]],
            {
                let h = LayerNorm().apply([$0[0]])
                let gate = SiLU().apply([Linear().apply([h, $0[1]])])
                return Linear().apply([Multiply().apply([gate, Linear().apply([h, $0[2]])]), $0[3]])
            }
        ),
        (
            "attention of normalized heads", [[2, 3, 4], [2, 2], [2, 2], [12, 4], [1, 12], [2]],
            {
                let heads = Reshape([12, 2]).apply([$0[0]])
                let normed = Reshape([2, 3, 4]).apply([LayerNorm(rowsPerGroup: 1).apply([heads, $0[1], $0[2]])])
                let packed = MultiplyRows(rowsPerGroup: 6).apply([Linear().apply([normed, $0[3]]), $0[4]])
                let prepared = Heads(heads: 2, sections: 3, normalize: true, rotary: nil).apply([packed, $0[5]])
                return Attention(heads: 2, layout: .packed, logitScale: 1).apply([prepared])
            }
        ),
        (
            "a convolution", [[2, 4, 3, 3], [4], [4], [2, 4, 3, 3]],
            {
                let normed = GroupNorm(groups: 2, swish: true).apply([$0[0], $0[1], $0[2]])
                return Convolution(padding: .around(1)).apply([normed, $0[3]])
            }
        ),
    ]

    private func gradients(_ chain: Int, least: Int) -> [[Float]] {
        let (_, shapes, body) = Self.chains[chain]
        return CheapOutputs.$least.withValue(least) {
            let inputs = shapes.indices.map { Variable(.example(shapes[$0], seed: UInt64($0 + 1)), node: Node()) }
            let y = body(inputs)
            y.backward(seed: .example(y.shape, seed: 9))
            return inputs.map { $0.node!.gradient!.values }
        }
    }

    @Test(arguments: chains.indices)
    func gradientsAreThoseOfWhatWasKept(chain: Int) {
        #expect(gradients(chain, least: 1) == gradients(chain, least: .max), "\(Self.chains[chain].name)")
    }

    /// Whether the memory of what lies between two products is there before the way back.
    private func isKept(least: Int) -> Bool {
        CheapOutputs.$least.withValue(least) {
            let x = Variable(.example([2, 3]), node: Node())
            weak var between: Storage?
            func product(_ x: Variable) -> Variable {
                let activated = GELU().apply([x])
                between = activated.value.storage
                return Linear().apply([activated, Variable(.example([4, 3], seed: 2), node: Node())])
            }
            return withExtendedLifetime(product(x)) { between != nil }
        }
    }

    @Test func theirMemoryIsGivenBack() {
        #expect(!isKept(least: 1))
        #expect(isKept(least: 7), "it has six numbers")
    }

    /// One who needs it again has it computed, and the others find it there.
    @Test func theyAreComputedOnceForAllWhoKeepThem() {
        var computed = 0
        func kept() -> [KeptTensor] {
            let tensor = Tensor([1, 2], shape: [2])
            tensor.canBeComputed {
                computed += 1
                return Tensor([1, 2], shape: [2])
            }
            let kept = [KeptTensor(tensor), KeptTensor(tensor.reshaped([1, 2]))]
            #expect(kept[0].tensor.pointer == tensor.pointer && computed == 0, "it is still there")
            return kept
        }
        let keepers = kept()
        #expect(keepers.map { $0.tensor.values } == [[1, 2], [1, 2]] && keepers[1].tensor.shape == [1, 2])
        #expect(keepers[0].tensor.pointer == keepers[1].tensor.pointer && computed == 1)
    }
}
