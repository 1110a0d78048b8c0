import Autograd
import ComputeTesting
import Foundation
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Backbones

private let uneven = #"""
    "transformer_layers_per_block":[1,[2,1]],"reverse_transformer_layers_per_block":[[1,2,1],1]
    """#
private let plainMiddle = #"""
    "mid_block_type":"UNetMidBlock2D","transformer_layers_per_block":[1,2],
    "reverse_transformer_layers_per_block":[3,1]
    """#
private let noMiddle = #""mid_block_type":null"#

/// Networks that were distilled from SDXL's leave out blocks of transformers here and there, and some of the middle.
@Suite(.computing) struct UNetTests {
    private func settings(_ more: String) throws -> UNet.Configuration {
        let json = """
            {"in_channels":2,"out_channels":2,"block_out_channels":[4,8],"layers_per_block":2,
            "down_block_types":["DownBlock2D","CrossAttnDownBlock2D"],
            "up_block_types":["CrossAttnUpBlock2D","UpBlock2D"],"attention_head_dim":[1,2],"norm_num_groups":2,
            "cross_attention_dim":3,"use_linear_projection":true,\(more)}
            """
        return try JSONDecoder().decode(UNet.Configuration.self, from: Data(json.utf8))
    }

    /// Numbers of diffusers' UNet2DConditionModel: what it predicts, and the gradient of half the squares of all of it.
    @Test(
        arguments: [
            (
                uneven, 364, [0.3702435, 0.3153074, 0.4664900, 0.6366571],
                [-0.0007401, -0.0008509, 0.0007496, 0.0007402]
            ),
            (
                plainMiddle, 428, [0.7640722, 1.0572988, 0.2156895, 1.0986669],
                [-0.0175288, -0.0193523, 0.0195076, 0.0146641]
            ),
            (
                noMiddle, 258, [0.6893703, 0.7812895, 0.3476324, 0.9885981],
                [0.0012782, 0.0013969, -0.0017334, 0.0001146]
            ),
        ] as [(String, Int, [Float], [Float])])
    func whatDistilledNetworksLeaveOutIsLeftOut(
        more: String, count: Int, predicted: [Float], gradient: [Float]
    ) throws {
        let configuration = try settings(more)
        #expect(configuration.unfit == [])
        let weights = waveWeights { _ = UNet(configuration, $0) }
        let unet = UNet(configuration, weights)
        try weights.verify()
        #expect(weights.parameters.count == count)
        let learning = "up_blocks.0.attentions.1.transformer_blocks.0.attn2.to_v.weight"
        weights.train { $0 == learning }
        let output = unet(
            Variable(wave([1, 2, 4, 4])), timesteps: [500], text: Variable(wave([1, 3, 3], phase: 1)))
        #expect(largestDifference(Array(output.value.values.prefix(4)), predicted) < 1e-4, "\(output.value.values)")
        output.backward(seed: output.value)
        let found = try #require(weights.byName[learning]?.gradient).values
        #expect(largestDifference(Array(found.prefix(4)), gradient) < 1e-5, "\(found)")
    }

    @Test func whatIsReadIsWrittenAlike() throws {
        for more in [uneven, plainMiddle, noMiddle, #""transformer_layers_per_block":2"#] {
            let read = try settings(more)
            let again = try JSONDecoder().decode(UNet.Configuration.self, from: JSONEncoder().encode(read))
            #expect(again == read, "\(more)")
        }
        #expect(throws: DecodingError.self) { try settings(#""mid_block_type":"UNetMidBlock2DSimpleCrossAttn""#) }
    }

    @Test func blocksAreCountedWhereTheyAre() throws {
        #expect(try settings(uneven).transformerBlocks(of: 1) == 2 + 1 + 2 + 1 + 2 + 1)
        #expect(try settings(plainMiddle).transformerBlocks(of: 1) == 2 * 2 + 3 * 3)
        #expect(try settings(plainMiddle).residualBlocks(of: 1) == 2 + 1 + 3)
        #expect(try settings(noMiddle).transformerBlocks(of: 1) == 2 + 3)
        #expect(try settings(noMiddle).residualBlocks(of: 1) == 2 + 3)
    }
}
