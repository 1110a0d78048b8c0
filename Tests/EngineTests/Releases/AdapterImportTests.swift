import Backbones
import Checkpoints
import ComputeTesting
import Foundation
import Jobs
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Catalogue
@testable import Engine
@testable import Personalization

/// Low-rank adapters as broken files and trainings gone wrong leave them are told of when they are imported, not when
/// a job waits for a picture.
@Suite(.computing) struct AdapterImportTests {
    private let models: TinyModels
    private let lora: Adapter

    init() throws {
        models = try TinyModels()
        let model = try LoadedModel(directory: models.folder + "/pocket-chameleon")
        let chameleon = try #require(model.backbone as? ChameleonModel)
        let fresh = try LoRAAdapter(
            for: chameleon.transformerWeights, options: .init(rank: 2, alpha: 4, targets: ["q_proj", "v_proj"]),
            seed: 1)
        for (number, parameter) in fresh.parameters.enumerated() {
            parameter.value.assign(.example(parameter.value.shape, seed: UInt64(number), scale: 0.1))
        }
        lora = try Adapter(
            fresh,
            description: .init(
                method: .lora, model: model.name, modelDigest: model.digest, concept: "rex",
                role: .subject, className: "dog", seed: 1, iterations: 1, options: "{}"))
    }

    @Test func aModelThatDrawsNothingHasNoConcepts() throws {
        try models.writeEncoders()
        let clip = try #require(try ModelCatalogue(directory: models.folder)["tiny-clip"])
        let refusal = #expect(throws: AdapterImport.Refusal.self) { try AdapterImport(model: clip) }
        #expect(refusal?.problems == ["tiny-clip is of the family clip, which draws nothing; name a model that draws"])
    }

    /// What importing it says, as a concept's file and as PEFT's folder; and the concept that comes of it.
    @discardableResult
    private func importing(
        _ change: (inout [String: Tensor], inout Adapter.Description) -> Void
    ) throws -> [AdapterImport.Outcome] {
        var (tensors, description) = (lora.tensors.mapValues { $0.copy() }, lora.description)
        change(&tensors, &description)
        let adapter = Adapter(description: description, tensors: tensors)
        let (file, folder) = (models.folder + "/own.safetensors", models.folder + "/peft")
        try adapter.write(file)
        let options = try JSONDecoder().decode(LoRAAdapter.Options.self, from: Data(description.options.utf8))
        try LoRAAdapter(tensors: tensors, options: options).write(folder)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        return try [file, folder].map { path in
            try AdapterImport(model: model).write(
                path, as: .init(name: "rex", role: .subject, className: "dog"), to: models.folder + "/rex.safetensors")
        }
    }

    private func problems(_ change: (inout [String: Tensor], inout Adapter.Description) -> Void) -> [String] {
        do {
            try importing(change)
            return []
        } catch { return (error as? AdapterImport.Refusal)?.problems ?? ["\(error)"] }
    }

    /// What importing it as a concept's file says.
    private func problemsOfFile(
        _ change: (inout [String: Tensor], inout Adapter.Description) -> Void
    ) throws -> [String] {
        var (tensors, description) = (lora.tensors.mapValues { $0.copy() }, lora.description)
        change(&tensors, &description)
        let file = models.folder + "/own.safetensors"
        try Adapter(description: description, tensors: tensors).write(file)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        do {
            _ = try AdapterImport(model: model).write(
                file, as: .init(name: "rex", role: .subject, className: "dog"), to: models.folder + "/rex.safetensors")
            return []
        } catch let refusal as AdapterImport.Refusal { return refusal.problems }
    }

    @Test func aChangedTableIsRefusedForThatAlone() throws {
        let said = try problemsOfFile { tensors, description in
            let table = "base_model.model.model.embed_tokens.lora_embedding_"
            tensors[table + "A"] = Tensor(zeros: [2, 7])
            tensors[table + "B"] = Tensor(zeros: [5, 2])
            description.options = description.options.replacing("\"q_proj\"", with: "\"q_proj\",\"embed_tokens\"")
        }
        #expect(said.count == 1 && said[0].hasSuffix("changes of embedding tables are not built"), "\(said)")
    }

    @Test func whatDoesNotFitIsNotCalledMissing() throws {
        let name = try #require(lora.tensors.keys.filter { $0.contains("lora_B") }.min())
        let said = try problemsOfFile { tensors, _ in tensors[name] = Tensor(zeros: [3, 2]) }
        #expect(said.count == 1 && said[0].contains("does not fit"), "\(said)")
    }

    @Test func aSoundOneIsImportedAsItIs() throws {
        let outcomes = try importing { _, _ in }
        #expect(outcomes.allSatisfy { $0.method == "lora" && $0.warnings.isEmpty })
        let imported = try Adapter(path: models.folder + "/rex.safetensors")
        #expect(imported.tensors.mapValues(\.values) == lora.tensors.mapValues(\.values))
    }

