import Backbones
import Checkpoints
import ComputeTesting
import Foundation
import Images
import Jobs
import ModelTesting
import Personalization
import Testing

@testable import Engine

/// Proxy-Tuning from the order to the adapter, with models far too small to paint.
@Suite(.computing) struct ProxyTuningWorkerTests {
    private static let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]

    private static func spec(
        _ model: String = "pocket-llamagen", concepts: JSONValue? = nil, _ options: [String: JSONValue] = [:]
    ) -> [String: JSONValue] {
        let usual: [String: JSONValue] = [
            "proxies": 10, "supervisor_iterations": 5, "supervisor_batch": 1, "iterations": 5, "batch": 2, "rank": 2,
            "supervisor_rank": 2, "prior_pictures": 2,
        ]
        return [
            "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": .string(model), "seed": 7,
            "images": [picture, picture, picture],
            "options": .object(usual.merging(options) { $1 }),
            concepts == nil ? "concept" : "concepts": concepts ?? ["name": "rex", "role": "subject", "class": "dog"],
        ]
    }

    private static let two: JSONValue = [
        ["name": "rex", "role": "subject", "class": "dog", "images": [0, 1]],
        ["name": "mia", "role": "subject", "class": "cat", "images": [2]],
    ]

    @Test(arguments: ["pocket-infinity", "pocket-chameleon", "pocket-llamagen", "pocket-diffusion"])
    func everyFamilyLearnsFromProxies(_ student: String) throws {
        let run = try Run(TinyModels(), Self.spec(student, ["contexts": ["on the beach", "in the snow"]]))
        let adapter = try Adapter(path: run.adapter)
        #expect(adapter.description.method == .proxyTuning && adapter.description.model == student)
        #expect(adapter.known.map(\.name) == ["rex"] && adapter.known[0].className == "dog")
        let proxies = run.artifacts.filter { $0.role == .proxy }
        #expect(proxies.count == 10 && Set(proxies.map(\.sha256)).count > 1)
        #expect(
            proxies.prefix(4).map(\.prompt) == [
                "a <rex> dog", "a <rex> dog on the beach", "a <rex> dog", "a <rex> dog in the snow",
            ])
        let stages = run.events.compactMap { if case .progress(let event) = $0 { event.stage } else { nil } }
        #expect(
            stages.reduce(into: []) { if $0.last != $1 { $0.append($1) } } == [
                "prepare", "prior", "supervisor", "proxies", "student", "generate",
            ])
        #expect(run.result?["proxies"]?["rex"]?["pictures"] == .integer(10))
        #expect(run.digests(.picture).count == 4 && run.digests(.peft).count == 3)
        // Without its word, which PEFT's form has no place for, it draws nobody.
        let remarks = try #require(run.artifacts.first { $0.name == "adapter_readme.txt" }).path
        #expect(try String(contentsOfFile: remarks, encoding: .utf8).hasPrefix("word.rex.embedding, which stands for"))
    }

    /// Each is what it is, though one adapter knows both.
    @Test func whatOneAdapterKnowsIsKeptApart() throws {
        let models = try TinyModels()
        let learnt = try Run(models, Self.spec(concepts: Self.two))
        let adapter = try Adapter(path: learnt.adapter)
        #expect(adapter.warnings(usedAs: "mia") == [] && adapter.warnings(usedAs: "max").count == 1)
        #expect(adapter.description(usedAs: "mia@3").className == "cat")
        func draw(_ members: [String: JSONValue]) throws -> Run {
            let usual: [String: JSONValue] = [
                "version": 1, "kind": "generate", "model": "pocket-llamagen", "seed": 1,
                "prompts": ["a <rex> dog", "a <mia> cat"],
            ]
            return try Run(
                models, usual.merging(members) { $1 }, adapters: ["rex": learnt.adapter, "mia": learnt.adapter])
        }
        let failure = try #require(throws: JobFailure.self) { try draw(["strengths": ["rex": 0]]) }
        #expect(failure.code == "input.strengths" && failure.problems?.map(\.pointer) == ["/strengths/rex"])
        // `by-token` is no advice where next to nothing comes of it.
        #expect(failure.problems?.first?.allowed == "one strength for both: they are learnt into the same weights")
        _ = try draw(["strengths": ["rex": 0.5, "mia": 0.5]])
        let byToken = try draw(["strengths": ["rex": 0], "options": ["adapters": "by-token"]])
        let told = ["mia", "rex"].map {
            """
            /options/adapters: <\($0)> was learnt in all rows; by its own words alone it hardly acts on llamagen \
            models: compare with merged
            """
        }
        #expect(byToken.result?["warnings"]?.array?.compactMap(\.string) == told)
    }

    /// What is learnt on its words is drawn so, each with its own strength, and nobody is warned of that.
    @Test(arguments: ["pocket-llamagen", "pocket-chameleon", "pocket-diffusion"])
    func whatActsOnItsWordsIsKeptApart(_ student: String) throws {
        let models = try TinyModels()
        let learnt = try Run(models, Self.spec(student, concepts: Self.two, ["acts_on": "prompt"]))
        let remarks = try #require(learnt.artifacts.first { $0.name == "adapter_readme.txt" }).path
        #expect(try String(contentsOfFile: remarks, encoding: .utf8).contains("learnt with acts_on prompt"))
        func draw(_ options: JSONValue) throws -> Run {
            try Run(
                models,
                [
                    "version": 1, "kind": "generate", "model": .string(student), "seed": 1, "options": options,
                    "prompts": ["a <rex> dog", "a <mia> cat"], "strengths": ["rex": 0],
                ], adapters: ["rex": learnt.adapter, "mia": learnt.adapter])
        }
        let (merged, byToken) = (try draw([:]), try draw(["adapters": "by-token"]))
        #expect(byToken.result?["warnings"] == [])
        #expect(merged.digests(.picture) == byToken.digests(.picture))
    }

    /// On its words alone, which its changes act on while it draws, too; to the same bytes from any of its checkpoints.
    @Test func aSupervisorLearnsAndDrawsOnItsWords() throws {
        let models = try TinyModels()
        func run(rate: JSONValue = 0.1, resume: String? = nil) throws -> Run {
            try Run(
                models, Self.spec(["supervisor_acts_on": "prompt", "supervisor_learning_rate": rate]), resume: resume,
                checkpointSeconds: 0)
        }
        let undisturbed = try run()
        #expect(try run(rate: 1e-7).digests(.proxy) != undisturbed.digests(.proxy))
        let checkpoints = try undisturbed.checkpoints.map { ($0.path, try Safetensors(path: $0.path)) }
        for stage in ["supervisor:rex", "proxies:rex"] {
            let (path, file) = try #require(checkpoints.first { $0.1.metadata["stage"] == stage }, "\(stage)")
            #expect(file.names.contains { $0.contains("add_k_proj") } && !file.names.contains { $0.contains("to_k") })
            let resumed = try run(resume: path)
            for role in [ArtifactRole.adapter, .proxy] {
                #expect(resumed.digests(role) == undisturbed.digests(role), "\(stage)")
            }
        }
        let other = try #require(throws: JobFailure.self) { try Run(models, Self.spec(), resume: checkpoints[0].0) }
        #expect(other.message.contains("differs in its options"), "\(other.message)")
    }

    /// Whoever asks for it: the job, or the supervisor by itself; what the student acts on is its own.
    @Test func nothingIsPreservedWhereASupervisorActsOnWords() throws {
        let size = ModelDescription.Size(width: 16, height: 16)
        let student = ModelDescription(family: .llamagen, name: "pocket-llamagen", pictures: [size], digest: "d")
        var supervisor = ModelDescription(family: .diffusion, name: "pocket-diffusion", pictures: [size], digest: "e")
        func options(_ given: [String: JSONValue] = [:]) throws -> ProxyTuningOptions {
            guard case .personalize(let spec) = try JobSpec(.object(Self.spec(given))) else { fatalError() }
            return try spec.proxyTuning(of: student, by: supervisor)
        }
        let (usual, asked) = try (options(), options(["supervisor_acts_on": "prompt"]))
        #expect(usual.supervisor.learning == .lowRank && usual.priorPictures == 2)
        #expect(asked.supervisor.learning == .lowRankOnWords && asked.priorPictures == 0)
        #expect(asked.student.learning == .lowRank)
        supervisor.training = ["supervisor": ["supervisor_acts_on": "prompt"]]
        #expect(try options().supervisor.learning == .lowRankOnWords)
        #expect(try options(["supervisor_acts_on": "all"]).supervisor.learning == .lowRank)
    }

    /// As a subject that is learnt alone.
    @Test func eachOfSeveralSubjectsIsMeasured() throws {
        let models = try TinyModels()
        try models.writeEncoders(clip: "pocket-clip", dino: "pocket-dino")
        let run = try Run(models, Self.spec(concepts: Self.two))
        for name in ["rex", "mia"] {
            #expect(run.result?["likeness"]?[name] != nil)
            #expect(run.result?["drift"]?[name]?["pres.pocket-dino"]?["after"]?.double != nil, "\(name)")
        }
        // Each beside the other's references, and in words where it is liker those.
        let table = run.result?["table"]?.array ?? []
        let warnings = (run.result?["warnings"]?.array ?? []).compactMap(\.string)
        #expect(table.count == 2)
        for row in table {
            let name = try #require(row["concept"]?.string)
            let own = try #require(row["scores"]?["dino.pocket-dino"]?.double)
            let others = try #require(row["scores"]?["dino_to_others.pocket-dino"]?.double)
            #expect(warnings.contains { $0.hasPrefix("<\(name)>: not kept apart") } == (others > own), "\(warnings)")
        }
        #expect(run.result?["metrics"]?["dino_to_others.pocket-dino"]?.double != nil)
        // Large models take hours for it: how far it is, is said of all of them together.
        for stage in ["prepare", "evaluate"] {
            let shares: [Double] = run.events.compactMap {
                guard case .progress(let event) = $0, event.stage == stage else { return nil }
                return Double(event.step) / Double(event.steps)
            }
            #expect(shares.count > 4 && shares == shares.sorted() && shares.last == 1, "\(stage): \(shares)")
        }
    }

    @Test func theCurveSaysWhatItShowsAndOfWhom() throws {
        let run = try Run(TinyModels(), Self.spec(concepts: Self.two))
        func picture(_ role: ArtifactRole) throws -> Picture {
            try Picture(pngFile: #require(run.artifacts.first { $0.role == role }).path)
        }
        let curve = try picture(.curve)
        var title = Picture(width: curve.width, height: curve.height, filledWith: (255, 255, 255))
        title.write("loss over steps, proxy-tuning: rex, mia", left: 10, top: 10)
        let above = 3 * curve.width * 24
        #expect(curve.pixels.prefix(above) == title.pixels.prefix(above))
        // No wider than its pictures.
        let (sheet, proxy) = (try picture(.proxies), try picture(.proxy))
        #expect(sheet.width == 10 * (proxy.width + 2) + 2)
    }

    /// A training goes on from a checkpoint of its own job alone.
    @Test func aCheckpointOfAnotherJobIsRefused() throws {
        let models = try TinyModels()
        let own = try Run(models, Self.spec(), checkpointSeconds: 0)
        let path = try #require(own.checkpoints.last).path
        func refusal(_ spec: [String: JSONValue], _ resume: String) throws -> JobFailure {
            try #require(throws: JobFailure.self) { try Run(models, spec, resume: resume) }
        }
        let options = try refusal(Self.spec(["iterations": 6]), path)
        #expect(options.code == "input.checkpoint" && options.consequence == .rejected)
        #expect(options.message.contains("differs in its options"), "\(options.message)")
        var seeded = Self.spec()
        seeded["seed"] = 8
        #expect(try refusal(seeded, path).message.contains("differs in its seed"))
        #expect(try refusal(Self.spec(), own.folder + "/nowhere.safetensors").consequence == .transient)
        let lora: [String: JSONValue] = [
            "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-llamagen", "seed": 7,
            "images": [Self.picture, Self.picture, Self.picture],
            "concept": ["name": "rex", "role": "subject", "class": "dog"],
            "options": ["iterations": 2, "prior_pictures": 1],
        ]
        #expect(try refusal(lora, path).message.contains("method, options"))
        try Data("no checkpoint".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try refusal(lora, path).code == "input.checkpoint")
    }

    @Test func aPictureIsNamedByItsPlaceInTheJob() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png").path
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let failure = try #require(throws: JobFailure.self) {
            try ReferencePictures([ReferenceFile(path: path)], size: 16, places: [5])
        }
        #expect(failure.problems?.map(\.pointer) == ["/images/5"])
    }

    /// A part that the job names counts as the whole picture.
    @Test func aReferenceKnowsWhatItWasCutFrom() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png").path
        try Picture(width: 96, height: 64, filledWith: (9, 9, 9)).writePNG(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let right = CropArea(left: 0.5, top: 0, width: 0.5, height: 1)
        let read = try ReferencePictures(
            [ReferenceFile(path: path), ReferenceFile(path: path, crop: right)], size: 16)
        #expect(read.pictures.map(\.width) == [64, 48])
        #expect(read.origins.map(\.width) == [96, 48] && read.origins.map(\.height) == [64, 64])
        #expect(read.origins.map(\.left) == [16, 0] && read.origins.map(\.top) == [0, 8])
        let sliver = CropArea(left: 0.5, top: 0, width: 0.1, height: 1)
        let failure = try #require(throws: JobFailure.self) {
            try ReferencePictures([ReferenceFile(path: path, crop: sliver)], size: 16)
        }
        #expect(failure.problems?.map(\.pointer) == ["/images/0/crop"])
    }

    /// Lumina-mGPT's: of a part that the job names as of a whole picture.
    @Test func aReferenceKeepsToTheNearestShape() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ width: Int, _ height: Int, crop: CropArea? = nil) throws -> ReferenceFile {
            let path = folder.appendingPathComponent("\(width)x\(height).png").path
            try Picture(width: width, height: height, filledWith: (9, 9, 9)).writePNG(path)
            return ReferenceFile(path: path, crop: crop)
        }
        let upper = CropArea(left: 0, top: 0, width: 1, height: 0.5)
        let files = try [file(96, 180), file(96, 180, crop: upper), file(20, 40), file(300, 600), file(900, 20)]
        let shapes = [(64, 64), (64, 32), (32, 64), (128, 32)].map {
            ModelDescription.Size(width: $0.0, height: $0.1)
        }
        let read = try ReferencePictures(files, size: 64, shapes: shapes)
        #expect(read.shapes?.map(\.text) == ["32x64", "64x64", "32x64", "32x64", "128x32"])
        // As large as they are, but not smaller than the shape, and halved from eight times it.
        #expect(
            read.pictures.map { "\($0.width)x\($0.height)" } == ["90x180", "90x90", "32x64", "150x300", "128x32"])
        #expect(try ReferencePictures(files, size: 64).shapes == nil)
    }

    /// Halved when it is read, and further when it is cut: what Lumina-mGPT's authors do at once. Squares are averaged.
    @Test func aShapedReferenceIsReducedAsByItsModelsAuthors() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let picture = Picture(
            width: 300, height: 600,
            pixels: (0..<300 * 600).flatMap { place -> [UInt8] in
                let (x, y) = (place % 300, place / 300)
                return [UInt8(x * x % 256), UInt8(x * y % 256), UInt8((x + 7 * y) % 256)]
            })
        try picture.writePNG(path)
        let shapes = [(64, 64), (32, 64)].map { ModelDescription.Size(width: $0.0, height: $0.1) }
        let augment = ReferenceAugmentation(size: 64, largestZoom: 1)
        let shaped = try ReferencePictures([ReferenceFile(path: path)], size: 64, shapes: shapes).pictures[0]
        #expect(
            augment.cut(shaped, side: 32, in: shapes[1]) == picture.fillingBicubically(width: 32, height: 64))
        let square = try ReferencePictures([ReferenceFile(path: path)], size: 64).pictures[0]
        #expect(square == picture.centreCropped(width: 300, height: 300).resized(width: 256, height: 256))
    }

    /// As Atelier guarantees it: the same bytes, whichever stage a killed engine was in.
    @Test func aJobResumedInAnyStageEndsWithTheSameBytes() throws {
        let models = try TinyModels()
        let spec = Self.spec(concepts: Self.two, ["supervisor_optimizer": "prodigy", "prior_pictures": 10])
        let undisturbed = try Run(models, spec, checkpointSeconds: 0)
        let names = try undisturbed.checkpoints.map { checkpoint in
            (try #require(try Safetensors(path: checkpoint.path).metadata["stage"]), checkpoint)
        }
        let stages = ["rex", "mia"].flatMap { ["prior:\($0)", "supervisor:\($0)", "proxies:\($0)"] } + ["student"]
        for stage in stages {
            let places = names.indices.filter { names[$0].0 == stage }
            let (first, last) = (try #require(places.first, "\(stage)"), try #require(places.last))
            for place in [first, last] {
                let resumed = try Run(models, spec, resume: names[place].1.path, checkpointSeconds: 0)
                for role in [ArtifactRole.adapter, .proxy, .proxies, .picture, .sheet, .curve, .peft] {
                    #expect(resumed.digests(role) == undisturbed.digests(role), "\(stage): \(role)")
                }
                // Steps are counted on.
                let steps = names[(place + 1)...].map { $0.1.step }
                #expect(resumed.checkpoints.map(\.step) == steps, "\(stage)")
                // What was behind is not done again.
                let progress = resumed.events.compactMap { if case .progress(let event) = $0 { event } else { nil } }
                let told = progress.map(\.stage)
                let isBehind = { (name: String) in ["prior", "supervisor", "proxies"].contains { name.hasPrefix($0) } }
                if stage == "student" { #expect(!told.contains(where: isBehind)) }
                if stage == "supervisor:mia" { #expect(!told.contains("supervisor rex")) }
                if stage == "supervisor:rex" { #expect(!told.contains("prior rex")) }
                if stage == "prior:rex" {
                    let steps = progress.filter { $0.stage == "prior rex" }.map(\.step)
                    #expect(steps == (place == first ? [8, 10] : []))
                }
            }
        }
        // Where the pictures beside a checkpoint are gone, they are drawn again.
        let student = try #require(names.first { $0.0 == "student" }?.1.path)
        try FileManager.default.removeItem(atPath: student + ".proxies")
        #expect(try Run(models, spec, resume: student).digests(.adapter) == undisturbed.digests(.adapter))
    }

    /// Hours of teaching drew them: they are there before anything is learnt from them, and whatever becomes of that.
    @Test func proxiesAreAnnouncedAsSoonAsTheyAreDrawn() throws {
        let models = try TinyModels()
        let spec = Self.spec("pocket-infinity", concepts: Self.two, ["learning_rate": 1, "iterations": 20])
        let failure = try #require(throws: JobFailure.self) { try Run(models, spec) }
        #expect(failure.code == "training.diverged" && failure.message.hasPrefix("the student"), "\(failure.message)")
        let log = try #require(FileManager.default.subpaths(atPath: models.folder)?.first { $0.hasSuffix("/events") })
        let events = try Data(contentsOf: URL(fileURLWithPath: "\(models.folder)/\(log)")).split(separator: 10).map {
            try EngineEvent(line: Data($0))
        }
        let told: [String] = events.compactMap {
            switch $0 {
            case .artifact(let artifact): artifact.role == .proxies ? artifact.name : artifact.role.rawValue
            case .progress(let progress) where progress.step == progress.steps: progress.stage
            default: nil
            }
        }
        let expected = ["rex", "mia"].flatMap { name in
            ["prior \(name)", "supervisor \(name)", "proxies \(name)"] + Array(repeating: "proxy", count: 10)
                + ["proxies-\(name).png"]
        }
        #expect(told.filter { !["prepare", "student"].contains($0) } == expected, "\(told)")
        withExtendedLifetime(models) {}
    }

    /// Whoever asks for Prodigy: the job, or the supervisor by itself.
    @Test func momentsInEightBitsAreOfBothStagesAndNotProdigys() throws {
        let size = ModelDescription.Size(width: 16, height: 16)
        let student = ModelDescription(family: .llamagen, name: "pocket-llamagen", pictures: [size], digest: "d")
        var supervisor = ModelDescription(family: .diffusion, name: "pocket-diffusion", pictures: [size], digest: "e")
        func options(_ given: [String: JSONValue]) throws -> ProxyTuningOptions {
            guard case .personalize(let spec) = try JobSpec(.object(Self.spec(given))) else { fatalError() }
            return try spec.proxyTuning(of: student, by: supervisor)
        }
        let read = try options(["moments": "8-bit"])
        #expect(read.supervisor.moments == .eightBit && read.student.moments == .eightBit)
        supervisor.training = ["supervisor": ["supervisor_optimizer": "prodigy"]]
        let failure = try #require(throws: JobFailure.self) { try options(["moments": "8-bit"]) }
        #expect(failure.code == "input.options" && failure.problems?.map(\.pointer) == ["/options/moments"])
        #expect(try options(["moments": "8-bit", "supervisor_optimizer": "adamw"]).supervisor.moments == .eightBit)
    }

    /// A model's usual steps are too; what is given is taken as it is.
    @Test func theUsualStepsOfAStudentAreForEachSubject() throws {
        let size = ModelDescription.Size(width: 16, height: 16)
        var student = ModelDescription(family: .llamagen, name: "pocket-llamagen", pictures: [size], digest: "d")
        func steps(_ concepts: JSONValue?, _ given: [String: JSONValue] = [:]) throws -> [Int] {
            var body = Self.spec(concepts: concepts)
            body["options"] = .object(given)
            guard case .personalize(let spec) = try JobSpec(.object(body)) else { fatalError() }
            let options = try spec.proxyTuning(of: student, by: nil)
            return [options.supervisor.iterations, options.student.iterations]
        }
        #expect(try steps(nil) == [300, 400] && steps(Self.two) == [300, 800])
        #expect(try steps(nil, ["iterations": 5]) == [300, 5] && steps(Self.two, ["iterations": 5]) == [300, 5])
        student.training = ["proxy-tuning": ["iterations": 1250]]
        #expect(try steps(nil) == [300, 1250] && steps(Self.two) == [300, 2500])
    }

    @Test func smallerSetsOfProxiesAreRepeatedUpToTheLargest() {
        func set(_ name: String, _ count: Int) -> ProxySet {
            let picture = Picture(width: 2, height: 2, filledWith: (9, 9, 9))
            let pairs = (0..<count).map { PicturePair(prompt: "a <\(name)> dog \($0)", picture: picture) }
            return ProxySet(concept: name, pairs: pairs, seeds: [], isGiven: true)
        }
        let (rex, mia, max) = (set("rex", 5), set("mia", 5), set("max", 2))
        #expect(StudentStage.pairs(of: [rex, mia]) == rex.pairs + mia.pairs)
        let (first, second) = (max.pairs[0], max.pairs[1])
        #expect(
            StudentStage.pairs(of: [max, rex, set("none", 0)])
                == [first, second, first, second, first] + rex.pairs)
    }

    /// Five of another job's beside ten that are drawn.
    @Test func everySubjectIsSeenAsOftenHoweverManyProxiesItHas() throws {
        let models = try TinyModels()
        let drawn = try Run(models, Self.spec()).artifacts.filter { $0.role == .proxy }
        let five = drawn.prefix(5).map { EngineOrder.Proxy(path: $0.path, prompt: $0.prompt!) }
        let source: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
        let concepts: JSONValue = [
            ["name": "rex", "role": "subject", "class": "dog", "images": [0, 1, 2]],
            ["name": "mia", "role": "subject", "class": "cat", "proxies": source],
        ]
        func learnt(_ given: [EngineOrder.Proxy]) throws -> [String] {
            try Run(models, Self.spec(concepts: concepts), proxies: ["mia": given]).digests(.adapter)
        }
        #expect(try learnt(five) == learnt(five + five))
    }

    @Test(arguments: 1...8) func samplesAreCountedAsTheyAreDrawn(_ count: Int) {
        let concepts = (0..<count).map { Concept(name: "dog\($0)", className: "dog", references: []) }
        #expect(ProxySamples([], concepts: concepts).all.count == ProxySamples.count(of: count))
    }

    @Test func oneAdapterKnowsSeveralConceptsAndDrawsThemTogether() throws {
        let models = try TinyModels()
        let run = try Run(models, Self.spec(concepts: Self.two, ["learning_rate": 0.1]))
        let adapter = try Adapter(path: run.adapter)
        #expect(adapter.known.map(\.name) == ["rex", "mia"] && run.artifacts.filter { $0.role == .proxy }.count == 20)
        func pictures(_ prompt: String, _ adapters: [String: String]) throws -> [String] {
            try Run(
                models,
                [
                    "version": 1, "kind": "generate", "model": "pocket-llamagen", "prompts": [.string(prompt)],
                    "images_per_prompt": 4, "seed": 3,
                ], adapters: adapters
            ).digests(.picture)
        }
        let both = ["rex": run.adapter, "mia": run.adapter]
        let drawn = try pictures("a <rex> dog and a <mia> cat", both)
        let swapped = try pictures("a <mia> dog and a <rex> cat", both)
        #expect(drawn.count == 4 && drawn != swapped)
        // One adapter under two names is added once.
        #expect(try pictures("a <rex> dog", both) == pictures("a <rex> dog", ["rex": run.adapter]))
        let failure = #expect(throws: (any Error).self) { try pictures("a <bob> dog", ["bob": run.adapter]) }
        #expect("\(failure!)".contains("it knows rex, mia, and no bob"))
    }

    @Test func proxiesOfAnotherJobAreLearntFrom() throws {
        let models = try TinyModels()
        let first = try Run(models, Self.spec())
        let given = first.artifacts.filter { $0.role == .proxy }.map {
            EngineOrder.Proxy(path: $0.path, prompt: $0.prompt!)
        }
        let source: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
        var bare = Self.spec("pocket-chameleon", ["proxies": source])
        bare["images"] = nil
        let again = try Run(models, bare, proxies: ["rex": given], references: [])
        #expect(again.artifacts.allSatisfy { $0.role != .proxy })
        #expect(again.result?["warnings"] == ["<rex> is not evaluated: the job has no pictures of it"])
        #expect(again.result?["proxies"]?["rex"]?["reused"] == .bool(true))
        // A training that was begun with others is another one.
        func listed(of job: String, resume: String? = nil) throws -> Run {
            let rex: JSONValue = ["name": "rex", "role": "subject", "class": "dog", "proxies": ["job": .string(job)]]
            var spec = Self.spec("pocket-chameleon", concepts: .array([rex]))
            spec["images"] = nil
            return try Run(
                models, spec, resume: resume, checkpointSeconds: 0, proxies: ["rex": given], references: [])
        }
        let begun = try listed(of: "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10")
        let checkpoint = try #require(begun.checkpoints.last).path
        let refused = try #require(throws: JobFailure.self) {
            try listed(of: "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a11", resume: checkpoint)
        }
        #expect(refused.message.contains("differs in its proxies"), "\(refused.message)")
        // On the same student the same comes out as where they were drawn.
        let same = try Run(models, Self.spec(["proxies": source]), proxies: ["rex": given])
        #expect(same.digests(.adapter) == first.digests(.adapter))
    }

    /// Drawing what the untouched model makes of the class takes a large one hours.
    @Test func proxiesThatAreNotThereAreToldBeforeAnythingIsDrawn() throws {
        let models = try TinyModels()
        let source: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
        try withExtendedLifetime(models) {
            let failure = #expect(throws: JobFailure.self) { try Run(models, Self.spec(["proxies": source])) }
            #expect(failure?.code == "input.proxies" && failure?.consequence == .rejected)
            let log = try #require(
                FileManager.default.subpaths(atPath: models.folder)?.first { $0.hasSuffix("/events") })
            #expect(try !String(contentsOfFile: "\(models.folder)/\(log)", encoding: .utf8).contains("prepare"))
        }
    }

    /// The student they were drawn for may have read longer prompts.
    @Test func proxiesWhosePromptsAreTooLongAreRejected() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png").path
        try Picture(width: 16, height: 16, filledWith: (9, 9, 9)).writePNG(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let given = EngineOrder.Proxy(path: path, prompt: "a <rex> dog" + String(repeating: " dog", count: 60))
        let source: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
        let failure = #expect(throws: JobFailure.self) {
            try Run(TinyModels(), Self.spec("pocket-chameleon", ["proxies": source]), proxies: ["rex": [given, given]])
        }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/options/proxies"])
    }

    @Test func proxiesOfAnotherSizeAreRejectedWhereTheConceptNamesThem() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png").path
        try Picture(width: 20, height: 20, filledWith: (9, 9, 9)).writePNG(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let source: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
        let rex: JSONValue = ["name": "rex", "role": "subject", "class": "dog", "proxies": source]
        let failure = #expect(throws: JobFailure.self) {
            try Run(
                TinyModels(), Self.spec(concepts: .array([rex])),
                proxies: ["rex": [EngineOrder.Proxy(path: path, prompt: "a <rex> dog")]])
        }
        #expect(failure?.code == "input.proxies" && failure?.problems?.map(\.pointer) == ["/concepts/0/proxies"])
    }

    @Test func aNounThatIsTooLongIsRejectedWhereTheConceptNamesIt() throws {
        let noun = JSONValue.string("dog" + String(repeating: " dog", count: 15))
        let rex: JSONValue = ["name": "rex", "role": "subject", "class": noun, "images": [0]]
        let failure = #expect(throws: JobFailure.self) {
            try Run(TinyModels(), Self.spec("pocket-infinity", concepts: .array([rex])))
        }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/concepts/0/class"])
    }

    /// The student reads them whole; nothing is drawn to measure it before.
    @Test func contextsThatTheSupervisorDoesNotReadWholeAreRejected() throws {
        let models = try TinyModels()
        let place = JSONValue.string("on the beach" + String(repeating: " dog", count: 20))
        let failure = #expect(throws: JobFailure.self) {
            try Run(models, Self.spec("pocket-chameleon", ["contexts": ["on the beach", place]]))
        }
        let log = try #require(FileManager.default.subpaths(atPath: models.folder)?.first { $0.hasSuffix("/events") })
        #expect(try !String(contentsOfFile: "\(models.folder)/\(log)", encoding: .utf8).contains("prepare"))
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/options/contexts/1"])
        #expect(failure?.problems?.first?.allowed == "at most 16 tokens of pocket-diffusion")
    }

    /// And not as its configuration does.
    @Test func aModelIsCalledAsTheJobCallsIt() throws {
        let models = try TinyModels()
        try models.change("pocket-llamagen/config.json") { $0.adding("name", "LlamaGen") }
        let failure = #expect(throws: JobFailure.self) {
            try Run(models, Self.spec(["supervisor": "pocket-infinity"]))
        }
        #expect(failure?.code == "input.supervisor")
        #expect(failure?.message == "pocket-infinity cannot teach pocket-llamagen")
    }

    /// Each alone is read whole.
    @Test func conceptsThatAreTooLongTogetherAreRejected() throws {
        let two: JSONValue = [
            ["name": "rex", "role": "subject", "class": "dog dog dog dog", "images": [0, 1]],
            ["name": "mia", "role": "subject", "class": "cat cat cat cat", "images": [2]],
        ]
        let failure = #expect(throws: JobFailure.self) {
            try Run(TinyModels(), Self.spec("pocket-infinity", concepts: two))
        }
        #expect(failure?.code == "input.prompt" && failure?.problems?.map(\.pointer) == ["/concepts"])
    }

    private static func spec(_ options: [String: JSONValue]) -> [String: JSONValue] {
        spec("pocket-llamagen", concepts: nil, options)
    }

    @Test func theFilterKeepsThoseMostLikeTheReferences() throws {
        let models = try TinyModels()
        try models.writeEncoders(clip: "pocket-clip", dino: "pocket-dino")
        let run = try Run(models, Self.spec(["filter": 0.5]))
        let row = try #require(run.result?["proxies"]?["rex"])
        #expect(row["pictures"] == .integer(10) && run.artifacts.filter { $0.role == .proxy }.count == 10)
        #expect(row["dino_kept"]!.double! > row["dino_drawn"]!.double!)
        // Without DINO nothing is begun: what is wrong with the supervisor is not found out.
        let bare = try TinyModels()
        let failure = #expect(throws: JobFailure.self) {
            try Run(bare, Self.spec(["filter": 0.5, "supervisor": "pocket-infinity"]))
        }
        #expect(failure?.problems?.map(\.pointer) == ["/options/filter"])
    }

    @Test func proxiesLieOnceBesideAllCheckpointsOfTheStudent() throws {
        let run = try Run(TinyModels(), Self.spec(), checkpointSeconds: 0)
        let student = try run.checkpoints.filter { try Safetensors(path: $0.path).metadata["stage"] == "student" }
        let files = try student.compactMap { checkpoint in
            try FileManager.default.attributesOfItem(atPath: checkpoint.path + ".proxies")[.systemFileNumber].map {
                "\($0)"
            }
        }
        #expect(files.count > 1 && files.count == student.count && Set(files).count == 1, "\(files)")
    }

    @Test func everySupervisorHasACurveOfItsOwn() throws {
        let run = try Run(TinyModels(), Self.spec(concepts: Self.two))
        let names: [[String]] = run.events.compactMap {
            if case .metric(let event) = $0 { event.values.keys.sorted() } else { nil }
        }
        let wanted: Set = ["loss.supervisor.rex.pairs", "loss.supervisor.mia.pairs", "loss.student.pairs"]
        #expect(wanted.isSubset(of: names.joined()), "\(names)")
    }

    /// Its proxies would show nothing, and a student would learn that.
    @Test func aSupervisorThatDivergedTeachesNobody() throws {
        let failure = try #require(throws: JobFailure.self) {
            try Run(TinyModels(), Self.spec(["supervisor_learning_rate": 5]))
        }
        #expect(failure.code == "training.diverged" && failure.consequence == .fatal)
        #expect(failure.message.hasPrefix("the supervisor"), "\(failure.message)")
        #expect(failure.message.hasSuffix("try a smaller supervisor_learning_rate"), "\(failure.message)")
    }

    @Test func aSupervisorThatDoesNotDiffuseIsRejected() throws {
        let failure = #expect(throws: JobFailure.self) {
            try Run(TinyModels(), Self.spec(["supervisor": "pocket-infinity"]))
        }
        #expect(failure?.consequence == .rejected && failure?.problems?.map(\.pointer) == ["/options/supervisor"])
    }
}
