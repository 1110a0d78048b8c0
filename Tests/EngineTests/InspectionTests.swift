import Backbones
import Catalogue
import ComputeTesting
import FileTesting
import Foundation
import Images
import Jobs
import ModelTesting
import Testing

@testable import Engine

/// What an engine finds in messages before they become jobs, with the shipped models' own tokenizers.
@Suite(.computing) struct InspectionTests {
    private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../models").standardizedFileURL.path

    /// Asks the program's loop, over pipes as the daemon does.
    private func reports(
        on messages: [Data], models: String = models, adapters: [String: InspectionOrder.Adapter] = [:]
    ) throws -> [InspectionReport] {
        let input = Pipe()
        let output = Pipe()
        let orders = messages.enumerated().compactMap { index, message -> InspectionOrder? in
            guard var order = InspectionOrder(message: message) else { return nil }
            (order.id, order.adapters) = (index + 1, adapters)
            return order
        }
        Thread.detachNewThread {
            for order in orders {
                input.fileHandleForWriting.write(order.line + [0x0A])
                for picture in order.pictures { input.fileHandleForWriting.write(picture.data) }
            }
            try? input.fileHandleForWriting.close()
        }
        let inspection = EngineInspection(
            models: models, input: input.fileHandleForReading.fileDescriptor,
            output: output.fileHandleForWriting)
        try inspection.run()
        try output.fileHandleForWriting.close()
        let lines = output.fileHandleForReading.readDataToEndOfFile().split(separator: 0x0A)
        let reports = try lines.map { try InspectionReport(line: $0) }
        #expect(reports.map(\.id) == Array(0...orders.count))
        return Array(reports.dropFirst())
    }

    private func report(on members: [String: JSONValue]) throws -> InspectionReport {
        let common: [String: JSONValue] = ["version": 1, "kind": "generate", "model": "pocket-infinity"]
        return try reports(on: [JSONValue.object(common.merging(members) { $1 }).line])[0]
    }

    /// - Parameters:
    ///   - images: one picture unless given.
    ///   - members: of the job, in the place of those it would have.
    private func personalization(
        _ images: [JSONValue]? = nil, class noun: String = "dog", adding members: [String: JSONValue] = [:]
    ) throws -> InspectionReport {
        let common: [String: JSONValue] = [
            "kind": "personalize", "method": "arbooth", "images": .array(try images ?? [square()]),
            "concept": ["name": "rex", "role": "subject", "class": .string(noun)],
        ]
        return try report(on: common.merging(members) { $1 })
    }

    private func square() throws -> JSONValue {
        image(try Picture(width: 64, height: 64, filledWith: (9, 99, 199)).png())
    }

    private func image(_ bytes: [UInt8], _ field: String = "data") -> JSONValue {
        .object([field: .string(Data(bytes).base64EncodedString())])
    }

