import Autograd
import Backbones
import Foundation
import Layers
import LittleWorld
import Tensors

/// Little World's words.
private func words() throws -> UnigramTokenizer {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try UnigramTokenizer.file(words: LittleWorld.vocabulary).write(to: URL(fileURLWithPath: path))
    return try UnigramTokenizer(path: path)
}

/// An Infinity far too small to paint, with everything a real one has.
package func tinyModel() throws -> InfinityModel {
    let words = try words()
    let schedule = ScaleSchedule.square([1, 2, 4])
    let configuration = InfinityModel.Configuration(
        name: "tiny", pictureSize: 16, schedule: schedule,
        tokenizer: .init(
            baseChannels: 8, encoderMultipliers: [1, 1, 1], decoderMultipliers: [1, 1, 1], residualBlocks: 1, bits: 4,
            patchSize: 4, groups: 2),
        text: .init(
            vocabularySize: words.vocabularySize, width: 16, headWidth: 8, feedForwardWidth: 16, layers: 1, heads: 2),
        transformer: .init(
            width: 16, depth: 2, heads: 2, textWidth: 16, textLength: 16, bits: 4, blockChunks: 1, schedule: schedule),
        guidance: 2, temperature: 1)
    return try InfinityModel(
        configuration, textTokenizer: words, tokenizer: .fresh(seed: 1), text: .fresh(seed: 2),
        transformer: .fresh(seed: 3))
}

/// A Chameleon far too small to paint, with everything a real one has.
package func tinyChameleon(depth: Int = 3, width: Int = 16) throws -> ChameleonModel {
    let words = try words()
    let vocabulary = ChameleonVocabulary(text: words.vocabularySize, codes: 12, sizeUnit: 16, units: 2)
    let configuration = ChameleonModel.Configuration(
        name: "tiny", pictureSize: 16, vocabulary: vocabulary,
        tokenizer: .init(
            baseChannels: 4, multipliers: [1, 2, 2], residualBlocks: 1, latentChannels: 6, codes: 12, codeWidth: 4,
            groups: 2),
        transformer: .init(
            vocabularySize: vocabulary.size, width: width, feedForwardWidth: 24, depth: depth, heads: 2,
            longestSequence: 64),
        guidance: 2, topK: 10, temperature: 1)
    return try ChameleonModel(
        configuration, textTokenizer: words, tokenizer: .fresh(seed: 1), transformer: .fresh(seed: 2))
}

/// A diffusion model far too small to paint, with everything a real one has.
package func tinyDiffusion() throws -> DiffusionModel {
    let words = try words()
    let configuration = DiffusionModel.Configuration(
        name: "tiny", pictureSize: 16,
        autoencoder: .init(channels: [4, 8, 8], blocksPerLevel: 1, groups: 2, latentChannels: 4, scale: 1),
        text: .init(
            vocabularySize: words.vocabularySize, width: 16, headWidth: 8, feedForwardWidth: 16, layers: 1, heads: 2),
        textLength: 16,
        transformer: .init(
            latentChannels: 4, patchSize: 2, depth: 2, heads: 2, headWidth: 8, textWidth: 16, pooledWidth: 16,
            positionSide: 2, normsHeads: true),
        guidance: 2, steps: 4)
    let model = try DiffusionModel(
        configuration, textTokenizer: words, autoencoder: .fresh(seed: 1), text: .fresh(seed: 2),
        transformer: .fresh(seed: 3))
    // What starts at zero would say nothing of what stands before it.
    for (index, weight) in model.transformerWeights.parameters.enumerated()
    where weight.isProjection && weight.value.sumOfSquares == 0 {
        weight.value.assign(.example(weight.value.shape, seed: UInt64(index), scale: 0.2))
    }
    return model
}

/// A LlamaGen far too small to paint, with everything a real one has.
package func tinyLlamaGen(keyHeads: Int? = nil) throws -> LlamaGenModel {
    let words = try words()
    let configuration = LlamaGenModel.Configuration(
        name: "tiny", pictureSize: 16,
        tokenizer: .init(
            baseChannels: 4, multipliers: [1, 2, 2], residualBlocks: 1, latentChannels: 6, codes: 12, codeWidth: 4,
            groups: 2),
        text: .init(
            vocabularySize: words.vocabularySize, width: 16, headWidth: 8, feedForwardWidth: 16, layers: 1, heads: 2),
        transformer: .init(
            width: 16, depth: 2, heads: 2, keyHeads: keyHeads, feedForwardWidth: 24, codes: 12, captionLength: 16,
            captionWidth: 16, side: 4),
        guidance: 2, topK: 12, temperature: 1)
    return try LlamaGenModel(
        configuration, textTokenizer: words, tokenizer: .fresh(seed: 1), text: .fresh(seed: 2),
        transformer: .fresh(seed: 3))
}
