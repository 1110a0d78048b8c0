import Backbones
import Catalogue
import Foundation
import Images
import Jobs
import Testing

@testable import Engine
@testable import Lab

/// Stand-ins are taken for what they stand for, and draw; here each at a size that takes no time.
@Suite struct StandInTests {
    private static let text = T5Encoder.Configuration(
        vocabularySize: 400, width: 32, headWidth: 8, feedForwardWidth: 40, layers: 2, heads: 4)

    /// Installs what was written, and draws a picture with it.
    private func picture(
        _ family: ModelFamily, pixels: String? = nil, side: Int? = nil, write: (String) throws -> Void
    ) throws -> Picture {
        let folder = NSTemporaryDirectory() + "stand-in-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write("\(folder)/release")
        var wishes = ReleaseWishes()
        (wishes.pixels, wishes.side) = (pixels, side)
        let added = try ModelInstallation(directory: "\(folder)/models").add(
            release: ["\(folder)/release"], name: "stand-in", wishes: wishes, links: true)
        #expect(added.model.description?.family == family && added.model.verify() == [])
        let loaded = try LoadedModel(directory: added.model.folder)
        return try #require(ConceptPainter(loaded, adapters: [:]).paint(["a red cat"], [1]).first)
    }

    @Test func infinity() throws {
        let drawn = try picture(.infinity, pixels: "0.06M") {
            try InfinityStandIn(
                transformer: InfinityTransformer.Configuration(
                    width: 64, depth: 2, heads: 2, textWidth: 32, textLength: 8, bits: 8, blockChunks: 2,
                    schedule: .square([1, 2])),
                transformerFile: "infinity_2b_reg.safetensors",
                tokenizer: BitwiseTokenizer.Configuration(
                    baseChannels: 32, encoderMultipliers: [1, 1, 1, 1, 1], decoderMultipliers: [1, 1, 1, 1, 1],
                    residualBlocks: 1, bits: 8, patchSize: 16),
                tokenizerFile: "infinity_vae_d32reg.safetensors", text: Self.text
            ).write(to: $0)
        }
        #expect(drawn.width == 256 && drawn.height == 256)
    }

    /// - Parameter keyHeads: heads of keys and values for two of queries; the shapes tell them.
    @Test(arguments: [2, 1]) func llamaGen(keyHeads: Int) throws {
        let drawn = try picture(.llamagen, side: 64) {
            try LlamaGenStandIn(
                transformer: LlamaGenTransformer.Configuration(
                    width: 128, depth: 2, heads: 2, keyHeads: keyHeads, codes: 32, captionLength: 12,
                    captionWidth: 32, side: 4),
                tokenizer: LlamaGenTokenizer.Configuration(
                    baseChannels: 32, multipliers: [1, 1, 1, 1, 1], residualBlocks: 1, latentChannels: 32, codes: 32,
                    codeWidth: 8),
                text: Self.text
            ).write(to: $0)
        }
        #expect(drawn.width == 64 && drawn.height == 64)
    }

    @Test(arguments: [false, true]) func lumina(tiesEmbeddings: Bool) throws {
        var transformer = ChameleonTransformer.Configuration(
            vocabularySize: 9216, width: 32, feedForwardWidth: 40, depth: 2, heads: 2, longestSequence: 512)
        transformer.tiesEmbeddings = tiesEmbeddings
        let drawn = try picture(.chameleon, side: 64) {
            try LuminaStandIn(
                transformer: transformer,
                tokenizer: ChameleonTokenizer.Configuration(
                    baseChannels: 32, multipliers: [1, 1, 1, 1, 1], residualBlocks: 1, latentChannels: 32,
                    codes: 8192, codeWidth: 8)
            ).write(to: $0)
        }
        #expect(drawn.width == 64 && drawn.height == 64)
    }

    @Test func sdxl() throws {
        func tower(_ width: Int) -> CLIPModel.Text {
            CLIPModel.Text(
                width: width, feedForwardWidth: 2 * width, layers: 2, heads: 2, vocabularySize: 1000, length: 77,
                endID: 2)
        }
        let drawn = try picture(.diffusion, side: 64) {
            try SDXLStandIn(
                network: UNet.Configuration(
                    channels: [32, 32, 32], blocksPerLevel: 1, attendsDown: [false, true, true],
                    attendsUp: [true, true, false], heads: [1, 2, 2], transformerDepths: [1, 1, 1], textWidth: 40,
                    additionWidth: 24 + 6 * 8, sizeWidth: 8),
                autoencoder: AutoencoderKL.Configuration(
                    channels: [32, 32, 32, 32], blocksPerLevel: 1, latentChannels: 4, scale: 0.13025),
                towers: [tower(16), tower(24)]
            ).write(to: $0)
        }
        #expect(drawn.width == 64 && drawn.height == 64)
    }
}
