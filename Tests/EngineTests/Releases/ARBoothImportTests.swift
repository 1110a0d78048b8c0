import Autograd
import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import ModelTesting
import Personalization
import ServerTesting
import Tensors
import Testing

@testable import Engine

private let release = sharedFolder("releases").map { "\($0)/infinity-2b" }

/// What ARBooth's authors release is a concept that draws as their model does.
@Suite(.computing, .enabled(if: release != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ARBoothImportTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path
    private let tunedWeight = "block_chunks.0.module.0.ffn.fc1.weight"

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    /// The transformer with one weight tuned and four rows.
    private func fineTune(_ change: (inout AuthorLayout) -> Void = { _ in }) throws -> String {
        let base = try Checkpoint.open("\(release!)/infinity_2b_reg.pth")
        let width = try base.shape(of: "text_norm.weight")[0]
        var layout = AuthorLayout()
        try layout.take(base)
        layout.scale(tunedWeight, by: 1.5)
        layout.set("special_token", [4, width], (0..<4 * width).map { Float($0 * 7 % 11) / 5 - 1 })
        change(&layout)
        let path = "\(folder)/ar-ckpt.safetensors"
        try layout.write(path)
        return path
    }

    private func add(
        _ transformer: String, as name: String, to models: TinyModels,
        precision: CheckpointConversion.Precision = .stored
    ) throws -> ModelFolder {
        var wishes = ReleaseWishes()
        wishes.pixels = "0.06M"
        return try ModelInstallation(directory: models.folder).add(
            release: [transformer, "\(release!)/infinity_vae_d32reg.pth", "\(release!)/flan-t5-xl"], name: name,
            wishes: wishes, precision: precision
        ).model
    }

    /// A fine-tune as a concept's file.
    private func taken(_ fineTune: String, on base: ModelFolder) throws -> String {
        let file = "\(folder)/rex.safetensors"
        try AdapterImport(model: base).write(
            fineTune, as: .init(name: "rex", role: .subject, className: "dog"), to: file)
        return file
    }

    @Test func itDrawsAsTheFineTunedModelDoes() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models)
        let path = try fineTune()
        let file = try taken(path, on: base)
        #expect(try Checkpoint.open(file).names == [tunedWeight, "special_token"])
        let prompt = "a <rex> dog in the jungle"

        let whole = try InfinityModel(directory: try add(path, as: "tuned", to: models).folder)
        let tokenizer = whole.textTokenizer.adding(placeholders: ["<rex>"])
        let values = try Checkpoint.open(file).tensor("special_token").floats()
        let rows = Variable(Tensor(values, shape: [4, values.count / 4]))
        let text = whole.encode(
            [prompt], tokenizer: tokenizer, splicing: [tokenizer.identifier(of: "<rex>")!: rows])
        let expected = whole.generate(text, sampling: whole.sampling(seeds: [5]))[0]

        let model = try InfinityModel(directory: base.folder)
        let plain = model.generate(model.encode(["a dog in the jungle"]), sampling: model.sampling(seeds: [5]))[0]
        let adapter = try Adapter(path: file)
        let personalized = try PersonalizedModel(
            model: model, adapters: ["rex": adapter], modelDigest: adapter.description.modelDigest)
        let drawn = personalized.generate([prompt], sampling: personalized.sampling(seeds: [5]))[0]
        #expect(drawn.pixels == expected.pixels && drawn.pixels != plain.pixels)
    }

    /// Its weights are those of the fine-tune but for rounding, and the scales beside them are no weights.
    @Test func aModelInEightBitsTakesItToo() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models, precision: .int8)
        let own = try Checkpoint.open(ModelFolder.network(in: base.folder))
        #expect(own.names.contains { $0.hasSuffix(StoredTensor.scaleSuffix) })
        let file = try taken(fineTune(), on: base)
        let names = try Checkpoint.open(file).names
        #expect(names.contains(tunedWeight) && names.contains("special_token"))
        #expect(!names.contains { $0.hasSuffix(StoredTensor.scaleSuffix) })
    }

    /// A mention takes as many places of the text as it has rows.
    @Test func aPromptThatItsRowsMakeTooLongIsRejected() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models)
        let file = "\(folder)/rex.safetensors"
        let concept = AdapterImport.Concept(name: "rex", role: .subject, className: "dog")
        #expect(try AdapterImport(model: base).write(fineTune(), as: concept, to: file).rows == 4)
        let loaded = try LoadedModel(directory: base.folder)
        var prompt = "a <rex> " + String(repeating: "q", count: 480)
        let spelled = ConceptSpellings(of: ["rex"])
        while loaded.tooLong([("", prompt + "q")], concepts: ["rex"], spelled: spelled).isEmpty { prompt += "q" }
        let spec: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": "base", "prompts": [.string(prompt)], "seed": 3,
        ]
        let failure = #expect(throws: JobFailure.self) { try Run(models, spec, adapters: ["rex": file]) }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/prompts/0"])
    }

    @Test func numbersThatAreNoneAreRefusedByName() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models)
        let path = try fineTune { for name in [tunedWeight, "special_token"] { $0.scale(name, by: .infinity) } }
        let refusal = #expect(throws: AdapterImport.Refusal.self) { try taken(path, on: base) }
        #expect(refusal?.problems.count == 2 && refusal?.problems.allSatisfy { $0.contains("no numbers") } == true)
    }

    /// Every weight of the model would be missing.
    @Test func anotherFamilysIsRefusedForThatAlone() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        let path = try fineTune()
        let refusal = #expect(throws: AdapterImport.Refusal.self) { try taken(path, on: base) }
        let problem = "it is ARBooth's, for an infinity; pocket-chameleon is of the family chameleon"
        #expect(refusal?.problems == ["\(path): \(problem)"])
    }

    @Test func aConceptsOwnFileIsNoFineTune() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models)
        let file = try taken(fineTune(), on: base)
        let error = #expect(throws: CheckpointError.self) {
            try AdapterImport(model: base).write(
                file, as: .init(name: "rex", role: .subject, className: "dog"), to: "\(folder)/again.safetensors")
        }
        #expect(error?.problem.contains("it was learnt by arbooth") == true)
    }

    @Test func anotherModelsIsRefusedByName() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let base = try add("\(release!)/infinity_2b_reg.pth", as: "base", to: models)
        let path = try fineTune { $0.scale("word_embed.weight", by: 2) }
        let refusal = #expect(throws: AdapterImport.Refusal.self) { try taken(path, on: base) }
        #expect(refusal?.problems.count == 1 && refusal?.problems[0].contains("word_embed.weight") == true)
    }
}
