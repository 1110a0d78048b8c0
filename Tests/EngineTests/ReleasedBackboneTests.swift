import Backbones
import Catalogue
import ComputeTesting
import Foundation
import Images
import Jobs
import ModelTesting
import Personalization
import ServerTesting
import Testing

@testable import Engine

private let releases: String? = {
    let shared =
        ProcessInfo.processInfo.environment["ATELIER_SHARED"]
        ?? URL(fileURLWithPath: Servers.root).deletingLastPathComponent().appendingPathComponent("shared").path
    let path = shared + "/releases"
    return FileManager.default.fileExists(atPath: path) ? path : nil
}()

/// Releases as they are downloaded become models, and jobs are done on them.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleasedBackboneTests {
    /// Adds a release beside the tiny models.
    private func add(
        _ release: String, to models: TinyModels, links: Bool = false, _ wish: (inout ReleaseWishes) -> Void = { _ in }
    ) throws -> ModelFolder {
        var wishes = ReleaseWishes()
        wish(&wishes)
        return try ModelInstallation(directory: models.folder).add(
            release: ["\(releases!)/\(release)"], name: release, wishes: wishes, links: links
        ).model
    }

    private func generate(_ model: String, _ options: [String: JSONValue] = [:]) -> [String: JSONValue] {
        [
            "version": 1, "kind": "generate", "model": .string(model), "prompts": ["A photo of a red dog, nice!"],
            "images_per_prompt": 2, "seed": 3, "options": .object(options),
        ]
    }

    private static let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]

    private func learn(_ method: String, _ model: String, _ options: [String: JSONValue]) -> [String: JSONValue] {
        [
            "version": 1, "kind": "personalize", "method": .string(method), "model": .string(model), "seed": 7,
            "images": [Self.picture, Self.picture, Self.picture], "prompts": ["a photo of a <rex> dog"],
            "concept": ["name": "rex", "role": "subject", "class": "dog"], "options": .object(options),
        ]
    }

    private func learnLoRA(_ model: String) -> [String: JSONValue] {
        learn("lora", model, ["iterations": 2, "batch": 1, "rank": 2, "prior_pictures": 1, "learning_rate": 0.01])
    }

    @Test func llamaGenDrawsAndLearns() throws {
        let models = try TinyModels()
        let model = try add("llamagen-t2i-xl", to: models) { $0.heads = 4 }
        #expect(model.description?.family == .llamagen && model.problems == [])
        #expect(model.description?.pictures == [.init(width: 256, height: 256)])
        let plain = try Run(models, generate(model.name))
        #expect(plain.digests("picture").count == 2 && Set(plain.digests("picture")).count == 2)
        let learnt = try Run(models, learnLoRA(model.name))
        #expect(learnt.digests("adapter").count == 1 && learnt.digests("picture").count == 1)
        var drawing = generate(model.name)
        drawing["prompts"] = ["A photo of a <rex> dog, nice!"]
        let drawn = try Run(models, drawing, adapters: ["rex": learnt.adapter])
        #expect(drawn.digests("picture") != plain.digests("picture"))
    }

    /// The reference removes `<…>`; a concept's name stays, and so does the word a concept is learnt by.
    @Test func captionsAreCleanedButForConcepts() throws {
        let models = try TinyModels()
        let name = try add("llamagen-t2i-xl", to: models) { $0.heads = 4 }.name
        let model = try LlamaGenModel(directory: "\(models.folder)/\(name)")
        let tokenizer = model.textTokenizer.adding(placeholders: ["<rex>"])
        func ids(_ text: String) -> [Int32] { model.ids([text], tokenizer: tokenizer)[0] }
        #expect(ids("A <b>Red</b> dog, see www.example.com") == tokenizer.encode("a red dog, see"))
        #expect(ids("A Photo of <rex> Dog <mia>") == tokenizer.encode("a photo of <rex> dog"))
        #expect(ids("a photo of <unk> dog").contains(tokenizer.identifier(of: "<unk>")!))
    }
}
