import Backbones
import LittleWorld

/// The sizes of the embedded LlamaGen: 64×64 pictures as 16×16 codes behind a prefix of 32 caption features.
package enum PocketLlamaGen {
    /// - Parameters:
    ///   - vocabulary: ids of the text tokenizer.
    ///   - pictureSize: pixels on a side; 16×16 codes hold them whatever that is.
    package static func configuration(vocabulary: Int, pictureSize: Int = 64) -> LlamaGenModel.Configuration {
        let codes = 2048
        var configuration = LlamaGenModel.Configuration(
            name: "pocket-llamagen", pictureSize: pictureSize,
            tokenizer: LlamaGenTokenizer.Configuration(
                baseChannels: 48, multipliers: [1, 2], residualBlocks: 1, latentChannels: 32, codes: codes,
                codeWidth: 8, groups: 1, pixelBlock: pictureSize / 32),
            text: T5Encoder.Configuration(
                vocabularySize: vocabulary, width: 128, headWidth: 32, feedForwardWidth: 256, layers: 2, heads: 4),
            transformer: LlamaGenTransformer.Configuration(
                width: 256, depth: 6, heads: 8, feedForwardWidth: 704, codes: codes, captionLength: 32,
                captionWidth: 128, side: 16),
            guidance: 2.5, topK: codes, temperature: 0.8, styledPrompt: LittleWorld.styledPrompt)
        // At the other pocket models' 1e-3 a dog learnt by LoRA comes out as debris.
        configuration.training = Dictionary(
            uniqueKeysWithValues: ["lora", "proxy-tuning"].map { ($0, ["learning_rate": 3e-4]) })
        return configuration
    }
}
