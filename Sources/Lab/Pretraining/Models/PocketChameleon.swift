import Backbones
import LittleWorld

/// The sizes of the embedded unified model: 64×64 pictures as 16×16 codes, in one vocabulary with the words of Little
/// World.
package enum PocketChameleon {
    /// - Parameters:
    ///   - words: ids of the text tokenizer.
    ///   - pictureSize: pixels on a side; 16×16 codes hold them whatever that is.
    package static func configuration(words: Int, pictureSize: Int = 64) -> ChameleonModel.Configuration {
        let codes = 4096
        let vocabulary = ChameleonVocabulary(text: words, codes: codes, sizeUnit: 32, units: 2)
        return ChameleonModel.Configuration(
            name: "pocket-chameleon", pictureSize: pictureSize, vocabulary: vocabulary,
            tokenizer: ChameleonTokenizer.Configuration(
                baseChannels: 64, multipliers: [1, 2], residualBlocks: 2, latentChannels: 32, codes: codes,
                codeWidth: 16, groups: 1,
                pixelBlock: pictureSize / 32),
            transformer: ChameleonTransformer.Configuration(
                vocabularySize: vocabulary.size, width: 256, feedForwardWidth: 704, depth: 8, heads: 8,
                longestSequence: 336),
            guidance: 4, topK: codes, temperature: 0.8, styledPrompt: LittleWorld.styledPrompt,
            styleNoun: LittleWorld.styleNoun)
    }
}
