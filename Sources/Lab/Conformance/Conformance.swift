import Backbones
import Layers
import Tensors

/// Runs fixtures of reference implementations and tiny releases: the proof that our models compute what the published
/// ones compute.
package enum Conformance {
    /// Compares everything the case recorded.
    /// - Throws: `ConformanceError` for a folder that is no case, or one of an architecture that is not built.
    package static func run(_ folder: String) throws -> ConformanceReport {
        if let release = try ReleaseCase(folder: folder) { return try ReleaseConformance.run(release) }
        let fixture = try ConformanceCase(folder: folder)
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
            folder: folder,
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

/// Infinity's BSQ-VAE.
struct BitwiseTokenizerConformance {
    private let fixture: ConformanceCase
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) { self.fixture = fixture }

    func report() throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let schedule = try fixture.schedule()
        let bits = try fixture.integer("codebook_dim")
        let tokenizer = BitwiseTokenizer(
            BitwiseTokenizer.Configuration(
                baseChannels: try fixture.integer("base_ch"),
                encoderMultipliers: try fixture.integers("encoder_ch_mult"),
                decoderMultipliers: try fixture.integers("decoder_ch_mult"),
                residualBlocks: try fixture.integer("num_res_blocks"),
                bits: bits, patchSize: try fixture.integer("patch_size")), weights)
        try weights.verify()
        var report = ConformanceReport()
        let quantizer = BitwiseQuantizer(schedule: schedule, depth: bits)
        let features = tokenizer.features(.init(try fixture.tensor("image"))).value
        report.compare("h", features, try fixture.tensor("h"), tolerance: tolerance)
        let maps = try quantized(quantizer, try fixture.tensor("h"), &report)
        report.compare("z", maps.sum, try fixture.tensor("z"), tolerance: tolerance)
        report.compare(
            "image_from_z", clamped(tokenizer, maps.sum), try fixture.tensor("image_from_z"), tolerance: tolerance)
        report.compare("x_BLC_wo_prefix", maps.inputs, try fixture.tensor("x_BLC_wo_prefix"), tolerance: tolerance)
        report.compareExactly("gt_bits_BLd", maps.bits, try fixture.bits("gt_bits_BLd"))
        let again = try recordedMaps("gt_bits_BLd", quantizer)
        report.compare("summed_codes", again.sum, try fixture.tensor("summed_codes"), tolerance: tolerance)
        report.compare(
            "image_from_bits", clamped(tokenizer, again.sum), try fixture.tensor("image_from_bits"),
            tolerance: tolerance)
        let free = try recordedMaps("free_bits", quantizer)
        report.compare("free_summed_codes", free.sum, try fixture.tensor("free_summed_codes"), tolerance: tolerance)
        report.compare(
            "free_image", clamped(tokenizer, free.sum), try fixture.tensor("free_image"), tolerance: tolerance)
        report.compare(
            "free_image_unclamped", tokenizer.decode(.init(free.sum)).value, try fixture.tensor("free_image_unclamped"),
            tolerance: tolerance)
        return report
    }

    /// The maps that recorded bits [B, L, d] stand for.
    private func recordedMaps(_ name: String, _ quantizer: BitwiseQuantizer) throws -> TokenMaps {
        quantizer.maps(bits: try fixture.bits(name), batch: try fixture.recorded.entry(name).shape[0])
    }

    private func clamped(_ tokenizer: BitwiseTokenizer, _ sum: Tensor) -> Tensor {
        let x = tokenizer.decode(.init(sum)).value
        return Tensor(x.values.map { min(max($0, -1), 1) }, shape: x.shape)
    }

    /// Quantizes the recorded features and compares every scale's residual, bits, sum and area-resized next input.
    private func quantized(
        _ quantizer: BitwiseQuantizer, _ features: Tensor, _ report: inout ConformanceReport
    ) throws -> TokenMaps {
        var steps: [(residual: Tensor, sum: Tensor)] = []
        let maps = quantizer.quantize(features) { steps.append(($0.residual, $0.sum.copy())) }
        for (scale, step) in steps.enumerated() {
            report.compare(
                "residual_down.\(scale)", step.residual, try fixture.tensor("residual_down.\(scale)"),
                tolerance: tolerance)
            report.compare("cum.\(scale)", step.sum, try fixture.tensor("cum.\(scale)"), tolerance: tolerance)
            report.compareExactly("bits.\(scale)", maps.bits(ofScale: scale), try fixture.bits("bits.\(scale)"))
            if scale + 1 < steps.count, fixture.has("encode_next_input_area.\(scale)") {
                let side = quantizer.schedule.sides[scale + 1]
                report.compare(
                    "encode_next_input_area.\(scale)", quantizer.areaResized(step.sum, to: side),
                    try fixture.tensor("encode_next_input_area.\(scale)"), tolerance: tolerance)
            }
        }
        return maps
    }
}

/// T5's encoder and its tokenizer.
struct T5Conformance {
    private let fixture: ConformanceCase
    init(_ fixture: ConformanceCase) { self.fixture = fixture }

    func report() throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let encoder = T5Encoder(try fixture.decodedConfiguration(as: T5Encoder.Configuration.self), weights)
        try weights.verify()
        var report = ConformanceReport()
        let ids = try fixture.recorded.integers("input_ids")
        let mask = try fixture.recorded.integers("attention_mask")
        let batch = try fixture.recorded.entry("input_ids").shape[0]
        let length = ids.count / batch
        let lengths = (0..<batch).map { mask[$0 * length..<($0 + 1) * length].reduce(0, +) }
        let states = encoder.states(ids.map(Int32.init), batch: batch, lengths: lengths)
        for (index, state) in states.enumerated() where fixture.has("hidden_states.\(index)") {
            report.compare(
                "hidden_states.\(index)", state.value, try fixture.tensor("hidden_states.\(index)"), tolerance: 1e-4)
        }
        report.compare(
            "last_hidden_state", states.last!.value, try fixture.tensor("last_hidden_state"), tolerance: 1e-4)
        let long = try fixture.recorded.integers("long_input_ids").map(Int32.init)
        let longState = encoder.states(long, batch: 1, lengths: [long.count]).last!.value
        report.compare(
            "long_last_hidden_state", longState, try fixture.tensor("long_last_hidden_state"), tolerance: 1e-4)
        try compareTokenizer(&report)
        return report
    }

    private func compareTokenizer(_ report: inout ConformanceReport) throws {
        let path = "\(fixture.folder)/tokenizer.json"
        guard let cases = try? TokenizerCases(path: "\(fixture.folder)/tokenizer_cases.json") else { return }
        let tokenizer = try UnigramTokenizer(path: path)
        for (index, text) in cases.strings.enumerated() {
            report.compareExactly("tokenizer.\(index)", tokenizer.encode(text).map(Int.init), cases.ids[index])
        }
    }
}