    /// Two imports of one file are the same bytes.
    @Test func theRankThatIsWrittenIsThatOfTheFirstModule() throws {
        let downs = lora.tensors.keys.filter { $0.hasSuffix(".lora_A.weight") }.sorted()
        let said = try problemsOfFile { tensors, _ in
            for (index, down) in downs.enumerated() {
                let up = down.replacing("lora_A", with: "lora_B")
                let (inputs, outputs) = (tensors[down]!.shape[1], tensors[up]!.shape[0])
                tensors[down] = Tensor.example([index + 1, inputs], seed: 1, scale: 0.1)
                tensors[up] = Tensor.example([outputs, index + 1], seed: 2, scale: 0.1)
            }
        }
        #expect(said == [] && downs.count > 1)
        let options = try Adapter(path: models.folder + "/rex.safetensors").description.options
        let written = try JSONValue(json: Data(options.utf8))
        #expect(written["rank"] == 1, "\(written.text)")
    }

    @Test(arguments: [Float.nan, .infinity]) func numbersThatAreNoneAreRefused(_ value: Float) throws {
        let name = try #require(lora.tensors.keys.filter { $0.contains("lora_B") }.min())
        let said = problems { tensors, _ in tensors[name]!.pointer[0] = value }
        #expect(said.count == 1 && said[0].contains("layers.0.self_attn.q_proj: it holds values that are no numbers"))
    }

    @Test func whatIsNotThereIsCounted() {
        let said = problems { tensors, _ in
            for name in tensors.keys where name.contains("layers.1.") { tensors[name] = nil }
        }
        let all = lora.tensors.count / 2
        #expect(said.count == 1 && said[0].contains("\(all - 2) of the \(all) modules"), "\(said)")
        #expect(said[0].hasSuffix("model.layers.1.self_attn.q_proj is not"), "\(said)")
    }

    @Test func aChangeThatDrownsTheWeightIsRefused() {
        let said = problems { _, description in
            description.options = description.options.replacing(#/"alpha":[0-9.]+/#, with: "\"alpha\":1e30")
        }
        #expect(said.count == lora.tensors.count / 2 && said.allSatisfy { $0.contains("times its own size") })
    }

    /// PEFT keeps the embeddings beside the changes of a head.
    @Test func theModelsOwnWeightsBesideAnAdapterArePassedOver() throws {
        let folder = models.folder + "/peft"
        try #require(try lora.lora()).write(folder)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        let table = try Checkpoint.open(ModelFolder.network(in: model.folder)).tensor("model.embed_tokens.weight")
        var tensors = try Checkpoint.tensors(folder + "/adapter_model.safetensors")
        func importing(_ embeddings: Tensor) throws {
            tensors["base_model.model.model.embed_tokens.base_layer.weight"] = embeddings
            try Safetensors.write(tensors, to: folder + "/adapter_model.safetensors")
            try AdapterImport(model: model).write(
                folder, as: .init(name: "rex", role: .subject, className: "dog"),
                to: models.folder + "/rex.safetensors")
        }
        try importing(table.tensor())
        let other = try table.tensor()
        other.pointer[0] += 1
        let refusal = #expect(throws: AdapterImport.Refusal.self) { try importing(other) }
        #expect(refusal?.problems.count == 1 && refusal?.problems[0].contains("model.embed_tokens.weight") == true)
    }

    /// PEFT keeps them as it read them, and the model may be installed in another precision.
    @Test(arguments: CheckpointConversion.Precision.allCases, [Safetensors.Precision.single, .half, .bfloat16])
    func keptWeightsAreTheModelsInAnyPrecision(
        installed: CheckpointConversion.Precision, kept: Safetensors.Precision
    ) throws {
        func file(_ head: Tensor, _ precision: Safetensors.Precision = .single) throws -> Checkpoint {
            let path = models.folder + "/\(UUID().uuidString).safetensors"
            try Safetensors.write(["head.weight": head], to: path, precision: precision)
            return try Checkpoint.open(path)
        }
        let head = Tensor.example([64, 64], seed: 3, scale: 0.1)
        let path = models.folder + "/own.safetensors"
        try CheckpointConversion(file(head), precision: installed).write(path)
        let own = try Checkpoint.open(path)
        #expect(try own.holds(file(head, kept).tensor("head.weight"), as: "head.weight"))
        #expect(own.contains("head.weight_scale") == (installed == .int8))
        let trained = head.copy()
        trained.pointer[70] += 0.02
        #expect(try !own.holds(file(trained, kept).tensor("head.weight"), as: "head.weight"))
    }

    /// Of one precision nothing was lost, and the last bit tells.
    @Test(arguments: [Safetensors.Precision.single, .bfloat16])
    func keptWeightsOfTheModelsPrecisionAreTheSameBits(_ precision: Safetensors.Precision) throws {
        func file(_ value: Float) throws -> Checkpoint {
            let path = models.folder + "/\(UUID().uuidString).safetensors"
            try Safetensors.write(["head.weight": Tensor([value, 1], shape: [1, 2])], to: path, precision: precision)
            return try Checkpoint.open(path)
        }
        let next: Float = precision == .single ? Float(1).nextUp : 1 + 1 / 128
        #expect(try file(1).holds(file(1).tensor("head.weight"), as: "head.weight"))
        #expect(try !file(1).holds(file(next).tensor("head.weight"), as: "head.weight"))
    }

    /// A style's word is another than a subject's; one with an embedding would be lost.
    @Test func aWordOfOurOwnFileGoesInWithTheConcept() throws {
        let own = try #require(try lora.lora())
        let style = try Adapter(own, description: lora.description, word: "<pad>")
        let (file, target) = (models.folder + "/own.safetensors", models.folder + "/ink.safetensors")
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        func importing(_ tensors: [String: Tensor]) throws {
            try Adapter(description: style.description, tensors: tensors).write(file)
            try AdapterImport(model: model).write(
                file, as: .init(name: "ink", role: .style, className: ""), to: target)
        }
        try importing(style.tensors)
        #expect(try Adapter(path: target).known.map(\.word) == ["<pad>"])
        let refusal = #expect(throws: AdapterImport.Refusal.self) {
            try importing(style.tensors.merging(["word.rex.embedding": Tensor(zeros: [1, 16])]) { $1 })
        }
        #expect(refusal?.problems.count == 1 && refusal?.problems[0].contains("word.rex.embedding") == true)
    }

