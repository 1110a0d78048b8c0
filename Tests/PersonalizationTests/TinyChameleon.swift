import Backbones
import Foundation
import Layers
import LittleWorld
import Personalization

/// A Chameleon far too small to paint, with everything a real one has.
func tinyChameleon(depth: Int = 3) throws -> ChameleonModel {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let words = folder.appendingPathComponent("tokenizer.json")
    try UnigramTokenizer.file(words: LittleWorld.vocabulary).write(to: words)
    let text = try UnigramTokenizer(path: words.path)
    let vocabulary = ChameleonVocabulary(text: text.vocabularySize, codes: 12, sizeUnit: 16, units: 2)
    let configuration = ChameleonModel.Configuration(
        name: "tiny", pictureSize: 16, vocabulary: vocabulary,
        tokenizer: .init(baseChannels: 4, multipliers: [1, 2, 2], residualBlocks: 1, latentChannels: 6, codes: 12, codeWidth: 4, groups: 2),
        transformer: .init(
            vocabularySize: vocabulary.size, width: 16, feedForwardWidth: 24, depth: depth, heads: 2, longestSequence: 64),
        guidance: 2, topK: 10, temperature: 1)
    return try ChameleonModel(configuration, textTokenizer: text, tokenizer: .fresh(seed: 1), transformer: .fresh(seed: 2))
}

func tinyConcept(_ name: String = "rex", role: Concept.Role = .subject) -> Concept {
    let references = Subject.heldOut(.dog, index: 0).references(count: role == .subject ? 4 : 1).map { $0.paint(size: 16) }
    return Concept(name: name, role: role, className: "dog", references: references)
}
