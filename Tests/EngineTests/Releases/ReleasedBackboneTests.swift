import Autograd
import Catalogue
import ComputeTesting
import FileTesting
import Foundation
import Images
import Jobs
import ModelTesting
import Personalization
import ServerTesting
import Testing

@testable import Backbones
@testable import Engine

private let releases = sharedFolder("releases")

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
        #expect(plain.digests(.picture).count == 2 && Set(plain.digests(.picture)).count == 2)
        let learnt = try Run(models, learnLoRA(model.name))
        #expect(learnt.digests(.adapter).count == 1 && learnt.digests(.picture).count == 1)
        var drawing = generate(model.name)
        drawing["prompts"] = ["A photo of a <rex> dog, nice!"]
        let drawn = try Run(models, drawing, adapters: ["rex": learnt.adapter])
        #expect(drawn.digests(.picture) != plain.digests(.picture))
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

    /// The four as diffusers lays them out, converted and linked: drawn, learnt on, drawn with what was learnt.
    @Test(arguments: ["sdxl", "sd3-medium", "sd35-large", "flux1-dev"], [false, true])
    func theDiffusionFamiliesDrawAndLearn(release: String, links: Bool) throws {
        let models = try TinyModels()
        let model = try add(release, to: models, links: links) { $0.side = 32 }
        try shortenSampling(of: release, in: models)
        #expect(model.description?.family == .diffusion && model.problems == [])
        let plain = try Run(models, generate(model.name))
        #expect(plain.digests(.picture).count == 2 && Set(plain.digests(.picture)).count == 2)
        guard !links else { return }
        let learnt = try Run(models, learnLoRA(model.name))
        #expect(try remarks(of: learnt) == "in other programs prompts say sks for rex\n")
        var drawing = generate(model.name)
        drawing["prompts"] = ["A photo of a red <rex>, nice!"]
        let drawn = try Run(models, drawing, adapters: ["rex": learnt.adapter])
        drawing["prompts"] = ["A photo of a red sks, nice!"]
        #expect(try Run(models, drawing).digests(.picture) != drawn.digests(.picture))
        drawing["prompts"] = ["A photo of a red <rex>, nice!"]
        drawing["options"] = ["adapters": "by-token"]
        let byToken = try Run(models, drawing, adapters: ["rex": learnt.adapter])
        #expect(byToken.digests(.picture) != drawn.digests(.picture))
        func attended(_ adapters: String) throws -> Double? {
            let profile = OperationProfile()
            drawing["options"] = ["adapters": .string(adapters)]
            try OperationProfile.$current.withValue(profile) {
                _ = try Run(models, drawing, adapters: ["rex": learnt.adapter])
            }
            return profile.costs["attention"]?.operations
        }
        let merged = try #require(try attended("merged"))
        #expect(try attended("by-token") == merged, "no text is encoded besides")
    }

    /// Where its shift grows with the picture, diffusers' pipeline of SD3 leaves the steps to its scheduler, whose last
    /// is a thousandth; FLUX's ends at 1/steps.
    @Test(arguments: [("sd3-medium", 1e-3), ("flux1-dev", 0.25)])
    func aGrowingShiftEndsWhereThePipelineHasIt(release: String, last: Double) throws {
        let models = try TinyModels()
        let model = try add(release, to: models) { $0.side = 32 }
        try models.change("\(release)/scheduler/scheduler_config.json") { $0.adding("use_dynamic_shifting", true) }
        let pipeline = try DiffusionPipeline(directory: model.folder)
        let sampler = try #require(pipeline.sampler(steps: 4, latents: [1, 16, 32, 32]) as? FlowEuler)
        let power = exp(0.5)  // at 256 tokens
        #expect(abs(Double(sampler.sigmas[3]) - power / (power + 1 / last - 1)) < 1e-6)
    }

    /// Each by the rare word that its encoders read in its place.
    @Test func conceptsCountAsTheyAreSpelled() throws {
        let models = try TinyModels()
        let model = try add("sdxl", to: models) { $0.side = 32 }
        let loaded = try LoadedModel(model.name, in: models.folder)
        let pipeline = try DiffusionPipeline(directory: model.folder)
        let names = ["rex", "mia"]
        let room = pipeline.longestPrompt - pipeline.tokenCount("ohwx")
        func problems(_ words: Int) -> [Problem] {
            let text = "<mia>" + String(repeating: " a", count: words)
            return loaded.tooLong([("/prompts/0", text)], concepts: names, spelled: ConceptSpellings(of: names))
        }
        #expect(problems(room) == [])
        #expect(problems(room + 1).map(\.found) == ["\(pipeline.longestPrompt + 1) tokens"])
        #expect(pipeline.tokenCount("") == 2, "both marks count")
    }

    /// `by-token` looks for a concept's word among the rows that the network reads.
    @Test(arguments: ["sdxl", "sd3-medium"]) func aWordIsFoundWhereCLIPReadsIt(release: String) throws {
        let models = try TinyModels()
        let prompts = try DiffusionPipeline(directory: add(release, to: models) { $0.side = 32 }.folder).prompts
        let (clip, length) = (prompts.streams[0], prompts.towerLengths[0])
        let (word, read) = (clip.words("sks"), prompts.ids("a sks dog")[0])
        #expect(!word.isEmpty && read.starts(with: clip.ids("a sks dog")))
        #expect(clip.ids("a sks dog").firstRange(of: word) != nil)
        #expect(clip.ids(String(repeating: "a ", count: 2 * length)).count == length, "no further row is CLIP's")
    }

    /// A real model teaches, another learns: each of two concepts goes by a rare word of its own.
    @Test func proxyTuningGoesFromARealSupervisorToARealStudent() throws {
        let models = try TinyModels()
        // The supervisor's usual pictures are smaller than the student's, whose size it draws too.
        for (name, side) in [("sdxl", 32), ("flux1-dev", 64)] {
            _ = try add(name, to: models) { $0.side = side }
            try shortenSampling(of: name, in: models)
        }
        var spec = learn(
            "proxy-tuning", "flux1-dev",
            [
                "supervisor": "sdxl", "proxies": 2, "supervisor_iterations": 2, "supervisor_batch": 1,
                "iterations": 2, "batch": 1, "rank": 2, "supervisor_rank": 2, "prior_pictures": 1,
            ])
        spec["concept"] = nil
        spec["concepts"] = [
            ["name": "rex", "role": "subject", "class": "dog", "images": [0, 1]],
            ["name": "mia", "role": "subject", "class": "cat", "images": [2]],
        ]
        let run = try Run(models, spec)
        #expect(try Picture(pngFile: run.artifacts.first { $0.role == .proxy }!.path).width == 64)
        let adapter = try Adapter(path: run.adapter)
        #expect(adapter.known.map(\.word) == ["sks", "ohwx"])
        #expect(try remarks(of: run) == "in other programs prompts say sks for rex, ohwx for mia\n")
        var drawing = generate("flux1-dev")
        func pictures(_ prompt: String) throws -> [String] {
            drawing["prompts"] = [.string(prompt)]
            return try Run(models, drawing, adapters: ["rex": run.adapter, "mia": run.adapter]).digests(.picture)
        }
        #expect(try pictures("a <rex> dog and a <mia> cat") != pictures("a <mia> dog and a <rex> cat"))
    }

    /// FLUX.1 without guidance in the network is schnell, of whose prompts its authors have T5 read half as much.
    @Test(arguments: [(true, 512), (false, 256)])
    func schnellReadsShorterPrompts(isGuided: Bool, tokens: Int) throws {
        let models = try TinyModels()
        let source = models.folder + "/source"
        try FileManager.default.copyItem(atPath: "\(releases!)/flux1-dev", toPath: source)
        try models.change("source/transformer/config.json") { $0.adding("guidance_embeds", .bool(isGuided)) }
        let model = try ModelInstallation(directory: models.folder).add(release: [source], name: "f").model
        let isTold: Bool? = isGuided ? true : nil
        #expect(model.description?.limits.promptTokens == tokens)
        #expect(model.description?.limits.isToldGuidance == isTold)
        let pipeline = try DiffusionPipeline(directory: model.folder)
        #expect(pipeline.longestPrompt == tokens && pipeline.encode(["a dog"]).tokens.shape[1] == tokens)
        #expect(try DiffusionWork(pipeline: model.folder).readLength == tokens)
        // As one says that was added before they were told apart.
        var former = try #require(model.description)
        former.limits.promptTokens = 512
        former.limits.isToldGuidance = nil
        try JSONEncoder().encode(former).write(
            to: URL(fileURLWithPath: "\(model.folder)/\(ModelDescription.fileName)"))
        #expect(ModelFolder(model.folder).description?.limits.promptTokens == tokens)
        #expect(ModelFolder(model.folder).description?.limits.isToldGuidance == isTold)
    }

    /// What is said beside PEFT's files.
    private func remarks(of run: Run) throws -> String {
        let file = try #require(run.artifacts.first { $0.name == "adapter_readme.txt" }).path
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    /// Two steps a picture instead of the model's fifty.
    private func shortenSampling(of name: String, in models: TinyModels) throws {
        try models.change("\(name)/config.json") { $0.adding("steps", 2) }
    }

    @Test func allThatAPipelineLacksIsSaidAtOnce() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(releases!)/sdxl", toPath: folder)
        for name in ["text_encoder_2", "tokenizer/vocab.json", "unet/config.json", "scheduler"] {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let said = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan([folder]).recognized() }
        let problems = try #require(said).problems
        for part in ["/unet: has no config.json", "/text_encoder_2", "/tokenizer: has no", "/scheduler: has no"] {
            #expect(problems.contains { $0.contains(part) }, "\(part): \(problems)")
        }
    }

    /// What is predicted is taken from the latents, and has to have their channels.
    @Test(arguments: ["sd3-medium", "flux1-dev"]) func aNetworkOfOtherChannelsDrawsNothing(release: String) throws {
        let models = try TinyModels()
        let model = try add(release, to: models)
        try models.change("\(release)/transformer/config.json") { $0.adding("out_channels", 8) }
        #expect(throws: OtherChannels.self) { try DiffusionPipeline(directory: model.folder) }
    }

    /// Text encoders of another model's widths make nothing that the network reads.
    @Test func aNetworkOfOtherTextsDrawsNothing() throws {
        let models = try TinyModels()
        let model = try add("sdxl", to: models)
        try models.change("sdxl/unet/config.json") { $0.adding("addition_time_embed_dim", 6) }
        #expect(throws: OtherTexts.self) { try DiffusionPipeline(directory: model.folder) }
    }

    /// The rows of CLIP's towers stand beside each other.
    @Test func textEncodersOfSeveralLengthsDrawNothing() throws {
        let models = try TinyModels()
        let model = try add("sdxl", to: models)
        try models.change("sdxl/text_encoder_2/config.json") { $0.adding("max_position_embeddings", 64) }
        #expect(throws: UnevenTexts.self) { try DiffusionPipeline(directory: model.folder) }
    }

    /// A UNet's levels halve odd sides too: fine-tunes are made at many sizes.
    @Test func sidesThatAUNetsLevelsDoNotDivideAreDrawn() throws {
        let models = try TinyModels()
        let model = try add("sdxl", to: models) { $0.side = 32 }
        try models.change("sdxl/config.json") { $0.adding("pictureSize", 40) }
        #expect(try LoadedModel(directory: model.folder).pictureSize == 40)
        try models.change("sdxl/config.json") { $0.adding("pictureSize", 36) }
        let failure = #expect(throws: JobFailure.self) { try LoadedModel(directory: model.folder) }
        #expect(failure?.message.contains("takes sides that 8 divides") == true, "\(failure?.message ?? "")")
    }

    /// A picture of as many codes in more rows takes more places.
    @Test func aSizeThatTakesMorePlacesThanThereAreIsAnError() throws {
        let models = try TinyModels()
        let model = try add("lumina-mgpt-7b-768", to: models) { $0.side = 64 }
        try models.change("lumina-mgpt-7b-768/config.json") {
            $0.adding("transformer", $0["transformer"]?.adding("longestSequence", 27))
        }
        _ = try LoadedModel(directory: model.folder)
        let failure = #expect(throws: JobFailure.self) {
            try LoadedModel(directory: model.folder, size: .init(width: 32, height: 128))
        }
        #expect(
            failure?.message.contains("/transformer/longestSequence: 27; a picture of 32×128 pixels") == true,
            "\(failure?.message ?? "")")
    }

    private func photograph(_ width: Int, _ height: Int) -> Picture {
        Picture(
            width: width, height: height,
            pixels: (0..<width * height).flatMap { place -> [UInt8] in
                let (x, y) = (place % width, place / width)
                return [UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x + 2 * y) % 256)]
            })
    }

    /// As Lumina-mGPT was trained: a portrait and a landscape beside a square lose nothing but what their shapes do.
    @Test(arguments: ["lora", "coar"]) func luminasReferencesKeepTheirShapes(method: String) throws {
        let models = try TinyModels()
        let model = try add("lumina-mgpt-7b-768", to: models) { $0.side = 64 }
        var options: [String: JSONValue] = ["iterations": 3, "batch": 3, "prior_pictures": 1, "learning_rate": 0.01]
        options[method == "lora" ? "rank" : "layers"] = 1
        let spec = learn(method, model.name, options)
        let references = [photograph(40, 80), photograph(96, 40), photograph(64, 64)]
        let run = try Run(models, spec, checkpointSeconds: 0, references: references)
        let squares = references.map { picture in
            let side = min(picture.width, picture.height)
            return picture.centreCropped(width: side, height: side)
        }
        #expect(try Run(models, spec, references: squares).digests(.adapter) != run.digests(.adapter))
        let checkpoint = try #require(run.checkpoints.first)
        let resumed = try Run(models, spec, resume: checkpoint.path, references: references)
        #expect(resumed.digests(.adapter) == run.digests(.adapter) && resumed.digests(.picture).count == 1)
    }

    /// More rows have more ends, and leave less room.
    @Test func aPromptMustFitBesideTheTallestReference() throws {
        let models = try TinyModels()
        let model = try add("lumina-mgpt-7b-768", to: models) { $0.side = 64 }
        let chameleon = try ChameleonModel(directory: model.folder)
        let said = "a photo of <rex> dog on the beach, in the snow and in the jungle"
        let tokenizer = chameleon.textTokenizer.adding(placeholders: ["<rex>"])
        let tokens = chameleon.words(said, tokenizer: tokenizer).count
        // The prompt, a square of 4 × 4 codes with all marks, and the image vectors.
        try models.change("lumina-mgpt-7b-768/config.json") {
            $0.adding("transformer", $0["transformer"]?.adding("longestSequence", .integer(tokens + 5 + 21 + 1)))
        }
        let prompt = said.replacing("<rex> dog", with: "{concept} {class}")
        let spec = learn(
            "coar", model.name, ["iterations": 1, "prior_pictures": 1, "layers": 1, "prompt": .string(prompt)])
        let square = photograph(64, 64)
        #expect(try Run(models, spec, references: [square, square, square]).digests(.adapter).count == 1)
        let failure = try #require(throws: JobFailure.self) {
            try Run(models, spec, references: [square, photograph(32, 128), square])
        }
        #expect(failure.problems?.map(\.pointer) == ["/options/prompt"])
        #expect(failure.problems?.first?.allowed.hasSuffix("tokens beside a reference of 32×128") == true)
    }

    @Test func headsThatDoNotDivideTheWidthAreAnError() throws {
        let models = try TinyModels()
        let model = try add("lumina-mgpt-7b-768", to: models)
        try models.change("lumina-mgpt-7b-768/config.json") {
            $0.adding("transformer", $0["transformer"]?.adding("heads", 3))
        }
        let error = try #require(throws: (any Error).self) { try ChameleonModel(directory: model.folder) }
        #expect("\(error)".contains("config.json: /transformer/heads: 3 does not divide width, 16"), "\(error)")
    }

    /// A job's size is what its pictures have and what its result says; one that no shape covers is refused.
    @Test(arguments: [
        ("infinity-2b", "224x336"), ("infinity-2b", "352x176"), ("lumina-mgpt-7b-768", "64x32"), ("sdxl", "32x64"),
        ("sd3-medium", "48x32"), ("flux1-dev", "32x48"), ("infinity-2b", "200x290"), ("lumina-mgpt-7b-768", "60x30"),
        ("sd3-medium", "31x45"),
    ])
    func aJobSaysTheSizeOfItsPictures(release: String, size: String) throws {
        let models = try TinyModels()
        _ = try add(release, to: models) {
            if release.hasPrefix("infinity") {
                $0.pixels = "0.06M"
            } else {
                $0.side = release.hasPrefix("lumina") ? 64 : 32
            }
        }
        if models.steps(of: release) != nil { try shortenSampling(of: release, in: models) }
        var spec = generate(release)
        (spec["size"], spec["images_per_prompt"]) = (.string(size), 1)
        let run = try Run(models, spec)
        #expect(run.result?["size"] == .string(size))
        let picture = try Picture(pngFile: run.artifacts.first { $0.role == .picture }!.path)
        #expect("\(picture.width)x\(picture.height)" == size)
        spec["size"] = "1000x24"
        let failure = #expect(throws: JobFailure.self) { try Run(models, spec) }
        #expect(failure?.problems?.map(\.pointer) == ["/size"])
    }
}

extension TinyModels {
    /// Steps from noise to picture; nil of a model that takes none.
    fileprivate func steps(of name: String) -> Int? {
        FileManager.default.contents(atPath: "\(folder)/\(name)/config.json")
            .flatMap { try? JSONValue(json: $0) }?["steps"]?.integer
    }
}
