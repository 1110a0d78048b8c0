import Backbones
import Jobs
import LittleWorld

/// Lumina-mGPT's folder: a transformer with its settings and words, and Chameleon's VQGAN.
struct LuminaStandIn {
    let transformer: ChameleonTransformer.Configuration
    let tokenizer: ChameleonTokenizer.Configuration

    /// Alpha-VLLM/Lumina-mGPT-7B-768.
    static let large = LuminaStandIn(
        transformer: .luminaMGPT7B,
        tokenizer: ChameleonTokenizer.Configuration(
            baseChannels: 128, multipliers: [1, 1, 2, 2, 4], residualBlocks: 2, latentChannels: 256, codes: 8192,
            codeWidth: 256))

    func write(to folder: StandInFolder) throws {
        try folder.weights("model.safetensors", .bfloat16, in: .shards(2)) { ChameleonTransformer(transformer, $0) }
        // Lightning's key.
        try folder.weights("tokenizer/vqgan.ckpt", .single, in: .torchArchive(section: "state_dict")) {
            ChameleonTokenizer(tokenizer, $0)
        }
        try folder.json("config.json", settings)
        try folder.data("tokenizer.json", UnigramTokenizer.file(words: LittleWorld.vocabulary))
    }

    /// transformers' names of what the shapes do not tell.
    private var settings: JSONValue {
        [
            "_name_or_path": "Lumina-mGPT-7B-768", "num_attention_heads": .integer(transformer.heads),
            "num_key_value_heads": .integer(transformer.keyHeads), "swin_norm": .bool(transformer.swinNorm),
            "max_position_embeddings": .integer(transformer.longestSequence),
            "tie_word_embeddings": .bool(transformer.tiesEmbeddings ?? false),
        ]
    }
}
