import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Testing

@testable import Backbones

private let releases = sharedFolder("releases")

/// The released models' tokenizers give the ids that the reference's libraries gave.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleasedTokenizerTests {
    private func texts(_ release: String, _ key: String) throws -> [String] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(releases!)/\(release)/expected.json"))
        let root = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        return try root[key] as? [String] ?? [#require(root[key] as? String)]
    }

    private func ids(_ release: String, _ name: String) throws -> [Int32] {
        try Checkpoint.open("\(releases!)/\(release)/expected.safetensors").tensor(name).integers().map(Int32.init)
    }

    @Test(arguments: ["/tokenizer.json", "/spiece.model", ""])
    func t5ReadsPromptsFromEitherFile(file: String) throws {
        let tokenizer = try UnigramTokenizer(path: "\(releases!)/infinity-2b/flan-t5-xl\(file)")
        for (index, prompt) in try texts("infinity-2b", "prompts").enumerated() {
            #expect(try tokenizer.encode(prompt) == ids("infinity-2b", "text.ids.\(index)"))
        }
        let named = tokenizer.adding(placeholders: ["<placeholder>"])
        #expect(try ids("infinity-2b-finetunes", "placeholder_id") == [named.identifier(of: "<placeholder>")])
        for (index, prompt) in try texts("infinity-2b-finetunes", "prompts").enumerated() {
            #expect(try named.encode(prompt) == ids("infinity-2b-finetunes", "text.ids.\(index)"))
        }
    }

    @Test func llamaGensT5HasNoJSON() throws {
        let tokenizer = try UnigramTokenizer(path: "\(releases!)/llamagen-t2i-xl/t5-ckpt/flan-t5-xl")
        for (index, caption) in try texts("llamagen-t2i-xl", "cleaned_captions").enumerated() {
            #expect(try tokenizer.encode(caption) == ids("llamagen-t2i-xl", "text.ids.\(index)"))
        }
    }

    @Test(arguments: [
        ("flux1-dev", "tokenizer_2", 1), ("sd3-medium", "tokenizer_3", 2), ("sd35-large", "tokenizer_3", 2),
    ])
    func theDiffusionModelsT5ReadsThePrompt(release: String, folder: String, index: Int) throws {
        let expected = try ids(release, "ids.\(index)")
        for file in ["tokenizer.json", "spiece.model"] {
            let tokenizer = try UnigramTokenizer(path: "\(releases!)/\(release)/\(folder)/\(file)")
            let found = try tokenizer.encode(texts(release, "prompt")[0])
            #expect(found + [Int32](repeating: 0, count: expected.count - found.count) == expected)
        }
    }

    @Test(arguments: ["sdxl", "sd3-medium", "sd35-large", "flux1-dev"])
    func clipReadsThePromptFromTwoFiles(release: String) throws {
        let prompt = try texts(release, "prompt")[0]
        for (folder, index) in [("tokenizer", 0), ("tokenizer_2", 1)].prefix(release == "flux1-dev" ? 1 : 2) {
            let tokenizer = try CLIPTokenizer(path: "\(releases!)/\(release)/\(folder)")
            #expect(
                try tokenizer.padded(prompt, with: tokenizer.paddingID) == ids(release, "ids.\(index)"), "\(folder)")
        }
    }

    @Test(arguments: ["bin", "safetensors/tokenizer.json"])
    func clipReadsTexts(file: String) throws {
        let tokenizer = try CLIPTokenizer(path: "\(releases!)/clip-vit-base-patch32/\(file)")
        let found = try texts("clip-vit-base-patch32", "texts").flatMap {
            tokenizer.padded($0, length: 21, with: tokenizer.endID)
        }
        #expect(try found == ids("clip-vit-base-patch32", "ids"))
    }

    @Test(arguments: ["tokenizer.json", "tokenizer/text_tokenizer.json"])
    func luminaReadsItsPrompt(file: String) throws {
        let tokenizer = try ByteLevelTokenizer(path: "\(releases!)/lumina-mgpt-7b-768/\(file)")
        for (index, prompt) in try texts("lumina-mgpt-7b-768", "prompts").enumerated() {
            let text = "Generate an image of 96x64 according to the following prompt:\n\(prompt)"
            #expect(try [0] + tokenizer.encode(text) + [8710] == ids("lumina-mgpt-7b-768", "prompt.ids.\(index)"))
        }
        let image = file == "tokenizer.json" ? "<image>" : "<reserved08707>"
        #expect(tokenizer.identifier(of: image) == 8711 && tokenizer.vocabularySize == 9216)
        #expect(tokenizer.identifier(of: "IMGIMGBAZ") == 14)
        #expect(tokenizer.encode("a<racm3:break>") == tokenizer.encode("a") + [8197])
    }
}
