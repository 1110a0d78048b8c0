import Backbones
import Catalogue
import Checkpoints
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

    /// Installs what was written, by links and by conversion, and draws a picture with it.
    /// - Parameter files: where weights are to lie, in which container and type.
    private func picture(
        _ family: ModelFamily, pixels: String? = nil, side: Int? = nil,
        _ files: [(String, Checkpoint.Report.Container, ElementType)], write: (StandInFolder) throws -> Void
    ) throws -> Picture {
        let folder = NSTemporaryDirectory() + "stand-in-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write(StandInFolder("\(folder)/release"))
        for (file, container, type) in files {
            let checkpoint = try Checkpoint.open("\(folder)/release/\(file)")
            let types = try Set(checkpoint.names.map { try checkpoint.tensor($0).type })
            #expect(checkpoint.report.container == container && types == [type], "\(file)")
        }
        var wishes = ReleaseWishes()
        (wishes.pixels, wishes.side) = (pixels, side)
        let models = ModelInstallation(directory: "\(folder)/models")
        let converted = try models.add(
            release: ["\(folder)/release"], name: "converted", wishes: wishes, precision: .bf16)
        #expect(converted.model.verify() == [])
        let added = try models.add(release: ["\(folder)/release"], name: "stand-in", wishes: wishes, links: true)
        #expect(added.model.description?.family == family && added.model.verify() == [])
        let loaded = try LoadedModel(directory: added.model.folder)
        return try #require(ConceptPainter(loaded, adapters: [:]).paint(["a red cat"], [1]).first)
    }

    @Test func infinity() throws {
        let drawn = try picture(
            .infinity, pixels: "0.06M",
            [
                ("infinity_2b_reg.pth", .torchArchive, .float32), ("infinity_vae_d32reg.pth", .torchArchive, .float32),
                ("flan-t5-xl/model.safetensors.index.json", .safetensors, .float32),
            ], write: Self.infinity.write(to:))
        #expect(drawn.width == 256 && drawn.height == 256)
    }

    private static var infinity: InfinityStandIn {
        InfinityStandIn(
            transformer: InfinityTransformer.Configuration(
                width: 64, depth: 2, heads: 2, textWidth: 32, textLength: 8, bits: 8, blockChunks: 2,
                schedule: .square([1, 2])),
            transformerFile: "infinity_2b_reg.pth",
            tokenizer: BitwiseTokenizer.Configuration(
                baseChannels: 32, encoderMultipliers: [1, 1, 1, 1, 1], decoderMultipliers: [1, 1, 1, 1, 1],
                residualBlocks: 1, bits: 8, patchSize: 16),
            tokenizerFile: "infinity_vae_d32reg.pth", text: text)
    }

    @Test func allIsInBFloat16WhereThatIsWanted() throws {
        let folder = NSTemporaryDirectory() + "stand-in-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.infinity.write(to: StandInFolder(folder, .bf16))
        for file in ["infinity_2b_reg.pth", "infinity_vae_d32reg.pth", "flan-t5-xl"] {
            let checkpoint = try Checkpoint.open("\(folder)/\(file)")
            let types = try Set(checkpoint.names.map { try checkpoint.tensor($0).type })
            #expect(types == [.bfloat16], "\(file)")
        }
    }

    /// - Parameter keyHeads: heads of keys and values for two of queries; the shapes tell them.
    @Test(arguments: [2, 1]) func llamaGen(keyHeads: Int) throws {
        let drawn = try picture(
            .llamagen, side: 64,
            [("t2i_XL_stage1_256.pt", .torchArchive, .float32), ("vq_ds16_t2i.pt", .torchArchive, .float32)]
        ) {
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
        let drawn = try picture(
            .chameleon, side: 64,
            [
                ("model.safetensors.index.json", .safetensors, .bfloat16),
                ("tokenizer/vqgan.ckpt", .torchArchive, .float32),
            ]
        ) {
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
        let drawn = try picture(
            .diffusion, side: 64,
            [
                ("unet/diffusion_pytorch_model.fp16.safetensors", .safetensors, .float16),
                ("vae/diffusion_pytorch_model.fp16.safetensors", .safetensors, .float16),
                ("text_encoder_2/model.fp16.safetensors", .safetensors, .float16),
            ]
        ) {
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