    @Test func picturesAreSaidByFormatAndSize() throws {
        let bytes = { (side: Int) in try Picture(width: side, height: side, filledWith: (9, 99, 199)).png() }
        var cut = EncodedPictures.jpeg
        cut.removeLast(200)
        let report = try personalization([
            image(try bytes(64)), image(try bytes(8), "png"), image(cut), image(EncodedPictures.jpeg),
            image(Array("no picture".utf8)),
        ])
        #expect(report.problems?.map(\.pointer) == ["/images/1/png", "/images/2/data"])
        #expect(report.problems?.first?.found == "a PNG of 8×8")
        #expect(report.problems?.first?.allowed.contains("16 to 16384 pixels a side") == true)
        #expect(report.problems?.last?.found.hasPrefix("a JPEG that is damaged: ") == true)
        #expect(
            report.warnings == [
                "/images/3/data: a JPEG of 24×16: its square of 16×16 is enlarged to the model's 64×64"
            ])
    }

    /// Of a Chameleon of several shapes, in which `lora` and `coar` learn.
    @Test func aPictureIsHeldAgainstItsNearestShape() throws {
        let models = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        let folder = models.appendingPathComponent("shaped")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: models) }
        let description = ModelDescription(
            family: .chameleon, name: "shaped",
            pictures: [(64, 64), (64, 32), (32, 64)].map { .init(width: $0.0, height: $0.1) }, digest: "d")
        try JSONEncoder().encode(description).write(to: folder.appendingPathComponent(ModelDescription.fileName))
        func warnings(_ method: String, _ width: Int, _ height: Int) throws -> [String]? {
            let bytes = try Picture(width: width, height: height, filledWith: (9, 99, 199)).png()
            let body: JSONValue = [
                "version": 1, "kind": "personalize", "method": .string(method), "model": "shaped",
                "images": [image(bytes)], "concept": ["name": "rex", "role": "subject", "class": "dog"],
            ]
            let said = try reports(on: [body.line], models: models.path)[0].warnings ?? []
            return said.filter { $0.hasPrefix("/images") }
        }
        #expect(try warnings("lora", 40, 80) == [] && warnings("coar", 80, 40) == [])
        #expect(
            try warnings("lora", 20, 48) == [
                "/images/0/data: a PNG of 20×48: its middle of 20×40 is enlarged to the model's 32×64"
            ])
        #expect(
            try warnings("proxy-tuning", 40, 80) == [
                "/images/0/data: a PNG of 40×80: its square of 40×40 is enlarged to the model's 64×64"
            ])
    }

    /// Among a Chameleon's shapes a tall one has a longer sequence.
    @Test func aPictureIsCountedInItsNearestShape() throws {
        let tiny = try TinyModels()
        let folder = tiny.folder + "/pocket-chameleon"
        var description = try #require(try ModelFolder.written(folder))
        description.pictures.append(.init(width: 8, height: 32))
        try JSONEncoder().encode(description).write(
            to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"))
        func products(_ image: JSONValue) throws -> Double {
            let body: JSONValue = [
                "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-chameleon",
                "images": [image], "concept": ["name": "rex", "role": "subject", "class": "dog"],
            ]
            let cost = try reports(on: [body.line], models: tiny.folder)[0].cost
            return try #require(cost?.work["products_bf16"])
        }
        let tall = image(try Picture(width: 20, height: 80, filledWith: (9, 99, 199)).png())
        let part: JSONValue = ["left": 0, "top": 0, "width": 1, "height": 0.25]
        let unknown: JSONValue = ["artifact": .string("sha256:" + String(repeating: "0", count: 64))]
        #expect(try products(tall) == products(unknown))
        #expect(try products(tall.adding("crop", part)) < products(tall))
    }

    @Test func aPartMustShowAsMuchAsAPicture() throws {
        let bytes = try Picture(width: 64, height: 64, filledWith: (9, 99, 199)).png()
        func part(_ width: Double) -> JSONValue {
            image(bytes).adding("crop", ["left": 0.5, "top": 0, "width": .number(width), "height": 1])
        }
        #expect(
            try personalization([part(0.25), part(0.01)]).problems == [
                Problem(
                    "/images/1/crop", found: "1×64 pixels of a PNG of 64×64",
                    allowed: "a part of at least 16 pixels a side")
            ])
    }

    @Test func promptsAreCountedByTheModelsOwnTokenizer() throws {
        let long = Array(repeating: "a photo of a dog", count: 7).joined(separator: " ")
        let report = try report(on: ["prompts": [.string(long), "a photo of a dog", "a <rex> dog"]])
        #expect(
            report.problems == [
                Problem("/prompts/0", found: "36 tokens", allowed: "at most 32 tokens of pocket-infinity")
            ])
        #expect(report.warnings == nil)
    }

    /// Of an imported fine-tune of ARBooth's, whose rows stand for it in the text.
    @Test(arguments: [JobKind.generate, .evaluate]) func aMentionTakesAsManyPlacesAsItHasRows(_ kind: JobKind) throws {
        let mention = kind == .evaluate ? "{concept}" : "<rex>"
        // Three words, so many more and the end: of 32 tokens.
        let messages = (24...30).map { count -> Data in
            let prompt = "a \(mention) dog" + String(repeating: " dog", count: count)
            var body: [String: JSONValue] = [
                "version": 1, "kind": .string(kind.rawValue), "model": "pocket-infinity", "prompts": [.string(prompt)],
            ]
            if kind == .evaluate { body["concepts"] = ["rex"] }
            return JSONValue.object(body).line
        }
        func fitting(_ rows: Int?) throws -> Int {
            let adapter = InspectionOrder.Adapter(method: "arbooth", bytes: 9, rows: rows)
            return try reports(on: messages, adapters: ["rex": adapter]).count { $0.problems == nil }
        }
        #expect(try fitting(nil) == 5 && fitting(4) == 2)
    }

    /// A model read by byte pairs, as Lumina-mGPT is: of so few pairs that every byte is a token.
    @Test func bytePairsAreCountedWithTheModelsTemplate() throws {
        let models = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        let folder = models.appendingPathComponent("bytes")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: models) }
        let symbols = (33...126).map { String(UnicodeScalar(UInt8($0))) } + ["Ġ", "Ċ"]
        let vocabulary = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, JSONValue.integer($0)) })
        let tokenizer: JSONValue = [
            "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []], "added_tokens": [],
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
        ]
        let template = "An image of {width}x{height} of this:\n{prompt}"
        let description = ModelDescription(
            family: .chameleon, name: "bytes", pictures: [.init(width: 64, height: 48)],
            limits: .init(promptTokens: 48, tokensPerConcept: 1), digest: "d")
        try tokenizer.line.write(to: folder.appendingPathComponent("tokenizer.json"))
        try JSONValue.object(["promptTemplate": .string(template)]).line.write(
            to: folder.appendingPathComponent("config.json"))
        try JSONEncoder().encode(description).write(to: folder.appendingPathComponent(ModelDescription.fileName))
        func message(_ prompts: JSONValue...) -> Data {
            JSONValue.object(["version": 1, "kind": "generate", "model": "bytes", "prompts": .array(prompts)]).line
        }
        // What stands before the prompt has 27 tokens, and the end mark is one.
        let reports = try reports(
            on: [message("a photo of a red dog", "a photo of a red dog!"), message("a <rex> dog in the snow")],
            models: models.path)
        #expect(
            reports[0].problems == [
                Problem("/prompts/1", found: "49 tokens", allowed: "at most 48 tokens of bytes")
            ])
        #expect(reports[0].warnings == nil)
        // A placeholder is one token, and a concept takes one more.
        #expect(reports[1].problems == nil)
    }

    /// Where text encoders are several, a concept is a rare word of several tokens: T5's count, or CLIP's with a mark
    /// at either end.
    @Test(arguments: ["tokenizer_3", "tokenizer"]) func conceptsCountAsTheyAreSpelled(_ place: String) throws {
        let models = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        let folder = models.appendingPathComponent("pipeline")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent(place), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: models) }
        let isT5 = place == "tokenizer_3"
        // The long word leaves T5's table all letters to spell with; CLIP's has every byte.
        let words = ["a", "dog", "abcdefghijklmnopqrstuvwxyz"]
        let tokenizer = try isT5 ? UnigramTokenizer.file(words: words) : CLIPTokenizer.file(words: words)
        try tokenizer.write(to: folder.appendingPathComponent("\(place)/tokenizer.json"))
        let description = ModelDescription(
            family: .diffusion, name: "pipeline", pictures: [.init(width: 64, height: 64)],
            limits: .init(promptTokens: 7), digest: "d")
        try JSONEncoder().encode(description).write(to: folder.appendingPathComponent(ModelDescription.fileName))
        func problems(_ prompt: String) throws -> [Problem]? {
            let body: JSONValue = [
                "version": 1, "kind": "generate", "model": "pipeline", "prompts": [.string(prompt)],
            ]
            return try reports(on: [body.line], models: models.path)[0].problems
        }
        #expect(try problems("a dog") == nil && problems("a <rex> dog") == nil)
        #expect(
            try problems("a <rex> dog dog") == [
                Problem("/prompts/0", found: "8 tokens", allowed: "at most 7 tokens of pipeline")
            ])
        #expect(try problems("dog dog dog dog dog dog dog")?.count == 1)
    }

    @Test func wordsTheModelNeverLearntAreNamed() throws {
        let report = try report(on: ["prompts": ["a dog on the beach", "xyzzy plugh a Zebra", "   ", "a 🐕 dog"]])
        #expect(
            report.warnings?.prefix(2) == [
                "/prompts/1: words that pocket-infinity never learnt: “xyzzy”, “plugh”, “Zebra”",
                "/prompts/2: says nothing",
            ])
        let noun = try personalization([], class: "wombat")
        #expect(noun.warnings == ["/concept/class: words that pocket-infinity never learnt: “wombat”"])
        #expect(try personalization([], class: "dog").warnings == nil)
    }

    /// Words that the tokenizer has whole, and those that it has the beginning of.
    @Test func wordsThatNoCaptionHeldAreNamed() throws {
        let report = try report(on: [
            "prompts": ["two small dogs", "a Woodcut of a cat on top of a rug", "a watercolor of a cat", "asleep"]
        ])
        let unlearnt = "words that pocket-infinity never learnt:"
        #expect(
            report.warnings == [
                "/prompts/0: \(unlearnt) “two”, “small”, “dogs”",
                "/prompts/1: \(unlearnt) “Woodcut”, “top”, “rug”",
                "/prompts/2: \(unlearnt) “watercolor”",
                "/prompts/3: \(unlearnt) “asleep”",
            ])
    }

    @Test func theWordsOfASuiteAreReadTogether() throws {
        func warnings(_ suite: JSONValue) throws -> [String]? {
            try report(on: ["kind": "evaluate", "concepts": ["rex"], "suite": suite]).warnings
        }
        #expect(
            try warnings("dreambench-living") == [
                """
                /suite: words that pocket-infinity never learnt: “cobblestone”, “street”, “top”, “fabric”, “house”, \
                “rug”, “forest”, “monocle” and 9 more
                """
            ])
        #expect(try warnings("little-world") == nil)
    }

    @Test func signsAreWordsAndWhatCannotBeSeenIsNone() throws {
        let report = try report(on: ["prompts": ["\u{1F415}\u{1F415}", "\u{200B}\u{FEFF}", "a dog \u{1F415}!", "…?!"]])
        #expect(
            report.warnings == [
                "/prompts/0: words that pocket-infinity never learnt: “\u{1F415}\u{1F415}”",
                "/prompts/1: says nothing",
                "/prompts/2: words that pocket-infinity never learnt: “\u{1F415}”",
                "/prompts/3: says nothing",
            ])
    }

    @Test func everyTextOfAMessageIsReadLikeItsPrompts() throws {
        let several = try report(on: [
            "method": "proxy-tuning",
            "concepts": [
                ["name": "rex", "role": "subject", "class": "dog"],
                ["name": "mia", "role": "subject", "class": "wombat"],
            ],
            "options": ["contexts": ["on the beach", "on xyzzy", .string(long)]],
        ])
        let unlearnt = "words that pocket-infinity never learnt:"
        #expect(
            several.warnings == ["/concepts/1/class: \(unlearnt) “wombat”", "/options/contexts/1: \(unlearnt) “xyzzy”"])
        #expect(Set(several.problems?.map(\.pointer) ?? []) == ["/options/contexts/2"])
        let negative = try report(on: ["prompts": ["a dog"], "options": ["negative_prompt": .string("plugh " + long)]])
        #expect(negative.problems?.map(\.pointer) == ["/options/negative_prompt"])
        #expect(negative.warnings?.first?.contains("“plugh”") == true)
        #expect(try report(on: ["prompts": ["a {concept} {class} on the beach"]]).warnings == nil)
    }

    /// At the door as in the result.
    @Test func aNegativePromptThatNothingLeadsAwayFromIsTold() throws {
        func warnings(_ options: [String: JSONValue]) throws -> [String]? {
            let usual: [String: JSONValue] = ["negative_prompt": "snow"]
            return try report(on: [
                "model": "pocket-diffusion", "prompts": ["a dog"], "options": .object(usual.merging(options) { $1 }),
            ]).warnings
        }
        #expect(try warnings([:]) == nil && warnings(["guidance": 1.5]) == nil)
        #expect(
            try warnings(["guidance": 1]) == [
                "/options/negative_prompt: nothing is led away from at a guidance of 1.0; ask for one above 1"
            ])
    }

    /// It draws the proxies, and may read less than the student.
    @Test func contextsAreCountedByTheSupervisorToo() throws {
        func problems(_ count: Int, _ options: [String: JSONValue] = [:]) throws -> [Problem]? {
            let place = Array(repeating: "a", count: count).joined(separator: " ")
            let contexts: [String: JSONValue] = ["contexts": ["in the snow", .string(place)]]
            return try personalization(adding: [
                "model": "pocket-chameleon", "method": "proxy-tuning",
                "options": .object(contexts.merging(options) { $1 }),
            ]).problems
        }
        func tooLong(_ count: Int, _ limit: String) -> Problem {
            Problem("/options/contexts/1", found: "\(count) tokens", allowed: "at most \(limit)")
        }
        #expect(try problems(28) == nil)
        #expect(try problems(36) == [tooLong(40, "32 tokens of pocket-diffusion")])
        #expect(
            try problems(60) == [
                tooLong(64, "58 tokens of pocket-chameleon"), tooLong(64, "32 tokens of pocket-diffusion"),
            ])
        #expect(try problems(36, ["proxies": ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]]) == nil)
    }

    @Test func optionsThatNothingActsOnAreTold() throws {
        func warnings(_ proxies: JSONValue) throws -> [String]? {
            try personalization(adding: [
                "method": "proxy-tuning",
                "options": ["proxies": proxies, "filter": 0.5, "contexts": ["on the beach"], "rank": 4],
            ]).warnings
        }
        #expect(try warnings(100) == nil)
        #expect(
            try warnings(["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]) == [
                """
                /options: nothing acts on contexts, filter: proxies of another job are learnt from as they were drawn
                """
            ])
    }

    /// At the last step there are samples.
    @Test func previewsThatNoStepComesToAreTold() throws {
        func warnings(_ every: Int, _ options: JSONValue = [:]) throws -> [String]? {
            try personalization(adding: ["preview_every": .integer(every), "options": options]).warnings
        }
        #expect(
            try warnings(40, ["iterations": 40]) == [
                "/preview_every: no preview comes of it: the training has 40 steps"
            ])
        #expect(try warnings(39, ["iterations": 40]) == nil)
        #expect(try warnings(600)?.count == 1 && warnings(599) == nil)
    }

    @Test func picturesThatNoConceptIsLearntFromAreTold() throws {
        let picture = try square()
        let report = try report(on: [
            "kind": "personalize", "method": "proxy-tuning", "images": [picture, picture, picture],
            "concepts": [
                ["name": "rex", "role": "subject", "class": "dog", "images": [0]],
                ["name": "mia", "role": "subject", "class": "cat", "images": [2]],
            ],
        ])
        #expect(report.warnings == ["/images/1: no concept names it among its images: nothing is learnt from it"])
    }

    /// Places are counted from 0, and may be counted from 1.
    @Test func picturesThatSeveralConceptsAreLearntFromAreTold() throws {
        let picture = try square()
        func warnings(_ proxies: JSONValue) throws -> [String]? {
            try report(on: [
                "kind": "personalize", "method": "proxy-tuning", "images": [picture, picture, picture],
                "concepts": [
                    ["name": "rex", "role": "subject", "class": "dog", "images": [0, 1]],
                    ["name": "mia", "role": "subject", "class": "cat", "images": [1, 2]],
                ],
                "options": ["proxies": proxies],
            ]).warnings
        }
        #expect(
            try warnings(9) == [
                "/images/1: <rex> and <mia> name it among their images: each is learnt as what it shows"
            ])
        // They are measured by it alone.
        #expect(try warnings(["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]) == nil)
    }

    /// FLUX.1's supervisors have Prodigy without being asked, for whom 1e-4 is no rate.
    @Test func aRateThatProdigyLearnsNothingAtIsTold() throws {
        func warnings(_ options: JSONValue) throws -> [String]? {
            try personalization(adding: ["method": "proxy-tuning", "options": options]).warnings
        }
        let given = try warnings(["supervisor_optimizer": "prodigy", "supervisor_learning_rate": 0.01])
        #expect(given?.count == 1)
        #expect(
            given?.first?.hasPrefix("/options/supervisor_learning_rate: next to nothing is learnt at 0.01 of the rate")
                == true)
        #expect(try warnings(["supervisor_optimizer": "prodigy", "supervisor_learning_rate": 1]) == nil)
        #expect(try warnings(["supervisor_optimizer": "prodigy"]) == nil)
        #expect(try warnings(["supervisor_learning_rate": 1e-4]) == nil)
    }

    @Test func promptsThatDoNotNameWhatIsLearntAreTold() throws {
        func warnings(_ prompts: JSONValue) throws -> [String]? {
            try personalization(adding: ["prompts": prompts]).warnings
        }
        let unnamed = "/prompts: none names <rex>: the sample pictures will not show what was learnt"
        #expect(try warnings(["a dog on the beach", "a dog in the snow"]) == [unnamed])
        #expect(try warnings(["a dog on the beach", "a <rex> dog in the snow"]) == nil)
        #expect(try warnings([]) == nil)
    }

    @Test func aNounThatBringsAnArticleIsTold() throws {
        func warnings(_ noun: String) throws -> [String]? {
            try personalization(class: noun).warnings
        }
        #expect(try warnings("The dog") == ["/concept/class: “dog” alone is meant: it is learnt as a <rex> The dog"])
        #expect(try warnings("dog") == nil)
    }

    /// The door refuses them by their length; who read them would keep everybody's next message waiting.
    @Test func textsThatNoJobMayHaveAreNotRead() throws {
        let text = JSONValue.string(String(repeating: "xyzzy ", count: 200_000))
        let report = try report(on: [
            "prompts": ["plugh", text], "options": ["negative_prompt": text, "prompt": text, "contexts": [text]],
            "method": "proxy-tuning", "concept": ["name": text, "role": "subject", "class": text],
        ])
        #expect(report.problems == nil && report.warnings?.count == 1, "\(report)")
    }

    private var long: String { String(repeating: "a dog on the beach ", count: 10) }

    @Test func theWordsOfACoARPromptAreReadToo() throws {
        let report = try report(on: [
            "model": "pocket-chameleon", "method": "coar", "options": ["prompt": "a xyzzy of {concept} {class}"],
        ])
        #expect(report.warnings == ["/options/prompt: words that pocket-chameleon never learnt: “xyzzy”"])
    }

    @Test func thePromptOfAStyleWithoutANounIsReadToo() throws {
        func found(_ prompt: String) throws -> InspectionReport {
            try personalization(adding: [
                "model": "pocket-chameleon", "method": "coar", "concept": ["name": "ink", "role": "style"],
                "options": ["prompt": .string(prompt)],
            ])
        }
        #expect(
            try found("a {concept} of a {class}").warnings == [
                "/options/prompt: nothing stands for {class} in it: <ink> has no class"
            ])
        #expect(try found("a {concept} of a dog").warnings == nil)
        #expect(try found("a {concept} of a dog " + long + long).problems?.map(\.pointer) == ["/options/prompt"])
    }

    @Test func whatNobodyKnowsIsNotSpokenOf() throws {
        #expect(
            try report(on: ["model": "elsewhere", "prompts": ["xyzzy"]])
                == InspectionReport(id: 1, uncounted: "there is no model elsewhere here"))
        #expect(
            try report(on: ["model": "../models/pocket-infinity", "prompts": ["xyzzy"]]) == InspectionReport(id: 1))
        #expect(try report(on: ["prompts": 7, "images": "x", "concept": []]) == InspectionReport(id: 1))
        #expect(InspectionOrder(message: Data(#"{"version":1,"kind":"probe"}"#.utf8)) == nil)
        #expect(InspectionOrder(message: Data("no JSON".utf8)) == nil)
    }

    /// Not after hours of learning, nor as a model that is not here.
    @Test func encodersAndModelsThatCannotBeReadAreSaidAtTheDoor() throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders(clip: "pocket-clip", dino: "pocket-dino")
        let body: JSONValue = [
            "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-chameleon",
            "images": [try square()], "concept": ["name": "rex", "role": "subject", "class": "dog"],
        ]
        func told() throws -> InspectionReport { try reports(on: [body.line], models: tiny.folder)[0] }
        func unmeasured() throws -> [String] {
            try (told().warnings ?? []).filter { $0.hasPrefix("what is learnt will not be evaluated: ") }
        }
        #expect(try unmeasured() == [] && told().uncounted == nil)
        let files = FileManager.default
        let (clip, dino) = ("\(tiny.folder)/pocket-clip/config.json", "\(tiny.folder)/pocket-dino/config.json")
        try files.removeItem(atPath: clip)
        #expect(try unmeasured().first?.contains("there is no encoder in \(tiny.folder)/pocket-clip") == true)
        try files.copyItem(atPath: dino, toPath: clip)
        #expect(try unmeasured().first?.contains("\(clip): /") == true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(tiny.folder)/pocket-chameleon/config.json"))
        #expect(try told().uncounted?.contains("pocket-chameleon/config.json: /") == true)
    }

    @Test func manyMessagesOneAfterTheOther() throws {
        let body: JSONValue = [
            "kind": "personalize", "images": [image(EncodedPictures.webp), image(EncodedPictures.jpeg)],
        ]
        let reports = try reports(on: Array(repeating: body.line, count: 40))
        #expect(reports.count == 40 && reports.allSatisfy { $0.problems == nil })
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func misspeltAndUnknownWordsOfTheCases() throws {
        let file = "\(sharedFolder("cases")!)/11-placeholder-typos/unknown-words.json"
        let report = try reports(on: [try Data(contentsOf: URL(fileURLWithPath: file))])[0]
        #expect(report.warnings?.contains { $0.hasPrefix("/prompts/1: ") && $0.contains("“xyzzy”, “plugh”") } == true)
        #expect(report.warnings?.contains("/prompts/2: says nothing") == true)
    }
}
