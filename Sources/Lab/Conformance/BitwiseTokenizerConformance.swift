import Backbones
import Layers
import Tensors

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
        tokenizer.decode(.init(sum)).value.clamped()
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
