import Catalogue
import DaemonTesting
import Foundation
import Hashing
import Jobs
import ServerTesting
import Testing

/// What models say of themselves, and how they come and go.
@Suite struct ModelCatalogueTests {
    private let shipped = Servers.root + "/models"

    @Test func theShippedModelsSayOfThemselvesWhatTheirConfigurationsDo() throws {
        let models = try ModelCatalogue(directory: shipped).models
        #expect(models.count >= 5)
        for model in models {
            let written = try #require(model.description, "\(model.name): \(model.problems)")
            var derived = try ModelFolder.derived(model.folder)
            (derived.version, derived.digest) = (written.version, try ModelFolder.weightsDigest(in: model.folder))
            // What a model never met no file of its own says but the description.
            derived.unlearnt = written.unlearnt
            #expect(written == derived, "atelierctl models seal \(model.name)")
        }
        let infinity = try #require(try ModelCatalogue(directory: shipped)["pocket-infinity"]?.description)
        #expect(infinity.limits.promptTokens == 32 && infinity.limits.scales == 5)
        #expect(infinity.encoders == .init(clip: "pocket-clip", dino: "pocket-dino"))
        #expect(infinity.pictures == [.init(width: 64, height: 64)] && infinity.sampling["guidance"] == 3)
    }

    @Test func aModelIsAddedUnderAnyNameAndRemoved() throws {
        let (source, models) = (try TemporaryFolder(), try TemporaryFolder())
        let original = try StubModel.write("large", .infinity, in: source.path)
        try source.write("large/losses.png", "not a part of it")
        let installation = ModelInstallation(directory: models.path)
        let added = try installation.add(source.path + "/large", name: "larger-2")
        #expect(added.description?.name == "larger-2" && added.description?.digest == original.digest)
        #expect(added.verify() == [] && access(models.path + "/larger-2/losses.png", F_OK) != 0)
        #expect(try ModelCatalogue(directory: models.path).usable.map(\.name) == ["larger-2"])
        #expect(throws: ModelInstallation.Refusal.self) {
            try installation.add(source.path + "/large", name: "larger-2")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: models.path) == ["larger-2"])
        try installation.remove("larger-2")
        #expect(try FileManager.default.contentsOfDirectory(atPath: models.path) == [])
        #expect(throws: ModelInstallation.Refusal.self) { try installation.remove("../" + models.path) }
    }

    /// As long as it says and empty on the disk, for nobody reads a number of it.
    @Test(arguments: [("block.weight", "F32", true), ("block.weight", "BF16", false), ("shared.weight", "F32", true)])
    func largeMatricesOfAReleaseThatAreFloatsAreWarnedOf(name: String, type: String, isSaid: Bool) throws {
        let folder = try TemporaryFolder()
        let bytes = (type == "F32" ? 4 : 2) * 32_769 * 16_384
        let header = Data(
            #"{"\#(name)":{"dtype":"\#(type)","shape":[32769,16384],"data_offsets":[0,\#(bytes)]}}"#.utf8)
        let file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        let path = folder.path + "/transformer.safetensors"
        try file.write(to: URL(fileURLWithPath: path))
        try #require(truncate(path, file.count + bytes) == 0)
        #expect(ModelFolder(folder.path).precisionWarning == nil, "it is not made of a release")
        for isLinked in [false, true] {
            try folder.write(
                "release.json", #"{"title": "Infinity", "sources": {}, "isLinked": \#(isLinked), "warnings": []}"#)
            let warning = ModelFolder(folder.path).precisionWarning
            #expect(warning?.contains("2048 MiB of memory") ?? false == isSaid, "\(warning ?? "")")
            #expect(warning?.contains("without --link") ?? false == (isSaid && isLinked))
        }
    }

    /// Nobody holds it; what another program is about to add is held.
    @Test func whatAKilledProgramLeftIsRemoved() throws {
        let (source, models) = (try TemporaryFolder(), try TemporaryFolder())
        try StubModel.write("m", .infinity, in: source.path)
        for left in [".adding-1/m", ".removing-2/m"] {
            let path = "\(models.path)/\(left)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let installation = ModelInstallation(directory: models.path)
        let first = try installation.stage(source.path + "/m", name: "first")
        let second = try installation.stage(source.path + "/m", name: "second")
        let names = try FileManager.default.contentsOfDirectory(atPath: models.path)
        #expect(names.count == 2 && !names.contains(".adding-1") && !names.contains(".removing-2"), "\(names)")
        #expect(try [first.settle().name, second.settle().name] == ["first", "second"])
    }

    @Test func aProblemNamesTheFileThatWasGivenAndNotTheStagedOne() throws {
        let (source, models) = (try TemporaryFolder(), try TemporaryFolder())
        try StubModel.write("m", .infinity, in: source.path)
        let staged = try ModelInstallation(directory: models.path).stage(source.path + "/m", name: "n")
        let said = staged.naming(sourceOf: "\(staged.folder)/tokenizer.json: it is a web page")
        #expect(said == "\(source.path)/m/tokenizer.json: it is a web page")
        #expect(staged.naming(sourceOf: "a is missing") == "a is missing")
    }

    @Test func everythingThatIsWrongIsSaidAtOnceAndNothingIsLeft() throws {
        let (source, models) = (try TemporaryFolder(), try TemporaryFolder())
        try StubModel.write("m", .infinity, in: source.path)
        try Data(StubModel.weights().dropLast()).write(
            to: URL(fileURLWithPath: source.path + "/m/transformer.safetensors"))
        unlink(source.path + "/m/text_encoder.safetensors")
        do {
            _ = try ModelInstallation(directory: models.path).add(source.path + "/m", name: "a/b")
            Issue.record("added")
        } catch let refusal as ModelInstallation.Refusal {
            let text = refusal.description
            #expect(text.contains("a/b is no name of a model"))
            #expect(text.contains("transformer.safetensors: a: data_offsets"))
            #expect(text.contains("text_encoder.safetensors: is missing"))
            #expect(text.contains("transformer.safetensors: has SHA-256"), "\(text)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: models.path) == [])
    }

    @Test func aDescriptionThatCannotBeReadIsNamed() throws {
        let folder = try TemporaryFolder()
        try StubModel.write("m", .dino, in: folder.path)
        func problems() throws -> [String] { try ModelCatalogue(directory: folder.path).models.flatMap(\.problems) }
        #expect(try problems() == [])
        try FileManager.default.moveItem(atPath: folder.path + "/m", toPath: folder.path + "/n")
        #expect(try problems().first?.hasPrefix("model.json: is of m; the folder must be called") == true)
        try folder.write("n/model.json", #"{"name":"n","family":"gan"}"#)
        #expect(try problems().first?.hasPrefix("model.json: ") == true && problems()[0].contains("gan"))
        try folder.write("n/model.json", "{")
        #expect(try problems().first == "model.json: is not JSON")
        unlink(folder.path + "/n/model.json")
        #expect(try problems().first == "has no model.json: atelierctl models seal n writes it")
    }

    @Test func aFolderThatIsNotThereIsNotTakenForADamagedOne() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ModelFolder.Undescribed.self) { try ModelFolder.derived(folder.path + "/m/m") }
        #expect(error?.description == "\(folder.path)/m/m/config.json: cannot be read; a model's folder holds it")
        try folder.write("config.json", "{")
        let damaged = #expect(throws: ModelFolder.Undescribed.self) { try ModelFolder.derived(folder.path) }
        #expect(damaged?.description == "config.json: is not JSON")
    }

    @Test func sealingKeepsWhatWasWrittenAndRenewsTheDigest() throws {
        let folder = try TemporaryFolder()
        let before = try StubModel.write("m", .clip, in: folder.path)
        try StubModel.weights(7).write(to: URL(fileURLWithPath: folder.path + "/m/model.safetensors"))
        #expect(ModelFolder(folder.path + "/m").verify().count == 2, "the sums and the description")
        try ModelFolder.seal(folder.path + "/m", unlearnt: ["two"])
        try ModelFolder.seal(folder.path + "/m", version: "2")
        let after = try #require(try ModelFolder.written(folder.path + "/m"))
        #expect(after.digest != before.digest && after.version == "2" && after.limits == before.limits)
        #expect(after.unlearnt == ["two"])
        #expect(ModelFolder(folder.path + "/m").verify() == [])
    }

    /// T5's and CLIP's own files. Sums of an earlier version lack them: such a model is right, and what helps is said.
    @Test func tokenizersThatAreNoJSONAreCovered() throws {
        let (folder, models) = (try TemporaryFolder(), try TemporaryFolder())
        try StubModel.write("m", .clip, in: folder.path)
        try FileManager.default.createDirectory(atPath: folder.path + "/m/tokenizer", withIntermediateDirectories: true)
        for name in ["spiece.model", "tokenizer/merges.txt"] { try folder.write("m/" + name, "words") }
        let model = ModelFolder(folder.path + "/m")
        #expect(model.verify() == [])
        let hint = model.sealHint
        #expect(hint?.hasPrefix("spiece.model, tokenizer/merges.txt: not in SHA256SUMS") == true, "\(hint ?? "")")
        #expect(hint?.contains("atelierctl models seal m") == true)
        #expect(try ModelInstallation(directory: models.path).add(model.folder, name: "m").sealHint == nil)
        try ModelFolder.seal(model.folder)
        #expect(model.verify() == [] && model.sealHint == nil)
        for name in ["spiece.model", "tokenizer/merges.txt"] {
            try folder.write("m/" + name, "other words")
            #expect(model.verify().first?.hasPrefix("\(name): has SHA-256 ") == true)
            try folder.write("m/" + name, "words")
        }
    }

    /// What a file leaves out is what it is drawn by.
    @Test(
        arguments: [
            (
                "UNet2DConditionModel", #"{"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"}"#,
                "EulerDiscreteScheduler, leading spacing, predicts epsilon"
            ),
            (
                "UNet2DConditionModel", #"{"_class_name": "HeunDiscreteScheduler", "prediction_type": "v_prediction"}"#,
                "HeunDiscreteScheduler, linspace spacing, predicts v_prediction, drawn by Euler's steps"
            ),
            (
                "UNet2DConditionModel", #"{"use_karras_sigmas": true, "rescale_betas_zero_snr": true}"#,
                "EulerDiscreteScheduler, leading spacing, predicts epsilon, Karras' sigmas, ends in noise"
            ),
            (
                "SD3Transformer2DModel", #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3}"#,
                "FlowMatchEulerDiscreteScheduler, shift 3"
            ),
            (
                "FluxTransformer2DModel", #"{"use_dynamic_shifting": true, "max_shift": 1.25, "shift": 3}"#,
                "FlowMatchEulerDiscreteScheduler, shift grows from 0.5 to 1.25 over 256 to 4096 tokens"
            ),
        ] as [(String, String, String)])
    func aPipelineTellsItsSchedule(network: String, settings: String, said: String) throws {
        let folder = try TemporaryFolder()
        #expect(SamplingSchedule(in: folder.path) == nil)
        try FileManager.default.createDirectory(atPath: folder.path + "/scheduler", withIntermediateDirectories: true)
        try folder.write("config.json", #"{"pipeline": "\#(network)"}"#)
        try folder.write("scheduler/scheduler_config.json", settings)
        #expect(SamplingSchedule(in: folder.path)?.description == said)
    }

    /// Its sums would say that it is as it should be.
    @Test func aModelThatLacksFilesIsNotSealed() throws {
        let folder = try TemporaryFolder()
        let model = folder.path + "/m"
        try StubModel.write("m", .infinity, in: folder.path)
        let sums = try ChecksumFile(in: model)
        unlink(model + "/text_encoder.safetensors")
        try Data(StubModel.weights().dropLast()).write(to: URL(fileURLWithPath: model + "/transformer.safetensors"))
        let refusal = #expect(throws: ModelInstallation.Refusal.self) { try ModelFolder.seal(model, version: "2") }
        let problems = refusal?.problems ?? []
        #expect(problems.count == 2 && problems[0].hasPrefix("text_encoder.safetensors: is missing"), "\(problems)")
        #expect(problems.last?.hasPrefix("transformer.safetensors: a: data_offsets") == true, "\(problems)")
        #expect(try ModelFolder.written(model)?.version != "2" && ChecksumFile(in: model) == sums)
    }

    /// As of a model that was added with `--link`, whose originals moved.
    @Test func aLinkThatLeadsNowhereIsSaidOnceWithWhereItPoints() throws {
        let folder = try TemporaryFolder()
        let model = folder.path + "/ln"
        try StubModel.write("ln", .infinity, in: folder.path)
        let original = folder.path + "/vae.pth"
        try FileManager.default.moveItem(atPath: model + "/tokenizer.safetensors", toPath: original)
        try FileManager.default.createSymbolicLink(atPath: model + "/tokenizer.pth", withDestinationPath: original)
        try ModelFolder.seal(model)
        #expect(ModelFolder(model).verify() == [])
        try FileManager.default.removeItem(atPath: original)
        let problem = "tokenizer.pth: is a link to \(original), which is not there"
        #expect(ModelFolder(model).problems == [problem] && ModelFolder(model).verify() == [problem])
        let refusal = #expect(throws: ModelInstallation.Refusal.self) { try ModelFolder.seal(model) }
        #expect(refusal?.problems == [problem])
        #expect(ReleaseScan([model + "/tokenizer.pth"]).missing == ["\(model)/\(problem)"])

        let choice = try ModelCatalogue(directory: folder.path).choice
        let body: JSONValue = ["version": 1, "kind": "generate", "model": "ln", "prompts": ["a dog"]]
        let problems = #expect(throws: Problems.self) { try JobSpec(body, models: choice) }
        let said = problems?.list.first { $0.pointer == "/model" }
        #expect(said?.allowed.hasSuffix("; ln is here but unusable: \(problem)") == true, "\(problems?.list ?? [])")
    }
}
