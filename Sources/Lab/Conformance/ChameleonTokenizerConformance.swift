import Autograd
import Backbones
import Images
import Layers
import Tensors

extension ConformanceCase {
    /// Recorded codes [B, h, w]: each picture's, row by row, and their grid.
    func codes(_ name: String) throws -> (pictures: [[Int32]], height: Int, width: Int) {
        let shape = try recorded.entry(name).shape
        guard shape.count == 3 else {
            throw ConformanceError(folder: folder, problem: "\(name) has the shape \(shape), not [B, h, w]")
        }
        let all = try recorded.integers(name).map(Int32.init)
        let each = shape[1] * shape[2]
        let pictures = (0..<shape[0]).map { Array(all[$0 * each..<($0 + 1) * each]) }
        return (pictures, shape[1], shape[2])
    }
}

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
            let latent = sizes["z_channels"] as? Int, (sizes["attn_resolutions"] as? [Int] ?? []).isEmpty
        else {
            throw ConformanceError(
                folder: fixture.folder,
                problem: "ddconfig needs ch, ch_mult, num_res_blocks, z_channels, and attn_resolutions empty")
        }
        // A published checkpoint also holds its training loss.
        let weights = Weights(.checkpoint(try fixture.weights().filter { !$0.key.hasPrefix("loss.") }))
        tokenizer = ChameleonTokenizer(
            ChameleonTokenizer.Configuration(
                baseChannels: channels, multipliers: multipliers, residualBlocks: blocks, latentChannels: latent,
                codes: try fixture.integer("n_embed"), codeWidth: try fixture.integer("embed_dim")), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let pixels = Tensor.pictures(try pictures("image_u8"))
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
        let recorded = try pictures("\(name)_u8").flatMap(\.pixels)
        // The reference truncates to bytes where we round.
        report.compareSteps("\(name)_u8", pixels.pictures().flatMap(\.pixels), recorded, tolerance: 1)
    }

    /// Bytes [B, H, W, 3].
    private func pictures(_ name: String) throws -> [Picture] {
        let shape = try fixture.recorded.entry(name).shape
        let bytes = try fixture.recorded.integers(name).map(UInt8.init)
        let each = bytes.count / shape[0]
        return (0..<shape[0]).map {
            Picture(width: shape[2], height: shape[1], pixels: Array(bytes[$0 * each..<($0 + 1) * each]))
        }
    }
}
