import Autograd
import Backbones
import ComputeTesting
import Layers
import Personalization
import Tensors
import Testing

private enum Network: CaseIterable { case unet, mmdit, flux }

/// Diffusion networks whose blocks are computed once more on the way back learn by the same gradients.
@Suite(.computing) struct DiffusionRecomputationTests {
    /// What a network far too small to paint predicts of two samples.
    private func predicting(_ network: Network, _ weights: Weights) -> () -> Variable {
        let (text, pooled) = (Variable(.example([2, 3, 12])), Variable(.example([2, 10], seed: 2)))
        switch network {
        case .unet:
            let unet = UNet(
                .init(
                    channels: [8, 16], blocksPerLevel: 1, attendsDown: [true, true], attendsUp: [true, true],
                    heads: [1, 2], transformerDepths: [1, 2], groups: 4, textWidth: 12, additionWidth: nil), weights)
            return { unet(Variable(.example([2, 4, 6, 6], seed: 3)), timesteps: [10, 700], text: text) }
        case .mmdit:
            let mmdit = MMDiT(
                .init(
                    latentChannels: 4, depth: 3, heads: 2, headWidth: 8, textWidth: 12, pooledWidth: 10,
                    positionSide: 2, normsHeads: true, dualBlocks: [0, 1]), weights)
            return {
                mmdit(Variable(.example([2, 4, 4, 4], seed: 3)), text: text, pooled: pooled, timesteps: [10, 700])
            }
        case .flux:
            let flux = FluxTransformer(
                .init(
                    patchChannels: 16, depth: 2, singleDepth: 2, heads: 2, headWidth: 8, textWidth: 12,
                    pooledWidth: 10, isGuided: true, rotaryChannels: [2, 2, 4]), weights)
            return {
                flux(
                    Variable(.example([2, 4, 16], seed: 3)), text: text, pooled: pooled, sigmas: [0.1, 0.7],
                    guidance: [1, 1], places: FluxTransformer.places(text: 3, rows: 2, columns: 2))
            }
        }
    }

    /// Low-rank changes of the attention, none of whose numbers is zero.
    private func changes(of weights: Weights) throws -> [Parameter] {
        let lora = try LoRAAdapter(
            for: weights, options: .init(rank: 2, alpha: 4, targets: ["to_q", "to_k", "to_v", "to_out.0"]), seed: 1)
        try lora.attach(to: weights)
        for (index, parameter) in lora.parameters.enumerated() {
            parameter.value.assign(.example(parameter.shape, seed: UInt64(index), scale: 0.3))
            parameter.isTrainable = true
        }
        return lora.parameters
    }

    @Test(arguments: Network.allCases)
    private func gradientsAreThoseOfWhatWasKept(network: Network) throws {
        let weights = Weights(.fresh(seed: 1))
        let predicted = predicting(network, weights)
        // What starts at zero would say nothing of what stands before it.
        for (index, weight) in weights.parameters.enumerated()
        where weight.isProjection && weight.value.sumOfSquares == 0 {
            weight.value.assign(.example(weight.shape, seed: UInt64(index), scale: 0.2))
        }
        let learning = try changes(of: weights)
        func gradients(most: Int) -> (values: [[Float]], isRepeated: Bool) {
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) {
                BlockRecomputation.$most.withValue(most) {
                    let output = predicted()
                    SquaredError().apply([output, Variable(.example(output.shape, seed: 4))]).backward()
                }
            }
            defer { for parameter in learning { parameter.clearGradient() } }
            return (learning.map { $0.gradient?.values ?? [] }, profile.costs["recomputed"] != nil)
        }
        let (kept, recomputed) = (gradients(most: .max), gradients(most: 0))
        #expect(!kept.isRepeated && recomputed.isRepeated)
        #expect(kept.values == recomputed.values)
        #expect(kept.values.allSatisfy { $0.contains { $0 != 0 } })
    }
}
