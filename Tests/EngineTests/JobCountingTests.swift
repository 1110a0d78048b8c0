import Backbones
import Catalogue
import Checkpoints
import Foundation
import Jobs
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Engine

@Suite struct JobCountingTests {
    private let models: TinyModels
    private let counting: JobCounting

    init() throws {
        models = try TinyModels()
        counting = JobCounting(models: InstalledSizes(directory: models.folder)) { _, _ in 8 }
    }

    private func cost(_ body: JSONValue) throws -> JobCost {
        let spec = try JobSpec(body)
        return try #require(counting.cost(of: spec))
    }

    private func generate(_ members: [String: JSONValue]) -> JSONValue {
        .object(
            ["version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["a dog"]]
                .merging(members) { $1 })
    }

    private func personalize(_ method: String, _ model: String, _ options: JSONValue) -> JSONValue {
        [
            "version": 1, "kind": "personalize", "method": .string(method), "model": .string(model),
            "concept": ["name": "rex", "role": "subject", "class": "dog"],
            "images": [["artifact": .string("sha256:" + String(repeating: "0", count: 64))]], "options": options,
        ]
    }

    @Test func morePicturesTakeMore() throws {
        let (one, eight, sixteen) = try (
            cost(generate([:])), cost(generate(["images_per_prompt": 8])), cost(generate(["images_per_prompt": 16]))
        )
        let products = "products"
        #expect(eight.work[products]! > 7 * one.work[products]!)
        #expect(eight.memoryBytes > one.memoryBytes)
        #expect(sixteen.memoryBytes == eight.memoryBytes, "they are drawn eight at a time")
        #expect(sixteen.diskBytes == 2 * eight.diskBytes)
        let pixels = "pixels"
        #expect(sixteen.work[pixels]! == 2 * eight.work[pixels]! && eight.work[pixels]! > 0)
        #expect(one.work[HostMeasurement.starts] == 1)
    }

    @Test func aSizeTakesWhatItsShapeTakes() throws {
        let (whole, cut) = try (cost(generate([:])), cost(generate(["size": "15x14"])))
        #expect(cut.work["products"] == whole.work["products"] && cut.work["pixels"]! < whole.work["pixels"]!)
        #expect(try counting.cost(of: JobSpec(generate(["size": "17x16"]))) == nil)
    }

    @Test func guidanceTakesThePromptAway() throws {
        let (guided, plain) = try (cost(generate([:])), cost(generate(["options": ["guidance": 1]])))
        #expect(guided.work["scores"]! > 1.9 * plain.work["scores"]!)
    }

    @Test(arguments: [
        ("arbooth", "pocket-infinity"), ("coar", "pocket-chameleon"), ("lora", "pocket-infinity"),
        ("lora", "pocket-chameleon"),
    ])
    func everyStepCounts(method: String, model: String) throws {
        let costs = try [10, 20, 30].map { try cost(personalize(method, model, ["iterations": .integer($0)])) }
        let steps = costs.map { $0.work["products_bf16"]! }
        #expect(steps[1] > steps[0] && abs((steps[2] - steps[1]) / (steps[1] - steps[0]) - 1) < 1e-9)
        #expect(costs[0].memoryBytes == costs[2].memoryBytes)
        let larger = try cost(personalize(method, model, ["iterations": 10, "batch": 8]))
        #expect(larger.work["products_bf16"]! > steps[0] && larger.memoryBytes >= costs[0].memoryBytes)
    }

    /// A reference is resized to 16, 17 or 18 pixels on a side, or to up to 64.
    @Test(arguments: [
        ("arbooth", "pocket-infinity"), ("coar", "pocket-chameleon"), ("lora", "pocket-llamagen"),
        ("lora", "pocket-diffusion"),
    ])
    func everyCutOfAReferenceIsCountedOnce(method: String, model: String) throws {
        func encoding(zoom: JSONValue, steps: Int) throws -> Double {
            try cost(personalize(method, model, ["largest_zoom": zoom, "iterations": .integer(steps)]))
                .work["convolutions_bf16"]!
        }
        let (few, many) = try (encoding(zoom: 1.15, steps: 100), encoding(zoom: 4, steps: 100))
        #expect(try many > few && encoding(zoom: 1.15, steps: 200) == few && encoding(zoom: 4, steps: 200) == many)
    }

    /// Beside its steps, each of which goes there and back, a pass over every reference.
    @Test func coarReadsAReferenceOnceBeforeItsSteps() throws {
        let work = try [10, 20].map {
            let options: JSONValue = ["iterations": .integer($0), "prior_preservation": false]
            return try cost(personalize("coar", "pocket-chameleon", options)).work["products_bf16"]!
        }
        let (step, before) = ((work[1] - work[0]) / 10, 2 * work[0] - work[1])
        #expect(before > 0 && before < 0.9 * step, "\(before) beside \(step)")
    }

    @Test(arguments: ["diffusion", "chameleon", "llamagen", "infinity"])
    func picturesOfTheClassAreDrawnAFewAtATime(family: String) throws {
        func cost(_ pictures: Int) throws -> JobCost {
            try self.cost(personalize("lora", "pocket-\(family)", ["prior_pictures": .integer(pictures)]))
        }
        let (few, many) = try (cost(8), cost(256))
        #expect(many.memoryBytes == few.memoryBytes && many.work["products_bf16"]! > few.work["products_bf16"]!)
    }

    /// What acts on a concept's words alone has nothing of its class to preserve.
    @Test func whatActsOnWordsDrawsNoPicturesOfTheClass() throws {
        func work(_ options: JSONValue) throws -> Double {
            try cost(personalize("lora", "pocket-llamagen", options)).work["products_bf16"]!
        }
        #expect(try work(["acts_on": "prompt"]) == work(["prior_preservation": false]))
        #expect(try work(["acts_on": "prompt"]) < work([:]))
    }

    /// Neither has a supervisor, whoever asks for it.
    @Test func aSupervisorThatActsOnWordsDrawsNoPicturesOfTheClass() throws {
        func cost(_ options: JSONValue) throws -> JobCost {
            try self.cost(personalize("proxy-tuning", "pocket-infinity", options))
        }
        let (usual, asked) = try (cost([:]), cost(["supervisor_acts_on": "prompt"]))
        #expect(try asked == cost(["prior_preservation": false]))
        #expect(asked.work["products_bf16"]! < usual.work["products_bf16"]!)
        try describe("pocket-diffusion") { $0.training = ["supervisor": ["supervisor_acts_on": "prompt"]] }
        #expect(try cost([:]) == asked && cost(["supervisor_acts_on": "all"]) == usual)
    }

    /// It is one for all, and read once for those that are drawn together.
    @Test(arguments: ["diffusion", "chameleon", "llamagen"])
    func thePromptOfTheClassIsReadOnceForABatch(family: String) throws {
        let calls = try [7, 8].map {
            try cost(personalize("lora", "pocket-\(family)", ["prior_pictures": .integer($0)])).work["calls"]!
        }
        #expect(calls[0] == calls[1])
    }

    /// References of a Chameleon keep to its shapes, of which one in more rows has a longer sequence; squares do not.
    @Test func theLongestShapeOfReferencesCounts() throws {
        func work() throws -> [Double] {
            try [
                ("lora", "pocket-chameleon"), ("coar", "pocket-chameleon"), ("proxy-tuning", "pocket-chameleon"),
                ("lora", "pocket-llamagen"),
            ].map { try cost(personalize($0, $1, [:])).work["products_bf16"]! }
        }
        let usual = try work()
        for name in ["pocket-chameleon", "pocket-llamagen"] {
            try describe(name) { $0.pictures += [.init(width: 32, height: 8), .init(width: 8, height: 32)] }
        }
        let shaped = try work()
        #expect(shaped[0] > usual[0] && shaped[1] > usual[1] && shaped[2...] == usual[2...], "\(usual), \(shaped)")
        let spec = try JobSpec(personalize("lora", "pocket-chameleon", [:]))
        func known(_ references: [(Int, Int)]) -> Double? {
            var counting = counting
            counting.references = references.map { .init(width: $0.0, height: $0.1) }
            return counting.cost(of: spec)?.work["products_bf16"]
        }
        #expect(known([(99, 100)]) == usual[0] && known([(20, 100)]) == shaped[0] && known([]) == shaped[0])
    }

    @Test func theNinthPictureOfTheClassIsDrawnAfterTheOthers() throws {
        let calls = try [7, 8, 9].map {
            try cost(personalize("coar", "pocket-chameleon", ["prior_pictures": .integer($0)])).work["calls"]!
        }
        #expect(calls[2] - calls[1] > calls[1] - calls[0])
    }

    @Test func whatTheFrozenModelSaidIsKept() {
        func memory(_ bytes: Double) -> Int {
            var sheet = CostSheet()
            sheet.learn([Work()], LearningNumbers(taughtBytes: bytes), steps: 1)
            return sheet.cost.memoryBytes
        }
        #expect(memory(0) == 0 && memory(1000) == 1000)
    }

    @Test func whatAConceptLearntIsCounted() throws {
        let learnt = InspectionOrder.Adapter(method: "lora", bytes: 2000)
        func cost(_ body: JSONValue, _ adapters: [String: InspectionOrder.Adapter]) throws -> JobCost {
            let spec = try JobSpec(body)
            return try #require(counting.cost(of: spec, with: adapters))
        }
        let drawing = generate(["prompts": ["a <rex> dog beside <max>"]])
        let (bare, one, two) = try (
            cost(drawing, [:]), cost(drawing, ["rex": learnt]), cost(drawing, ["rex": learnt, "max": learnt])
        )
        #expect(one.memoryBytes == bare.memoryBytes + 4000 && two.memoryBytes == bare.memoryBytes + 8000)
        #expect(one.work["bytes"]! > bare.work["bytes"]!)
        let measuring: JSONValue = [
            "version": 1, "kind": "evaluate", "model": "pocket-infinity", "concepts": ["rex", "max"],
            "prompts": ["a {concept} {class}"],
        ]
        let both = try cost(measuring, ["rex": learnt, "max": learnt])
        #expect(try both.memoryBytes == cost(measuring, [:]).memoryBytes + 4000, "one after the other")
    }

    /// Of all but matrices and tables of tokens there is a copy.
    @Test func whatStaysInItsFileIsCountedAsItLies() throws {
        let folder = models.folder + "/rounded"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tensors = [
            "shared.weight": Tensor(zeros: [8, 4]), "model.embed_tokens.weight": Tensor(zeros: [8, 4]),
            "norm.weight": Tensor(zeros: [4]),
        ]
        try Safetensors.write(tensors, to: folder + "/text_encoder.safetensors", precision: .bfloat16)
        let sizes = WeightSizes(ModelFolder(folder))
        #expect(sizes.mappedBytes == 2 * 64 && sizes.residentBytes == 2 * 64 + 4 * 4)
    }

    @Test func whatARBoothLearntTakesThePlaceOfWeights() {
        var weights = WeightSizes()
        weights.numbers = 1000
        func added(_ bytes: Int) -> Int {
            AdapterSizes(.init(method: "arbooth", bytes: bytes), on: weights).residentBytes
        }
        #expect(added(600) == 0, "they are floats already")
        (weights.storedBytes, weights.mappedBytes) = (2000, 2000)
        #expect(added(600) == 600 && added(.max) == 2000 && added(-9) == 0, "two bytes more for each in bfloat16")
    }

    @Test func diversityTakesDINOOnceMoreOrLPIPS() throws {
        try models.writeEncoders()
        let folder = models.folder + "/lpips"
        func work(_ count: (EncoderSizes, inout CostSheet) -> Void) throws -> [String: Double] {
            let sizes = try EncoderSizes(
                clip: models.folder + "/tiny-clip", dino: models.folder + "/tiny-dino", lpips: folder)
            var sheet = CostSheet()
            count(sizes, &sheet)
            return sheet.cost.work
        }
        let size = ModelDescription.Size(width: 64, height: 64)
        let seen = try work { $0.seeByDINO(4, &$1) }
        let (alone, again) = try (
            work { $0.compare(4, each: 1, of: size, &$1) }, work { $0.compare(4, each: 4, of: size, &$1) }
        )
        #expect(seen["products"]! > 0 && again == seen && alone.isEmpty)
        let loaded = try work { $0.load(&$1) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Safetensors.write(["net.slice1.0.weight": Tensor(zeros: [9])], to: folder + "/alex.safetensors")
        let read = try work { $0.load(&$1) }
        let compared = try work { $0.compare(4, each: 4, of: size, &$1) }
        #expect(read["bytes"]! > loaded["bytes"]!)
        #expect(compared["convolutions"]! > 0 && compared["products"] == nil)
    }

    @Test(arguments: ["arbooth", "lora", "proxy-tuning"]) func momentsInEightBitsTakeAQuarter(method: String) throws {
        let (floats, codes) = try (
            cost(personalize(method, "pocket-infinity", ["iterations": 10])),
            cost(personalize(method, "pocket-infinity", ["iterations": 10, "moments": "8-bit"]))
        )
        #expect(codes.memoryBytes <= floats.memoryBytes && codes.diskBytes < floats.diskBytes)
        #expect(codes.work["products_bf16"] == floats.work["products_bf16"])
    }

    @Test func whatIsNotHereCannotBeCounted() throws {
        let spec = try JobSpec(generate(["model": "elsewhere"]))
        #expect(counting.cost(of: spec) == nil)
    }

    @Test func smallerFormsTakeLess() throws {
        let body = generate(["images_per_prompt": 8])
        let whole = try cost(body)
        let forms = counting.smallerForms(of: body, than: whole)
        #expect(forms.contains { $0.change == "/images_per_prompt 1" })
        #expect(forms.allSatisfy { $0.memoryBytes < whole.memoryBytes })
    }

    /// What changes the job least comes first.
    @Test func halfThePicturesComeBeforeOtherSizes() throws {
        try describe("pocket-infinity") { $0.pictures.append(.init(width: 16, height: 16)) }
        let boundless = JobCost(work: [:], memoryBytes: .max, diskBytes: 0)
        func forms(_ pictures: Int) -> [String] {
            counting.smallerForms(of: generate(["images_per_prompt": .integer(pictures)]), than: boundless)
                .map(\.change).filter { !$0.hasPrefix("/model") }
        }
        #expect(forms(4) == ["/images_per_prompt 2", "/size 16x16", "/images_per_prompt 1"])
        #expect(forms(2) == ["/images_per_prompt 1", "/size 16x16"] && forms(1) == ["/size 16x16"])
    }

    /// What a job uses was learnt on one model alone.
    @Test func anotherModelIsASmallerFormOfWhatUsesNoConcept() throws {
        let (large, small) = (models.folder + "/pocket-infinity", models.folder + "/small-infinity")
        try FileManager.default.copyItem(atPath: large, toPath: small)
        try FileManager.default.removeItem(atPath: small + "/text_encoder.safetensors")
        try describe("small-infinity") { $0.name = "small-infinity" }
        func forms(_ body: JSONValue) throws -> [String] {
            counting.smallerForms(of: body, than: try cost(body)).map(\.change)
        }
        #expect(try forms(generate([:])).contains("/model small-infinity"))
        #expect(try !forms(generate(["prompts": ["a <rex> dog"]])).contains("/model small-infinity"))
        // Its supervisor draws pictures of another size.
        let taught = personalize("proxy-tuning", "pocket-infinity", [:])
        #expect(try forms(taught).contains("/model small-infinity"))
        try describe("small-infinity") { $0.pictures = [.init(width: 64, height: 64)] }
        #expect(try !forms(taught).contains("/model small-infinity"))
    }

    /// In eight bits it does not learn; and what a job uses was learnt on the one there is.
    @Test func theModelOfAReleaseWithWeightsInFewerBitsIsASmallerForm() throws {
        func forms(_ body: JSONValue) throws -> [JobCost.Alternative] {
            counting.smallerForms(of: body, than: try cost(body)).filter { $0.change.contains("--precision") }
        }
        #expect(try forms(generate([:])).isEmpty, "it is not made of a release")
        let record = #"{"title": "Infinity", "sources": {}, "isLinked": false, "warnings": []}"#
        try Data(record.utf8).write(to: URL(fileURLWithPath: models.folder + "/pocket-infinity/release.json"))
        let (drawing, again) = (try forms(generate([:])), "/model pocket-infinity added again with --precision")
        #expect(drawing.map(\.change) == ["\(again) bf16", "\(again) int8"])
        #expect(drawing[1].memoryBytes < drawing[0].memoryBytes)
        let learning = try forms(personalize("lora", "pocket-infinity", [:]))
        #expect(learning.count == 1 && learning[0].change.hasSuffix("bf16"), "\(learning)")
        #expect(try forms(generate(["prompts": ["a <rex> dog"]])).isEmpty)
    }

    /// As if its files had been written so.
    @Test func matricesInFewerBitsAreCountedAsThoseOfSuchFiles() throws {
        func weights(_ precision: CheckpointConversion.Precision) throws -> WeightSizes {
            let folder = "\(models.folder)/pocket-infinity"
            let target = "\(models.folder)/\(precision.rawValue)"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            for file in ModelFolder(folder).weights {
                let checkpoint = try Checkpoint.open("\(folder)/\(file.name)")
                try CheckpointConversion(checkpoint, precision: precision).write("\(target)/\(file.name)")
            }
            return WeightSizes(ModelFolder(target))
        }
        let (floats, rounded) = try (weights(.f32), weights(.bf16))
        let mapped = floats.mapping(2)
        #expect(floats.mappedBytes == 0 && rounded.mappedBytes > 0)
        #expect(mapped.residentBytes == rounded.residentBytes && mapped.mappedBytes == rounded.mappedBytes)
        #expect(rounded.mapping(2).residentBytes == rounded.residentBytes)
    }

    /// On a host of a gigabyte, say.
    @Test func smallerFormsAreLookedForOfWhatDoesNotFitEverywhere() throws {
        let spec = try JobSpec(generate(["images_per_prompt": 8]))
        #expect(counting.offer(of: spec, with: [:])?.alternatives == nil)
        let header = Data(#"{"a":{"dtype":"F32","shape":[16384,16384],"data_offsets":[0,1073741824]}}"#.utf8)
        let file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        let path = models.folder + "/pocket-infinity/large.safetensors"
        try file.write(to: URL(fileURLWithPath: path))
        try #require(truncate(path, file.count + (1 << 30)) == 0)
        try describe("pocket-infinity") { $0.version = "2" }
        let forms = counting.offer(of: spec, with: [:])?.alternatives ?? []
        let one = try #require(forms.first { $0.change == "/images_per_prompt 1" }, "\(forms)")
        #expect(try #require(one.diskBytes) < cost(generate(["images_per_prompt": 8])).diskBytes)
    }

    /// What takes the most is what its supervisor learns by.
    @Test func aSupervisorThatSeesLessAtATimeIsASmallerForm() throws {
        let body = personalize("proxy-tuning", "pocket-infinity", ["supervisor_batch": 64])
        let forms = counting.smallerForms(of: body, than: try cost(body))
        #expect(forms.contains { $0.change == #"/options {"supervisor_batch": 1}"# }, "\(forms)")
    }

    /// Has a model say something else of itself.
    private func describe(_ name: String, _ change: (inout ModelDescription) -> Void) throws {
        let folder = "\(models.folder)/\(name)"
        var description = try ModelFolder.written(folder) ?? ModelFolder.derived(folder)
        change(&description)
        try JSONEncoder().encode(description).write(
            to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"))
    }

    @Test func whatProdigyKeepsIsCountedWhoeverAsksForIt() throws {
        let body = personalize("proxy-tuning", "pocket-infinity", [:])
        let (adamw, asked) = try (
            cost(body), cost(personalize("proxy-tuning", "pocket-infinity", ["supervisor_optimizer": "prodigy"]))
        )
        #expect(asked.diskBytes > adamw.diskBytes && asked.memoryBytes >= adamw.memoryBytes)
        #expect(asked.work["bytes"]! > adamw.work["bytes"]!)
        try describe("pocket-diffusion") { $0.training = ["supervisor": ["supervisor_optimizer": "prodigy"]] }
        #expect(try cost(body) == asked)
    }

    @Test func aSupervisorDrawsPicturesOfTheStudentsSize() throws {
        let body = personalize("proxy-tuning", "pocket-infinity", [:])
        let usual = try cost(body)
        try describe("pocket-diffusion") { $0.pictures.insert(.init(width: 64, height: 64), at: 0) }
        #expect(try cost(body) == usual)
    }

    @Test func proxiesAreHeldToTheEnd() throws {
        let memory = try [200, 400].map {
            try cost(personalize("proxy-tuning", "pocket-infinity", ["proxies": .integer($0)])).memoryBytes
        }
        #expect(memory[1] - memory[0] == 4 * 200 * 16 * 16)
    }

    /// In as many steps each as one alone, with two samples of each and one of both.
    @Test func severalSubjectsAreCountedAsTheyAreLearnt() throws {
        func cost(_ options: [String: JSONValue] = [:], prompts: Int = 0) throws -> JobCost {
            let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "0", count: 64))]
            return try self.cost([
                "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": "pocket-infinity",
                "concepts": [
                    ["name": "rex", "role": "subject", "class": "dog", "images": [0]],
                    ["name": "mia", "role": "subject", "class": "cat", "images": [1]],
                ],
                "images": [picture, picture], "options": .object(options),
                "prompts": .array(Array(repeating: "a <rex> dog", count: prompts)),
            ])
        }
        #expect(try cost() == cost(["iterations": 800]) && cost() != cost(["iterations": 400]))
        #expect(try cost() == cost(prompts: 5))
    }

    /// Those that are not kept are read at every step that sees them.
    @Test func moreTextsThanAreKeptAreReadAgain() throws {
        func further(_ contexts: Int) throws -> Double {
            let places = (0..<contexts).map { JSONValue.string("at place \($0)") }
            let steps = try [100, 200].map {
                try cost(
                    personalize(
                        "proxy-tuning", "pocket-infinity",
                        ["batch": 16, "iterations": .integer($0), "contexts": .array(places)])
                ).work["products_bf16"]!
            }
            return steps[1] - steps[0]
        }
        #expect(try further(64) > further(63))
    }

    @Test func aHostTellsWhatItTakes() throws {
        let cost = try cost(generate([:]))
        let rates = HostMeasurement().run()
        let estimate = try #require(JobEstimate(cost, at: rates))
        #expect(estimate.seconds > 0 && estimate.memoryBytes > rates.residentBytes)
        let read = try HostRates(line: rates.line)
        #expect(read == rates)
        #expect(JobEstimate(cost, at: HostRates(rates: [:], residentBytes: 0, threads: 1)) == nil)
    }
}
