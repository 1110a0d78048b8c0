import Autograd
import Backbones
import Images
import Layers
import Tensors

/// Chameleon's VQGAN, both ways.
struct ChameleonTokenizerConformance {
    private let fixture: ConformanceCase
    private let tokenizer: ChameleonTokenizer
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let sizes: [String: Any] = try fixture.value("ddconfig")
        guard let channels = sizes["ch"] as? Int, let multipliers = sizes["ch_mult"] as? [Int],
            let blocks = sizes["num_res_blocks"] as? Int,
            let latent = sizes["z_channels"] as? Int
        else {
            throw ConformanceError(
                folder: fixture.folder, problem: "ddconfig needs ch, ch_mult, num_res_blocks and z_channels")
        }
        let attending = sizes["attn_resolutions"] as? [Int] ?? []
        let resolution = sizes["resolution"] as? Int ?? 0
        // A published checkpoint also holds its training loss.
        let weights = Weights(.checkpoint(try fixture.weights().filter { !$0.key.hasPrefix("loss.") }))
        tokenizer = ChameleonTokenizer(
            ChameleonTokenizer.Configuration(
                baseChannels: channels, multipliers: multipliers, residualBlocks: blocks, latentChannels: latent,
                codes: try fixture.integer("n_embed"), codeWidth: try fixture.integer("embed_dim"),
                attendingLevels: multipliers.indices.filter { attending.contains(resolution >> $0) }), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let pixels = Tensor.pictures(try fixture.pictures("image_u8"))
        report.compare("pixels", pixels, try fixture.tensor("pixels"), tolerance: tolerance)
        let encoded = tokenizer.encoded(Variable(pixels))
        report.compare("encoder_out", encoded.value, try fixture.tensor("encoder_out"), tolerance: tolerance)
        let features = tokenizer.features(ofEncoded: encoded).value
        report.compare("pre_quant", features, try fixture.tensor("pre_quant"), tolerance: tolerance)
        let codes = tokenizer.codes(pixels)
        report.compareExactly("indices", codes.flatMap { $0.map(Int.init) }, try fixture.recorded.integers("indices"))
        let (batch, height, width) = (features.shape[0], features.shape[2], features.shape[3])
        let quantized = tokenizer.quantizer.features(codes.flatMap { $0 }, batch: batch, height: height, width: width)
        report.compare("quant", quantized.value, try fixture.tensor("quant"), tolerance: tolerance)
        report.compare(
            "decoded_from_quant", tokenizer.decode(quantized).value, try fixture.tensor("decoded_from_quant"),
            tolerance: tolerance)
        try compareDecoding("recon", codes, height: height, width: width, &report)
        let free = try fixture.codes("free_indices")
        try compareDecoding("free", free.pictures, height: free.height, width: free.width, &report)
        return report
    }

    private func compareDecoding(
        _ name: String, _ codes: [[Int32]], height: Int, width: Int, _ report: inout ConformanceReport
    ) throws {
        let pixels = tokenizer.decode(codes, height: height, width: width)
        report.compare("\(name)_pixels", pixels, try fixture.tensor("\(name)_pixels"), tolerance: tolerance)
        let recorded = try fixture.pictures("\(name)_u8").flatMap(\.pixels)
        // The reference truncates to bytes where we round.
        report.compareSteps("\(name)_u8", pixels.pictures().flatMap(\.pixels), recorded, tolerance: 1)
    }
}
