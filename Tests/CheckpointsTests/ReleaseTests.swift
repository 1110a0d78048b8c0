import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Testing

private let releases = sharedFolder("releases")

/// The released models' own files, each container beside another of the same tensors or the reference's record.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleaseTests {
    private func open(_ path: String, section: String? = nil) throws -> Checkpoint {
        try Checkpoint.open("\(releases!)/\(path)", section: section)
    }

    private func bits(_ checkpoint: Checkpoint, _ name: String) throws -> [UInt32] {
        try checkpoint.tensor(name).floats().map(\.bitPattern)
    }

    /// That every tensor of `one` is in `other`, bit for bit.
    private func expect(_ one: Checkpoint, isIn other: Checkpoint, as renamed: (String) -> String = { $0 }) throws {
        #expect(one.names.count > 4)
        for name in one.names {
            let same = try one.shape(of: name) == other.shape(of: renamed(name))
            #expect(try same && bits(one, name) == bits(other, renamed(name)), "\(one.path): \(name)")
        }
    }

    @Test func everyFileOfWeightsIsRead() throws {
        let endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".index.json"]
        let files = try #require(FileManager.default.enumerator(atPath: releases!)).compactMap { $0 as? String }
            .filter { path in endings.contains { path.hasSuffix($0) } }.sorted()
        #expect(files.count > 60)
        for path in files {
            let checkpoint = try open(path)
            #expect(!checkpoint.names.isEmpty && checkpoint.report.tensors == checkpoint.names.count, "\(path)")
            for name in checkpoint.names { _ = try checkpoint.tensor(name).floats() }
        }
    }

    @Test func infinitysContainersHoldTheSame() throws {
        let base = try open("infinity-2b/infinity_2b_reg.pth")
        #expect(base.report.container == .torchArchive && base.report.section == nil && base.names.count == 106)
        #expect(try base.shape(of: "cfg_uncond") == [512, 128] && base.shape(of: "word_embed.weight") == [40, 32])

        let training = "infinity-2b-finetunes/ar-ckpt-giter000K-ep3-iter120-last.pth"
        let average = try open(training)
        #expect(average.report.section == "trainer.gpt_ema_fsdp")
        #expect(average.report.otherSections.contains("trainer.gpt_fsdp"))
        #expect(average.report.foreignClasses.contains("infinity.utils.arg_util.Args"))
        let recorded = try open("infinity-2b-finetunes/expected.safetensors")
        for name in ["head.weight", "pos_start"] {
            #expect(try bits(average, name) == bits(recorded, "ema.\(name)"), "\(name)")
        }
        let weights = try open(training, section: "trainer.gpt_fsdp")
        try expect(base, isIn: weights)
        #expect(Set(weights.names).subtracting(base.names) == ["lvl_1L", "attn_bias_for_masking"])
        #expect(try weights.tensor("attn_bias_for_masking").floats().contains(-.infinity))

        let slim = try open("infinity-2b-finetunes/slim-giter000K-ep3-iter120-last.pth")
        #expect(slim.names.count == 42 && !slim.contains("cfg_uncond"))
        try expect(slim, isIn: base)
    }

    @Test func anARBoothFileAddsItsRows() throws {
        let tuned = try open("infinity-2b-finetunes/txt_emb-giter000K-ep1-iter500-last.pth")
        #expect(tuned.report.section == "model" && tuned.names.count == 107)
        let recorded = try open("infinity-2b-finetunes/expected.safetensors")
        #expect(try bits(tuned, "special_token") == bits(recorded, "special_token"))
        #expect(try tuned.shape(of: "special_token") == [4, 128])
    }

    @Test func aLegacyAutoencoderEqualsTheArchive() throws {
        let archive = try open("infinity-2b/infinity_vae_d32reg.pth")
        let legacy = try open("infinity-2b-finetunes/infinity_vae_d32reg.pth")
        #expect(archive.report.section == "vae" && legacy.report.section == "vae")
        #expect(legacy.report.container == .legacyTorch && archive.names.count == legacy.names.count)
        // The keys come with and without the infix.
        try expect(archive, isIn: legacy) { $0.replacing(#/\.(conv|norm)\.(weight|bias)$/#) { ".\($0.output.2)" } }
    }

    @Test(arguments: [
        ("clip-vit-base-patch32/safetensors", "clip-vit-base-patch32/bin"),
        ("dino-vits16/dino-vits16/model.safetensors", "dino-vits16/dino-vits16/pytorch_model.bin"),
        ("adapters-lumina/peft", "adapters-lumina/peft-bin"),
    ])
    func torchAndSafetensorsHoldTheSame(one: String, other: String) throws { try expect(open(one), isIn: open(other)) }

    @Test func shardsAreOneCheckpoint() throws {
        let encoder = try open("infinity-2b/flan-t5-xl")
        #expect(
            encoder.report.files == 2 && encoder.report.container == .safetensors && encoder.contains("shared.weight"))
        let torch = try open("llamagen-t2i-xl/t5-ckpt/flan-t5-xl")
        #expect(torch.report.files == 2 && torch.report.container == .torchArchive)
        // One storage backs both.
        #expect(try bits(torch, "shared.weight") == bits(torch, "encoder.embed_tokens.weight"))
        #expect(try open("flux1-dev/transformer").report.files == 3)
        #expect(try open("lumina-mgpt-7b-768").tensor("lm_head.weight").type == .bfloat16)
    }

    @Test func foreignObjectsDoNotHideTheTensors() throws {
        let picture = try open("lumina-mgpt-7b-768/tokenizer/vqgan.ckpt")
        #expect(picture.report.section == "state_dict" && picture.contains("decoder.conv_in.weight"))
        #expect(picture.report.foreignClasses.contains("omegaconf.dictconfig.DictConfig"))
        let codes = try open("llamagen-t2i-xl/vq_ds16_t2i.pt")
        #expect(try codes.report.section == "model" && codes.shape(of: "quantize.codebook_used") == [65536])
        let heads = try open("lpips/alex.pth")
        #expect(try heads.report.container == .legacyTorch && heads.shape(of: "lin0.model.1.weight") == [1, 8, 1, 1])
    }

    @Test func halfPrecisionIsTheRoundedOther() throws {
        let single = try open("sdxl/unet/diffusion_pytorch_model.safetensors")
        let half = try open("sdxl/unet/diffusion_pytorch_model.fp16.safetensors")
        #expect(try open("sdxl/unet").report == single.report && half.names == single.names)
        for name in half.names {
            let rounded = try single.tensor(name).floats().map { Float(Float16($0)) }
            #expect(try half.tensor(name).floats() == rounded, "\(name)")
        }
        #expect(try half.tensor(half.names[0]).type == .float16)
    }
}