    @Test func whatOurOwnFileActsOnGoesInWithTheConcept() throws {
        let own = try #require(try lora.lora())
        let (file, target) = (models.folder + "/own.safetensors", models.folder + "/rex.safetensors")
        let options = LoRAAdapter.Options(
            rank: own.options.rank, alpha: own.options.alpha, targets: own.options.targets, actsOn: .prompt)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        try Adapter(LoRAAdapter(options: options, updates: own.updates), description: lora.description).write(file)
        try AdapterImport(model: model).write(
            file, as: .init(name: "rex", role: .subject, className: "dog"), to: target)
        #expect(try Adapter(path: target).actsOnWords)
    }

    /// Other programs' forms have no place for it. A style of a former version has the word of subjects.
    @Test(arguments: [ConceptRole.subject, .style])
    func theWordIsTheOneThatTheRoleIsLearntBy(_ role: ConceptRole) throws {
        let (file, folder) = (models.folder + "/own.safetensors", models.folder + "/peft")
        let target = models.folder + "/it.safetensors"
        try lora.write(file)
        try #require(try lora.lora()).write(folder)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        func word(_ path: String) throws -> String {
            try AdapterImport(model: model).write(path, as: .init(name: "it", role: role, className: "dog"), to: target)
            return try Adapter(path: target).identifier(usedAs: "it")
        }
        #expect(try word(folder) == DreamBooth.identifier(of: role))
        #expect(try word(file) == DreamBooth.identifier)
    }

    @Test func aSubjectWithoutANounIsImportedWithAWarning() throws {
        let folder = models.folder + "/peft"
        try #require(try lora.lora()).write(folder)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        func warnings(_ role: ConceptRole) throws -> [String] {
            try AdapterImport(model: model).write(
                folder, as: .init(name: "it", role: role, className: ""), to: models.folder + "/it.safetensors"
            ).warnings
        }
        #expect(
            try warnings(.subject) == [
                "<it> has no class noun: evaluations measure it as of no class; give one (--class)"
            ])
        #expect(try warnings(.style) == [])
    }

    /// The later of the two would silently take the place of the other.
    @Test func aModuleUnderTwoNamesIsRefused() throws {
        let (file, module) = (models.folder + "/two.safetensors", "model.layers.0.self_attn.q_proj")
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in lora.tensors where name.contains(module + ".") {
            let ending = name.dropFirst("base_model.model.".count)
            (tensors["transformer.\(ending)"], tensors["diffusion_model.\(ending)"]) = (tensor, tensor)
        }
        try Safetensors.write(tensors, to: file)
        let model = try #require(try ModelCatalogue(directory: models.folder)["pocket-chameleon"])
        let refusal = #expect(throws: AdapterImport.Refusal.self) {
            try AdapterImport(model: model).write(
                file, as: .init(name: "rex", role: .subject, className: "dog"), to: models.folder + "/rex.safetensors")
        }
        #expect(refusal?.problems.count == 1 && refusal?.problems[0].contains("is changed twice") == true)
    }

    @Test func oneThatChangesNothingIsImportedWithAWarning() throws {
        let outcomes = try importing { tensors, _ in
            for name in tensors.keys where name.contains("lora_B") { tensors[name]!.fill(0) }
        }
        #expect(outcomes.allSatisfy { $0.warnings.count == 1 && $0.warnings[0].contains("changes nothing") })
    }
}
