import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import Foundation
import Images
import Jobs
import Layers
import LittleWorld
import ModelTesting
import Personalization
import Tensors
import Testing

@testable import Engine

/// Every method through the one worker, and what was learned in use.
@Suite(.computing) struct PersonalizationOutputTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let method: PersonalizationMethod
        let model: String
        var role = ConceptRole.subject
        let losses: [String]
        var testDescription: String { "\(method) \(model) \(role)" }

        func spec(_ name: String = "rex", iterations: Int = 6) -> [String: JSONValue] {
            var options: [String: JSONValue] = ["iterations": .integer(iterations)]
            if method == .arbooth {
                options["distillation_maps"] = .integer(4)
            } else {
                options["prior_pictures"] = .integer(3)
            }
            if method == .coar { options["layers"] = .integer(2) }
            return [
                "version": .integer(1), "kind": .string("personalize"), "method": .string(method.rawValue),
                "model": .string(model), "seed": .integer(7),
                "concept": .object(["name": .string(name), "role": .string(role.rawValue), "class": .string("dog")]),
                "options": .object(options),
                "images": [["artifact": .string("sha256:" + String(repeating: "a", count: 64))]],
            ]
        }
    }

    static let kinds: [Kind] = [
        Kind(method: .arbooth, model: "pocket-infinity", losses: ["distillation", "subject"]),
        Kind(method: .coar, model: "pocket-chameleon", losses: ["concept", "divergence", "prior", "regularization"]),
        Kind(method: .coar, model: "pocket-chameleon", role: .style, losses: ["concept", "regularization"]),
        Kind(method: .lora, model: "pocket-infinity", losses: ["concept", "prior"]),
        Kind(method: .lora, model: "pocket-chameleon", role: .style, losses: ["concept", "prior"]),
    ]

    @Test(arguments: kinds) func aTrainingHandsOutEverything(_ kind: Kind) throws {
        let run = try Run(TinyModels(), kind.spec())
        let description = try Adapter(path: run.adapter).description
        #expect(
            description.method == kind.method && description.model == kind.model
                && description.role == kind.role)
        #expect(description.iterations == 6 && description.className == "dog")
        #expect(run.digests(.picture).count == 4 && run.digests(.sheet).count == 1 && run.digests(.curve).count == 1)
        let names = run.artifacts.filter { [.sheet, .curve].contains($0.role) }.map(\.name)
        #expect(names.sorted() == ["curve.png", "sheet.png"])
        let metrics = try #require(run.result?["metrics"])
        #expect(metrics["steps"] == .integer(6) && (metrics["adapter_bytes"]?.integer ?? 0) > 0)
        for loss in kind.losses { #expect((metrics["loss.\(loss)"]?.double ?? 0) > 0, "\(loss)") }
        #expect(
            run.events.contains {
                if case .metric(let metric) = $0 {
                    metric.values.keys.sorted() == kind.losses.map { "loss.\($0)" }
                } else {
                    false
                }
            })
    }

    /// What the untouched model draws before a training takes a large one hours.
    @Test(arguments: [
        kinds[0], kinds[3], Kind(method: .proxyTuning, model: "pocket-llamagen", losses: []),
    ])
    func whatCannotBeGoneOnFromIsToldAtOnce(_ kind: Kind) throws {
        let models = try TinyModels()
        func code(_ spec: [String: JSONValue], resume: String? = nil) throws -> String {
            try #require(throws: JobFailure.self) { try Run(models, spec, resume: resume) }.code
        }
        #expect(try code(kind.spec(), resume: models.folder + "/nowhere") == "input.checkpoint")
        if kind.method != .proxyTuning {
            #expect(try code(kind.spec().merging(["continue_from": "max"]) { $1 }) == "concept.unknown")
        }
        let logs = try FileManager.default.subpathsOfDirectory(atPath: models.folder).filter { $0.hasSuffix("/events") }
        let said = try logs.map { try String(contentsOfFile: "\(models.folder)/\($0)", encoding: .utf8) }
        #expect(!said.isEmpty && !said.contains { $0.contains("prepare") }, "\(said)")
    }

    /// A rank, or layers, other than what is gone on from has: told before anything is drawn, too.
    @Test(
        arguments: [
            (kinds[0], ["tuning": "full"]), (kinds[1], ["layers": 1]), (kinds[3], ["rank": 3]),
            (Kind(method: .lora, model: "pocket-llamagen", losses: []), ["rank": 3]),
            (Kind(method: .lora, model: "pocket-diffusion", losses: []), ["rank": 3]),
            (Kind(method: .lora, model: "pocket-llamagen", losses: []), ["acts_on": "prompt"]),
        ] as [(Kind, [String: JSONValue])])
    func anAdapterOfOtherWeightsIsToldAtOnce(_ kind: Kind, _ others: [String: JSONValue]) throws {
        let models = try TinyModels()
        var spec = kind.spec()
        let adapter = try Run(models, spec).adapter
        let concept = Concept(name: "rex", role: kind.role, className: "dog", references: [])
        let shapes = try LoadedModel(kind.model, in: models.folder)
            .learntShapes(of: concept, by: kind.method, options: spec["options"])
        try Adapter(path: adapter).verifyHolding(exactly: shapes)
        spec["continue_from"] = "rex"
        if case .object(let options) = spec["options"] { spec["options"] = .object(options.merging(others) { $1 }) }
        let failure = try #require(throws: JobFailure.self) { try Run(models, spec, adapters: ["rex": adapter]) }
        #expect(failure.code == "input.continue_from" && failure.problems?.map(\.pointer) == ["/continue_from"])
        let logs = try FileManager.default.subpathsOfDirectory(atPath: models.folder).filter { $0.hasSuffix("/events") }
        let said = try logs.map { try String(contentsOfFile: "\(models.folder)/\($0)", encoding: .utf8) }
        #expect(said.count == 2 && said.count { $0.contains("prepare") } == 1, "\(said)")
    }

    /// What acts on words because its model has it so, though no job says it.
    @Test func whatItsModelHasActOnWordsIsGoneOnWith() throws {
        let models = try TinyModels()
        let lora = Kind(method: .lora, model: "pocket-llamagen", losses: [])
        let folder = "\(models.folder)/\(lora.model)"
        var description = try #require(try ModelFolder.written(folder))
        description.training = ["lora": ["acts_on": "prompt"]]
        try JSONEncoder().encode(description).write(
            to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"))
        var spec = lora.spec(iterations: 2)
        let adapter = try Run(models, spec).adapter
        spec["continue_from"] = "rex"
        let further = try Run(models, spec, adapters: ["rex": adapter]).adapter
        #expect(try Adapter(path: adapter).actsOnWords && Adapter(path: further).actsOnWords)
    }

    /// The daemon refuses it, too: it goes by another word, and was learnt from other prompts.
    @Test func aSubjectIsNotGoneOnWithFromAStyle() throws {
        let models = try TinyModels()
        let style = Kind(method: .lora, model: "pocket-chameleon", role: .style, losses: [])
        let adapter = try Run(models, style.spec("ink", iterations: 2)).adapter
        var spec = Kind(method: .lora, model: "pocket-chameleon", losses: []).spec(iterations: 2)
        spec["continue_from"] = "ink"
        let failure = try #require(throws: JobFailure.self) { try Run(models, spec, adapters: ["ink": adapter]) }
        #expect(
            failure.problems?.map(\.description) == ["/continue_from: found ink, a style; allowed: a subject"],
            "\(failure)")
    }

    /// A former version learnt styles by the word of subjects, and wrote no word into checkpoints.
    @Test func aFormerStyleGoesOnByItsFormerWord() throws {
        let models = try TinyModels()
        let lora = Kind(method: .lora, model: "pocket-chameleon", role: .style, losses: [])
        var spec = lora.spec("ink", iterations: 3)
        func words(_ run: Run) throws -> [String?] { try Adapter(path: run.adapter).known.map(\.word) }
        let now = try Run(models, spec, checkpointSeconds: 0)
        let own = try #require(now.checkpoints.first).path
        let (state, adapter) = (models.folder + "/former-state.safetensors", models.folder + "/former.safetensors")
        let metadata = try Safetensors(path: own).metadata.filter { $0.key != "lora.word" }
        try OptimizerState(path: own).write(state, metadata: metadata)
        #expect(try words(now) == ["<pad>"])
        #expect(try words(Run(models, spec, resume: own)) == ["<pad>"])
        #expect(try words(Run(models, spec, resume: state)) == ["<unk>"])

        let learnt = try Adapter(path: now.adapter)
        var description = learnt.description
        description.options = try Adapter.Description.text(of: try #require(try learnt.lora()).options)
        try Adapter(description: description, tensors: learnt.tensors).write(adapter)
        spec["continue_from"] = "ink"
        #expect(try words(Run(models, spec, adapters: ["ink": adapter])) == ["<unk>"])
        #expect(try words(Run(models, spec, adapters: ["ink": now.adapter])) == ["<pad>"])
    }

    /// As Atelier guarantees it, for every method: the same bytes, whatever happened on the way.
    @Test(arguments: kinds) func aTrainingResumedFromACheckpointEndsWithTheSameBytes(_ kind: Kind) throws {
        let models = try TinyModels()
        let undisturbed = try Run(models, kind.spec(), checkpointSeconds: 0)
        let checkpoint = try #require(undisturbed.checkpoints.first { $0.step == 3 })
        let resumed = try Run(models, kind.spec(), resume: checkpoint.path)
        #expect(
            !resumed.events.contains {
                if case .progress(let progress) = $0 { progress.stage == "train" && progress.step <= 3 } else { false }
            })
        for role in [ArtifactRole.adapter, .picture, .sheet, .curve, .peft] {
            #expect(resumed.digests(role) == undisturbed.digests(role), "\(role)")
        }
    }

    /// Previews are drawn with what hangs there, on the words that they name.
    @Test(arguments: ["pocket-llamagen", "pocket-diffusion"])
    func whatActsOnWordsIsLearntUndisturbedByPreviews(_ model: String) throws {
        let models = try TinyModels()
        let kind = Kind(method: .lora, model: model, losses: [])
        var spec = kind.spec()
        spec["options"] = ["iterations": 6, "acts_on": "prompt"]
        let plain = try Run(models, spec, checkpointSeconds: 0)
        let checkpoint = try #require(plain.checkpoints.first { $0.step == 3 }).path
        #expect(try Run(models, spec, resume: checkpoint).digests(.adapter) == plain.digests(.adapter))
        let other = #expect(throws: JobFailure.self) { try Run(models, kind.spec(), resume: checkpoint) }
        #expect(other?.code == "input.checkpoint" && other?.message.contains("options") == true)
        spec["preview_every"] = 2
        let shown = try Run(models, spec)
        #expect(shown.digests(.preview).count == 2 && shown.digests(.adapter) == plain.digests(.adapter))
    }

    /// Both go by one word, and each keeps to it.
    @Test func subjectsThatActOnTheirWordsAreToldApart() throws {
        let models = try TinyModels()
        let lora = Kind(method: .lora, model: "pocket-llamagen", losses: [])
        var adapters: [String: String] = [:]
        for name in ["rex", "max"] {
            var spec = lora.spec(name, iterations: 2)
            spec["options"] = ["iterations": 2, "acts_on": "prompt"]
            adapters[name] = try Run(models, spec).adapter
        }
        let drawn = try Run(
            models,
            [
                "version": 1, "kind": "generate", "model": .string(lora.model),
                "prompts": ["a <rex> dog and a <max> dog"],
            ], adapters: adapters)
        #expect(drawn.digests(.picture).count == 1 && drawn.result?["warnings"] == [])
    }

    /// They tell of a word that this run's adapter has not.
    @Test func anEarlierRunsRemarksDoNotStayBesidePEFTsFiles() throws {
        let models = try TinyModels()
        let folder = models.folder + "/reused"
        try FileManager.default.createDirectory(atPath: folder + "/peft", withIntermediateDirectories: true)
        let remarks = folder + "/peft/adapter_readme.txt"
        try Data("word.rex.embedding has no place".utf8).write(to: URL(fileURLWithPath: remarks))
        let run = try Run(models, Self.kinds[3].spec(iterations: 2), in: folder)
        #expect(run.digests(.peft).count == 2 && !FileManager.default.fileExists(atPath: remarks))
    }

    @Test func aLoRAAdapterIsAlsoHandedOutAsPEFTReadsIt() throws {
        let run = try Run(TinyModels(), Self.kinds[4].spec())
        let files = run.artifacts.filter { $0.role == .peft }
        #expect(files.map(\.name) == ["adapter_config.json", "adapter_model.safetensors"])
        let read = try LoRAAdapter(directory: (files[0].path as NSString).deletingLastPathComponent)
        let own = try #require(try Adapter(path: run.adapter).lora())
        #expect(
            read.options.rank == own.options.rank && read.options.alpha == own.options.alpha
                && Set(read.options.targets) == Set(own.options.targets))
        #expect(read.parameters.map(\.value.values) == own.parameters.map(\.value.values))
    }

    /// PEFT looks for a language model's ways in whatever is said to be one.
    @Test(arguments: [(kinds[3], nil), (kinds[4], "CAUSAL_LM")] as [(Kind, String?)])
    func onlyALanguageModelIsCalledOne(_ kind: Kind, _ task: String?) throws {
        let run = try Run(TinyModels(), kind.spec(iterations: 2))
        let file = try #require(run.artifacts.first { $0.name == "adapter_config.json" }).path
        let settings = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(settings["task_type"]?.string == task && settings["base_model_name_or_path"] == nil)
    }

    /// Whoever drew with it would be refused.
    @Test(arguments: ["pocket-infinity", "pocket-diffusion"])
    func aTrainingThatChangesAWeightFarTooMuchHasDiverged(_ model: String) throws {
        var spec = Kind(method: .lora, model: model, losses: []).spec()
        spec["options"] = ["learning_rate": 1, "iterations": 20, "prior_preservation": false]
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(failure?.code == "training.diverged" && failure?.consequence == .fatal)
    }

    /// As its end would say, where nothing can be drawn any more on the way there.
    @Test func aPreviewOfADivergedTrainingSaysThatItDiverged() throws {
        var spec = Kind(method: .lora, model: "pocket-infinity", losses: []).spec()
        spec["options"] = ["learning_rate": 1, "iterations": 20, "prior_preservation": false]
        spec["preview_every"] = 19
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(failure?.code == "training.diverged" && failure?.message.contains("times its own size") == true)
    }

    /// As weights that changed too much, where it is a word or what stands in its place.
    @Test(arguments: [(kinds[0], Adapter.placeholderName), (kinds[1], ContextVectors.textName)])
    func vectorsThatRanTooFarAreADivergedTrainings(_ kind: Kind, _ vectors: String) throws {
        let models = try TinyModels()
        let run = try Run(models, kind.spec())
        let learnt = try Adapter(path: run.adapter)
        var tensors = learnt.tensors
        let far = try #require(tensors[vectors]).copy()
        far.accumulate(far.copy(), scale: 1e6)
        tensors[vectors] = far
        let order = EngineOrder(
            job: UUID(), attempt: 1, spec: try JobSpec(.object(kind.spec())), tenant: "t", images: [], adapters: [:],
            models: models.folder, workspace: models.folder, resume: nil, checkpointSeconds: 1000)
        let output = PersonalizationOutput(
            order: order, loaded: try LoadedModel(kind.model, in: models.folder),
            connection: EngineConnection(output: .nullDevice),
            concepts: [Concept(name: "rex", className: "dog", references: [])], prompts: ["a <rex> dog"], seed: 7,
            evaluations: [:], warnings: [])
        let failure = try #require(throws: JobFailure.self) {
            try output.finish(Adapter(description: learnt.description, tensors: tensors), LossCurve())
        }
        #expect(failure.code == "training.diverged" && failure.consequence == .fatal)
        #expect(failure.message.contains("times its own size"), "\(failure.message)")
        #expect(!FileManager.default.fileExists(atPath: models.folder + "/rex.safetensors"))
    }

    @Test func aMethodThatDoesNotWorkOnTheModelIsRejectedWithThoseThatDo() throws {
        var spec = Self.kinds[0].spec()
        spec["model"] = .string("pocket-chameleon")
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(
            failure?.consequence == .rejected
                && failure?.problems?.map(\.description) == [
                    "/method: found arbooth; allowed: coar, lora, proxy-tuning"
                ])
    }

    // MARK: - In use

    private func composition(_ prompts: [String], _ options: [String: JSONValue] = [:]) -> [String: JSONValue] {
        [
            "version": .integer(1), "kind": .string("compose"), "model": .string("pocket-chameleon"),
            "subject": .string("rex"), "style": .string("woodcut"),
            "prompts": .array(prompts.map(JSONValue.string)), "images_per_prompt": .integer(2), "seed": .integer(3),
            "options": .object(options),
        ]
    }

    private func concepts(_ models: TinyModels, by method: PersonalizationMethod = .coar) throws -> [String: String] {
        let subject = Kind(method: method, model: "pocket-chameleon", losses: [])
        let style = Kind(method: method, model: "pocket-chameleon", role: .style, losses: [])
        // Vectors taken far from where they start, and left to read each other from the second layer on: others hardly
        // change a picture.
        func adapter(_ kind: Kind, _ name: String) throws -> String {
            var spec = kind.spec(name, iterations: 20)
            let far: [String: JSONValue] =
                method == .coar ? ["learning_rate": .integer(1), "layers": .integer(1)] : [:]
            if case .object(let options) = spec["options"] { spec["options"] = .object(options.merging(far) { $1 }) }
            return try Run(models, spec).adapter
        }
        return ["rex": try adapter(subject, "rex"), "woodcut": try adapter(style, "woodcut")]
    }

    @Test func aSubjectIsDrawnInAStyleAndThePromptsSayBoth() throws {
        let models = try TinyModels()
        let adapters = try concepts(models)
        let run = try Run(
            models, composition(["wearing a red hat", "in the snow", "a <woodcut> picture of <rex> dog"]),
            adapters: adapters)
        let drawn = run.artifacts.filter { $0.role == .picture }
        #expect(drawn.count == 6 && run.digests(.sheet).count == 1 && run.result?["pictures"] == .integer(6))
        #expect(
            drawn.compactMap(\.prompt).enumerated().filter { $0.offset % 2 == 0 }.map(\.element) == [
                "a photo of <rex> dog wearing a red hat in <woodcut> style",
                "a photo of <rex> dog in the snow in <woodcut> style", "a <woodcut> picture of <rex> dog",
            ])
        #expect(Set(drawn.map(\.sha256)).count > 1)
        // The same through generate, where the prompt says it all.
        let generated = try Run(
            models,
            [
                "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-chameleon"),
                "images_per_prompt": .integer(2), "seed": .integer(3),
                "prompts": .array([.string("a photo of <rex> dog wearing a red hat in <woodcut> style")]),
            ], adapters: adapters)
        #expect(generated.digests(.picture) == Array(run.digests(.picture).prefix(2)))
    }

    @Test func theIdentityMaskAndTheSamplingAreOptions() throws {
        let models = try TinyModels()
        let adapters = try concepts(models)
        // As many that what the mask cuts, which is little in a tiny model, changes a token somewhere.
        let places = [
            "in the snow", "on the beach", "in the jungle", "with a crown", "in the desert", "on the mountain",
            "on a dirt road", "on green grass", "with a balloon", "under an umbrella", "wearing a red hat",
            "on a wooden floor", "on a picnic blanket", "at night in a city",
        ]
        func pictures(_ options: [String: JSONValue]) throws -> [String] {
            try Run(
                models, composition(places, options), adapters: adapters
            ).digests(.picture)
        }
        let plain = try pictures([:])
        #expect(try pictures([:]) == plain && pictures(["identity_mask": .bool(true)]) == plain)
        let guided = try pictures(["guidance": .number(9)])
        #expect(guided != plain)
        #expect(try pictures(["guidance": .number(9), "identity_mask": .bool(false)]) != guided)
        let greedy = try pictures(["top_k": .integer(1), "guidance": .integer(1)])
        #expect(greedy[0] == greedy[1], "the likeliest tokens need no seed")
    }

    @Test func adaptersByWeightComposeToo() throws {
        let models = try TinyModels()
        let adapters = try concepts(models, by: .lora)
        #expect(try Run(models, composition(["in the snow"]), adapters: adapters).digests(.picture).count == 2)
    }

    /// Both go by one word of the model's.
    @Test func subjectsThatAPromptSaysAlikeAreRejected() throws {
        let models = try TinyModels()
        let lora = Kind(method: .lora, model: "pocket-infinity", losses: [])
        var adapters: [String: String] = [:]
        for name in ["rex", "max"] { adapters[name] = try Run(models, lora.spec(name)).adapter }
        func draw(_ prompt: String, _ options: [String: JSONValue] = [:]) throws -> Run {
            try Run(
                models,
                [
                    "version": .integer(1), "kind": .string("generate"), "model": .string(lora.model),
                    "prompts": .array([.string("a dog"), .string(prompt)]), "options": .object(options),
                ], adapters: adapters)
        }
        for prompt in ["a <rex> dog and a <max> dog", "<rex> beside <max>"] {
            let failure = #expect(throws: JobFailure.self) { try draw(prompt) }
            #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/prompts/1"])
            #expect(failure?.problems?.first?.found.hasPrefix("<rex> and <max>, ") == true, "\(failure as Any)")
            #expect(failure?.problems?.first?.allowed.hasSuffix("each keeps to its own words") == true)
            let byToken = try draw(prompt, ["adapters": .string("by-token")])
            #expect(byToken.digests(.picture).count == 2 && byToken.result?["warnings"] == [])
        }
        #expect(try draw("a <rex> dog and a <max> cat").digests(.picture).count == 2)
        // Other nouns than those they were learnt with tell nobody apart; what would is said.
        var cat = lora.spec("mia")
        cat["concept"] = ["name": "mia", "role": "subject", "class": "cat"]
        adapters["mia"] = try Run(models, cat).adapter
        let told = try #require(throws: JobFailure.self) { try draw("a <rex> puppy and a <mia> kitten") }
        let nouns = "each with the noun it was learnt with right behind it, <rex> dog and <mia> cat; with "
        #expect(told.problems?.first?.allowed.hasPrefix(nouns) == true, "\(told)")
        #expect(try draw("a <rex> dog and a <mia> cat").digests(.picture).count == 2)
    }

    @Test func aStyleInASubjectsPlaceIsRejected() throws {
        let models = try TinyModels()
        let adapters = try concepts(models)
        let failure = #expect(throws: JobFailure.self) {
            try Run(
                models, composition(["x"]), adapters: ["rex": adapters["woodcut"]!, "woodcut": adapters["woodcut"]!])
        }
        #expect(failure?.problems?.map(\.pointer) == ["/subject"])
        let missing = #expect(throws: JobFailure.self) {
            try Run(models, composition(["x"]), adapters: ["rex": adapters["rex"]!])
        }
        #expect(
            missing?.problems?.map(\.description) == [
                "/style: found woodcut, which has no adapter; allowed: a style with an adapter; none is given"
            ])
    }

    @Test func aNegativePromptThatNothingLeadsAwayFromIsToldOf() throws {
        let models = try TinyModels()
        func warnings(_ options: [String: JSONValue]) throws -> [JSONValue]? {
            let usual: [String: JSONValue] = ["negative_prompt": .string("snow"), "steps": .integer(1)]
            return try Run(
                models,
                [
                    "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-diffusion"),
                    "prompts": .array([.string("a dog")]), "options": .object(usual.merging(options) { $1 }),
                ]
            ).result?["warnings"]?.array
        }
        #expect(try warnings([:]) == [])
        let told = try warnings(["guidance": .integer(1)])
        #expect(told?.count == 1 && told?[0].string?.hasPrefix("/options/negative_prompt: ") == true)
    }

    /// What a model draws of a dog, by the pictures' digests.
    private func dogs(
        _ models: TinyModels, _ model: String, _ options: [String: JSONValue], seed: Int
    ) throws -> [String] {
        try Run(
            models,
            [
                "version": 1, "kind": "generate", "model": .string(model), "prompts": ["a dog"],
                "seed": .integer(seed), "options": .object(options),
            ]
        ).digests(.picture)
    }

    /// Of a bit's two values either option can leave the likelier alone.
    @Test func bitsAreDrawnFromAsManyValuesAsAreAskedFor() throws {
        let models = try TinyModels()
        func drawn(_ options: [String: JSONValue], seed: Int) throws -> [String] {
            try dogs(models, "pocket-infinity", options, seed: seed)
        }
        let likeliest = try drawn(["top_k": 1], seed: 1)
        #expect(try drawn(["top_p": 0.5], seed: 2) == likeliest)
        let free = try drawn(["top_k": 900], seed: 1)
        #expect(free != likeliest)
        #expect(try drawn([:], seed: 1) == free)
    }

    /// The likeliest of a dozen codes has more than one in a hundred.
    @Test(arguments: ["pocket-chameleon", "pocket-llamagen"]) func codesAreDrawnFromTheLikeliest(
        _ model: String
    ) throws {
        let models = try TinyModels()
        func drawn(_ options: [String: JSONValue], seed: Int) throws -> [String] {
            try dogs(models, model, options, seed: seed)
        }
        let likeliest = try drawn(["top_k": 1], seed: 1)
        #expect(try drawn(["top_p": 0.01], seed: 2) == likeliest)
        let free = try drawn(["top_p": 1], seed: 1)
        #expect(free != likeliest)
        #expect(try drawn([:], seed: 1) == free)
    }

    @Test func aNameWithoutAnAdapterIsRejected() throws {
        let spec: [String: JSONValue] = [
            "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-chameleon"),
            "prompts": .array([.string("a dog"), .string("a <max> dog")]),
        ]
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(
            failure?.problems?.map(\.description) == [
                "/prompts/1: found <max>; allowed: no concept: no adapter is given"
            ])
        #expect(failure?.message == "1 concept has no adapter")
    }

    @Test(arguments: ["pocket-infinity", "pocket-chameleon"]) func aPromptThatIsTooLongIsRejected(
        _ model: String
    ) throws {
        let spec: [String: JSONValue] = [
            "version": .integer(1), "kind": .string("generate"), "model": .string(model),
            "prompts": .array([.string("a red dog"), .string(String(repeating: "big ", count: 60) + "dog")]),
        ]
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/prompts/1"])
        #expect(failure?.message == "1 text is too long for the model")
    }

    @Test func aPromptToLearnWithThatIsTooLongIsRejected() throws {
        var spec = PersonalizationOutputTests.kinds.first { $0.method == .coar }!.spec()
        spec["options"] = .object([
            "prompt": .string("a photo of {concept} {class} " + String(repeating: "q", count: 400))
        ])
        let failure = #expect(throws: JobFailure.self) { try Run(TinyModels(), spec) }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/options/prompt"])
    }

    /// The daemon counts by what the description says, the engine by what the network takes.
    @Test(arguments: ["pocket-infinity", "pocket-chameleon"]) func theDescriptionsLimitIsTheModels(
        _ model: String
    ) throws {
        let tiny = try TinyModels()
        let shipped = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../models").path
        for folder in [tiny.folder, shipped] {
            let loaded = try LoadedModel(model, in: folder)
            let limits = loaded.description.limits
            for concepts in 0...2 {
                #expect(
                    loaded.backbone.textLimit(concepts: concepts)
                        == (limits.promptTokens ?? 0) - concepts * (limits.tokensPerConcept ?? 0), "\(folder)")
            }
        }
        withExtendedLifetime(tiny) {}
    }

    /// What fits by the count fits into the sequence.
    @Test func theLongestPromptOfAChameleonIsDrawn() throws {
        let models = try TinyModels()
        let limit = 64 - 2 - 3 - (16 + 4 + 1)
        func spec(_ words: Int) -> [String: JSONValue] {
            [
                "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-chameleon"),
                "prompts": .array([.string(Array(repeating: "dog", count: words).joined(separator: " "))]),
            ]
        }
        #expect(try Run(models, spec(limit)).digests(.picture).count == 1)
        #expect(throws: JobFailure.self) { try Run(models, spec(limit + 1)) }
    }
}
