import Backbones

/// Infinity's files: a transformer, its VAE, and flan-t5.
struct InfinityStandIn {
    let transformer: InfinityTransformer.Configuration
    let transformerFile: String
    let tokenizer: BitwiseTokenizer.Configuration
    let tokenizerFile: String
    let text: T5Encoder.Configuration

    /// `infinity_2b_reg.pth` with `infinity_vae_d32reg.pth` (tools/run_infinity.py, 2b).
    static let large = InfinityStandIn(
        transformer: transformer(width: 2048, depth: 32, heads: 16, bits: 32, chunks: 8),
        transformerFile: "infinity_2b_reg.pth", tokenizer: tokenizer(bits: 32),
        tokenizerFile: "infinity_vae_d32reg.pth", text: .flanXL)

    /// `infinity_125M_256x256.pth` with `infinity_vae_d16.pth` (tools/run_infinity.py, layer12).
    static let layer12 = InfinityStandIn(
        transformer: transformer(width: 768, depth: 12, heads: 8, bits: 16, chunks: 4),
        transformerFile: "infinity_125M_256x256.pth", tokenizer: tokenizer(bits: 16),
        tokenizerFile: "infinity_vae_d16.pth", text: .flanXL)

    private static func transformer(
        width: Int, depth: Int, heads: Int, bits: Int, chunks: Int
    ) -> InfinityTransformer.Configuration {
        // The scales are chosen when it is added; no weight depends on them.
        InfinityTransformer.Configuration(
            width: width, depth: depth, heads: heads, textWidth: 2048, textLength: 512, bits: bits,
            blockChunks: chunks, schedule: .square([1, 2, 4, 6, 8, 12, 16]))
    }

    private static func tokenizer(bits: Int) -> BitwiseTokenizer.Configuration {
        BitwiseTokenizer.Configuration(
            baseChannels: 128, encoderMultipliers: [1, 2, 4, 4, 4], decoderMultipliers: [1, 2, 4, 4, 4],
            residualBlocks: 2, bits: bits, patchSize: 16)
    }

    func write(to folder: StandInFolder) throws {
        try folder.weights(transformerFile, .single, in: .torchArchive(section: nil)) {
            InfinityTransformer(transformer, $0)
        }
        try folder.weights(tokenizerFile, .single, in: .torchArchive(section: "vae")) {
            BitwiseTokenizer(tokenizer, $0)
        }
        try folder.t5("flan-t5-xl", text)
    }
}

extension T5Encoder.Configuration {
    /// google/flan-t5-xl.
    static let flanXL = Self(
        vocabularySize: 32_128, width: 2048, headWidth: 64, feedForwardWidth: 5120, layers: 24, heads: 32)
}
