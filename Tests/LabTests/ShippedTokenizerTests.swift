import Backbones
import Catalogue
import ComputeTesting
import Evaluation
import Foundation
import LittleWorld
import Testing

/// How the shipped models read what people write.
@Suite(.computing) struct ShippedTokenizerTests {
    private static let models = ["pocket-infinity", "pocket-chameleon"]

    private func folder(_ model: String) -> String {
        URL(fileURLWithPath: #filePath).appendingPathComponent("../../../models/\(model)").standardized.path
    }

    private func tokenizer(_ model: String) throws -> UnigramTokenizer {
        try UnigramTokenizer(path: folder(model) + "/tokenizer.json")
    }

    /// As `atelier-lab export` writes them beside a tokenizer of the world's words.
    @Test(arguments: ["pocket-infinity", "pocket-chameleon", "pocket-diffusion", "pocket-llamagen"])
    func theDescriptionNamesTheWordsThatNoCaptionHolds(model: String) throws {
        let unlearnt = LittleWorld.unlearntWords
        #expect(try ModelFolder.written(folder(model))?.unlearnt == unlearnt)
        let vocabulary = LittleWorld.vocabulary.joined(separator: " ")
        let tokenizer = try tokenizer(model)
        #expect(tokenizer.unlearntWords(in: vocabulary).isEmpty)
        #expect(tokenizer.unlearntWords(in: vocabulary, with: unlearnt) == unlearnt)
    }

    @Test(arguments: models) func capitalsAndPunctuationAreNoUnknownWords(model: String) throws {
        let tokenizer = try tokenizer(model).adding(placeholders: ["<rex>"])
        let plain = tokenizer.encode("a photo of a <rex> dog in the snow with a city in the background")
        #expect(tokenizer.encode("A photo of a <rex> Dog, in the SNOW (with a city in the background).") == plain)
        let unknown = try #require(tokenizer.identifier(of: "<unk>"))
        #expect(!plain.contains(unknown))
    }

    @Test(arguments: models) func aConceptMayBeCalledLikeAMarkOfTheTokenizers(model: String) throws {
        let own = try tokenizer(model)
        let tokenizer = own.adding(placeholders: ["<unk>", "<pad>"]).adding(placeholders: ["<unk>"])
        let name = try #require(tokenizer.identifier(of: "<unk>"))
        #expect(name >= own.vocabularySize && name != tokenizer.identifier(of: "<pad>"))
        #expect(
            tokenizer.encode("a <unk> dog 4").contains(name)
                && tokenizer.encode("a dog 4").contains(own.identifier(of: "<unk>")!))
        #expect(!tokenizer.encode("a dog 4").contains(name))
    }

    @Test func suitesAreReadWholeButForOnePrompt() throws {
        let tokenizer = try tokenizer("pocket-infinity").adding(placeholders: ["<rex>"])
        let long = PromptSuite.all.flatMap { suite in
            suite.templates.map { PromptSuite.prompts($0, concept: "rex", className: "dog").asked }.filter {
                tokenizer.encode($0).count > 32
            }
        }
        #expect(long == ["a <rex> dog on top of the sidewalk in a crowded street"])
    }
}
