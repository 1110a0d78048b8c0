import Backbones

/// Runs fixtures of reference implementations and tiny releases: the proof that our models compute what the published
/// ones compute.
package enum Conformance {
    /// Compares everything the case recorded.
    /// - Throws: `ConformanceError` for a folder that is no case, or one of an architecture that is not built.
    package static func run(_ folder: String) throws -> ConformanceReport {
        if let release = try ReleaseCase(folder: folder) { return try ReleaseConformance.run(release) }
        let fixture = try ConformanceCase(folder: folder)
        var report = try report(of: fixture)
        report.noteUnread(fixture.unread)
        return report
    }

    private static func report(of fixture: ConformanceCase) throws -> ConformanceReport {
        let keys = fixture.configuration
        if keys["lambda_kl"] != nil, keys["early_scales"] != nil { return try AdamWConformance(fixture).report() }
        if keys["codebook_dim"] != nil, keys["encoder_ch_mult"] != nil {
            return try BitwiseTokenizerConformance(fixture).report()
        }
        if keys["d_vae"] != nil, keys["rope2d_normalized_by_hw"] != nil {
            return try InfinityConformance(fixture).report()
        }
        if keys["relative_attention_num_buckets"] != nil { return try T5Conformance(fixture).report() }
        if keys["swin_norm"] != nil, keys["hidden_size"] != nil { return try ChameleonConformance(fixture).report() }
        if keys["ddconfig"] != nil, keys["n_embed"] != nil {
            return try ChameleonTokenizerConformance(fixture).report()
        }
        if keys["lora_alpha"] != nil, keys["r"] != nil { return try LoRAConformance(fixture).report() }
        if keys["text_config"] != nil, keys["vision_config"] != nil { return try CLIPConformance(fixture).report() }
        if keys["qkv_bias"] != nil, keys["patch_size"] != nil { return try DINOConformance(fixture).report() }
        if keys["net"] as? String == "alex" { return try LPIPSConformance(fixture).report() }
        if let report = try generatorReport(fixture) { return report }
        throw ConformanceError(
            folder: fixture.folder,
            problem:
                """
                its architecture is not one of Infinity's tokenizer or transformer, T5's encoder, the AdamW \
                trajectory, Chameleon's transformer or tokenizer, LoRA on Chameleon, CLIP, DINO's vision transformer, \
                LPIPS with AlexNet, LlamaGen's transformer or tokenizer, a KL autoencoder, the samplers, SD3's or \
                FLUX's transformer, or SDXL's U-Net
                """
        )
    }
}

extension ConformanceCase {
    /// The scales of a case, [[1, h, w], …].
    func schedule() throws -> ScaleSchedule {
        let sides: [[Int]] = try value("scale_schedule")
        return ScaleSchedule(sides.map { ScaleSchedule.Side(height: $0[1], width: $0[2]) })
    }
}
