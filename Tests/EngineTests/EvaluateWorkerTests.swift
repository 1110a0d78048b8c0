import ComputeTesting
import Evaluation
import FileTesting
import Foundation
import Images
import Jobs
import LittleWorld
import ModelTesting
import Personalization
import Testing

@testable import Engine
@testable import Lab

@Suite(.computing) struct EvaluateWorkerTests {
    private let encoders = #""clip":"tiny-clip","dino":"tiny-dino""#

    private func withModels(_ body: (TinyModels) throws -> Void) throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        try withExtendedLifetime(tiny) { try body(tiny) }
    }

    /// An order with a concept <rex> learned in two steps, its references beside it.
    private func order(
        _ tiny: TinyModels, _ members: String, method: PersonalizationMethod = .arbooth, role: ConceptRole = .subject
    ) throws -> EngineOrder {
        let scenes = Subject.heldOut(.dog, index: 0).references(count: 3)
        let name = method == .coar ? "pocket-chameleon" : "pocket-infinity"
        let model = tiny.folder + "/" + name
        let concept = Concept(name: "rex", role: role, className: "dog", references: scenes.map { $0.paint(size: 16) })
        let training = try TrainingRun(
            concept, by: method, options: try JSONValue(json: Data(#"{"iterations":2}"#.utf8)), seed: 1, model: model,
            folder: tiny.folder)
        let adapter = tiny.folder + "/rex.safetensors"
        try training.adapter.write(adapter)
        let references = try scenes.enumerated().map { index, scene in
            let path = "\(tiny.folder)/\(index).png"
            try scene.paint(size: 40).writePNG(path)
            return path
        }
        let spec = try JobSpec(
            body: Data(#"{"version":1,"kind":"evaluate","model":"\#(name)","concepts":["rex"],\#(members)}"#.utf8))
        return EngineOrder(
            job: UUID(), attempt: 1, spec: spec, tenant: "t", images: [], adapters: ["rex": adapter],
            references: ["rex": references.map { ReferenceFile(path: $0) }],
            models: tiny.folder, workspace: tiny.folder, resume: nil, checkpointSeconds: 60)
    }

    /// - Returns: the result, and everything said on the way.
    private func run(_ tiny: TinyModels, _ order: EngineOrder) throws -> (result: JSONValue?, events: [EngineEvent]) {
        let path = tiny.folder + "/events"
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        guard case .evaluate(let spec) = order.spec else { return (nil, []) }
        let result = try EvaluateWorker(
            spec: spec, order: order, connection: EngineConnection(output: file)
        ).run()
        try file.close()
        let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 0x0A)
        return (result, try lines.map { try EngineEvent(line: $0) })
    }

    /// What proxy-tuning learns is a LoRA adapter.
    @Test(arguments: PersonalizationMethod.allCases.filter { $0 != .proxyTuning })
    func aConceptsTableNamesMetricsAndEncoders(method: PersonalizationMethod) throws {
        try withModels { tiny in
            let (result, events) = try run(
                tiny,
                order(
                    tiny,
                    #"""
                    "suite":"little-world","images_per_prompt":2,"seeds":[1,2],"options":{"class_pictures":3,\#
                    \#(encoders)}
                    """#,
                    method: method))
            let row = try #require(result?["table"]?.array?.first)
            let expected = [
                "clip_i.tiny-clip", "clip_t.tiny-clip", "dino.tiny-dino", "div_dino.tiny-dino", "pres.tiny-dino",
            ]
            #expect(
                result?["suite"] == .string("little-world") && row["concept"] == .string("rex")
                    && row["method"] == .string(method.rawValue))
            #expect(row["pictures"] == .integer(2 * (16 * 2 + 3)))
            for key in expected {
                #expect(row["scores"]?[key]?.double != nil && row["intervals"]?[key]?.double != nil, "\(key)")
                #expect(result?["metrics"]?[key]?.double == row["scores"]?[key]?.double, "one concept is its own mean")
            }
            let artifacts = events.compactMap { if case .artifact(let artifact) = $0 { artifact } else { nil } }
            #expect(artifacts.map(\.role) == [.sheet] && artifacts[0].name == "rex.sheet.png")
            #expect(try Picture(pngFile: artifacts[0].path).width == 4 * 18 + 2)
            let metrics = events.compactMap { if case .metric(let metric) = $0 { metric } else { nil } }
            #expect(metrics.map(\.step) == [1] && metrics[0].values.keys.sorted() == expected)
        }
    }

    /// Not beside other versions, and what was learnt from the same pictures: those are the subject itself.
    @Test func subjectsAreHeldAgainstTheOthersReferences() throws {
        try withModels { tiny in
            let members = #""prompts":["a {concept} dog"],"images_per_prompt":1"#
            var order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            let cat = "\(tiny.folder)/cat.png"
            try Subject.heldOut(.cat, index: 0).references(count: 1)[0].paint(size: 40).writePNG(cat)
            func evaluate(_ names: [String]) throws -> (scores: [JSONValue?], warnings: [String]) {
                let list = names.map { "\"\($0)\"" }.joined(separator: ",")
                order.spec = try JobSpec(
                    body: Data(
                        #"""
                        {"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":[\#(list)],\#(members),\#
                        "options":{"class_pictures":0,\#(encoders)}}
                        """#.utf8))
                for name in names {
                    order.adapters[name] = order.adapters["rex"]
                    let files = name == "mia" ? [ReferenceFile(path: cat)] : order.references?["rex"]
                    order.references?[name] = files
                }
                let result = try #require(try run(tiny, order).result)
                let told = (result["warnings"]?.array ?? []).compactMap(\.string)
                return ((result["table"]?.array ?? []).map { $0["scores"] }, told)
            }
            let (scores, warnings) = try evaluate(["rex", "mia"])
            #expect(scores.count == 2)
            for (name, row) in zip(["rex", "mia"], scores) {
                let own = try #require(row?["dino.tiny-dino"]?.double)
                let others = try #require(row?["dino_to_others.tiny-dino"]?.double)
                let isTold = warnings.contains { $0.hasPrefix("<\(name)>: not kept apart") }
                #expect(isTold == (others > own), "\(warnings)")
            }
            for names in [["rex", "rex@1"], ["rex", "ben"]] {
                #expect(try evaluate(names).scores.allSatisfy { $0?["dino_to_others.tiny-dino"] == nil }, "\(names)")
            }
        }
    }

    /// So that the pictures of one round are in memory at a time.
    @Test func aRoundIsScoredBeforeTheNextIsDrawn() throws {
        try withModels { tiny in
            let members = #""prompts":["a <rex> dog"],"images_per_prompt":1,"seeds":[1,2]"#
            let order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            let events = try run(tiny, order).events
            let sheet = events.firstIndex { if case .artifact = $0 { true } else { false } } ?? .max
            let drawn = events.lastIndex { if case .progress = $0 { true } else { false } } ?? 0
            #expect(sheet < drawn, "\(events)")
        }
    }

    /// Whoever else loaded one would have it in memory beside the concepts'.
    @Test func itStartsOnTheModelOfItsFirstConcept() throws {
        try withModels { tiny in
            let members = #""prompts":["a <rex> dog"],"images_per_prompt":1"#
            let order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            let events = try run(tiny, order).events
            let starts = events.compactMap { if case .started(let started) = $0 { started.backbone } else { nil } }
            #expect(starts == ["pocket-infinity"], "\(events)")
            #expect(events.firstIndex { if case .started = $0 { true } else { false } } == 0, "\(events)")
        }
    }

    /// A former version took it; the job that is refused for it would be another one.
    @Test func aConceptThatWasLearntFromASmallPartIsEvaluated() throws {
        try withModels { tiny in
            let members = #""prompts":["a <rex> dog"],"images_per_prompt":1"#
            var order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            order.references?["rex"]?[0].crop = CropArea(left: 0, top: 0, width: 0.3, height: 0.3)
            #expect(try run(tiny, order).result?["table"]?.array?.count == 1)
        }
    }

    /// The model reads letters that it never learnt as one token, CLIP byte by byte.
    @Test func aPromptThatCLIPCutsIsTold() throws {
        try withModels { tiny in
            let word = String(repeating: "ж", count: 20)
            let members = #""prompts":["a <rex> dog \#(word)","a <rex> dog"],"images_per_prompt":1"#
            let order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            let count = try tinyCLIP().0.count("a dog " + word)
            try #require(count > 32)
            let warnings = try run(tiny, order).result?["warnings"]?.array?.compactMap(\.string)
            #expect(
                warnings == [
                    """
                    <rex>: CLIP-T holds pictures against the first 32 tokens alone, all that tiny-clip reads, of \
                    “a dog \(word)” (\(count) tokens)
                    """
                ])
        }
    }

    /// This job has no pictures that a place could mean.
    @Test func whatALearntPictureLosesIsToldOfItsConcept() throws {
        try withModels { tiny in
            let members = #""prompts":["a <rex> dog"],"images_per_prompt":1"#
            var order = try order(tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#)
            let path = tiny.folder + "/animated.webp"
            try Data(EncodedPictures.animatedWebP).write(to: URL(fileURLWithPath: path))
            order.references?["rex"]?[1] = ReferenceFile(path: path)
            let warning = try #require(try run(tiny, order).result?["warnings"]?.array?.first?.string)
            #expect(
                warning.hasPrefix("<rex> was learnt from /images/1: a WebP of ")
                    && warning.contains("an animation of 2 frames"), "\(warning)")
        }
    }

    @Test func ownPromptsWithOnePictureHaveNoDiversity() throws {
        try withModels { tiny in
            let (result, _) = try run(
                tiny,
                order(
                    tiny,
                    #""prompts":["a <rex> dog"],"images_per_prompt":1,"options":{"class_pictures":0,\#(encoders)}"#))
            let row = try #require(result?["table"]?.array?.first)
            guard case .object(let scores) = row["scores"] else {
                Issue.record("no scores")
                return
            }
            #expect(
                result?["suite"] == .string("own")
                    && scores.keys.sorted() == ["clip_i.tiny-clip", "clip_t.tiny-clip", "dino.tiny-dino"])
            #expect(row["intervals"] == .object([:]), "one seed says nothing about the next")
        }
    }

    @Test func whatOfASuiteIsTooLongIsLeftOutWithAWarning() throws {
        try withModels { tiny in
            let order = try order(
                tiny, #""suite":"dreambench-object","images_per_prompt":1,"options":{"class_pictures":0,\#(encoders)}"#)
            let texts = PromptSuite.dreamBenchObject.templates.enumerated().map {
                ("/suite/\($0)", PromptSuite.prompts($1, concept: "rex", className: "dog").asked)
            }
            let long = try LoadedModel(directory: tiny.folder + "/pocket-infinity").tooLong(
                texts, concepts: ["rex"], spelled: ConceptSpellings(of: ["rex"]))
            try #require((1..<25).contains(long.count), "the tiny model reads 16 tokens")
            let (result, _) = try run(tiny, order)
            let row = result?["table"]?.array?.first
            #expect(
                row?["pictures"] == .integer(25 - long.count)
                    && row?["suite"] == .string("dreambench-object (\(25 - long.count) of 25)"))
            let warning = result?["warnings"]?.array?.first?.string ?? ""
            #expect(
                warning.hasPrefix("\(long.count) prompts are too long")
                    && warning.contains("left out of the 25 of dreambench-object")
                    && long.allSatisfy { warning.contains("\($0.pointer) has ") }, "\(warning)")
        }
    }

    @Test func aStyleIsHeldAgainstItsReferencesOverASuite() throws {
        try withModels { tiny in
            let order = try order(
                tiny, #""suite":"little-world","images_per_prompt":2,"seed":1,"options":{\#(encoders)}"#, method: .coar,
                role: .style)
            let row = try #require(try run(tiny, order).result?["table"]?.array?.first)
            guard case .object(let scores) = row["scores"] else {
                Issue.record("no scores")
                return
            }
            #expect(
                scores.keys.sorted() == ["div_dino.tiny-dino", "style_alignment.tiny-clip", "text_alignment.tiny-clip"])
            #expect(row["pictures"] == .integer(2 * 13), "three of sixteen name a style of their own")
        }
    }

    /// An import may leave it out, and a style has none unless it is said.
    @Test func whatHasNoClassNounIsMeasuredWithAWarning() throws {
        try withModels { tiny in
            func warnings(_ role: ConceptRole, _ prompt: String) throws -> [String] {
                let members = #""prompts":["\#(prompt)"],"images_per_prompt":1"#
                let order = try order(
                    tiny, members + #","options":{"class_pictures":0,\#(encoders)}"#, method: .coar, role: role)
                let path = tiny.folder + "/rex.safetensors"
                let learnt = try Adapter(path: path)
                var description = learnt.description
                description.className = ""
                try Adapter(description: description, tensors: learnt.tensors).write(path)
                let said = try run(tiny, order).result?["warnings"]?.array ?? []
                return said.compactMap(\.string)
            }
            let ofSubject = "<rex> has no class noun: CLIP-T and PRES are as of no class; import it again with --class"
            let ofStyle = "<rex> was learnt without a class noun: nothing stands for {class} in its prompts"
            let said = try [
                warnings(.subject, "{concept} on the beach"), warnings(.style, "a {class} in {concept} style"),
                warnings(.style, "a dog in {concept} style"),
            ]
            #expect(said == [[ofSubject], [ofStyle], []])
        }
    }

    @Test func theSamePicturesAreDrawnAgain() throws {
        try withModels { tiny in
            let order = try order(
                tiny, #""prompts":["a <rex> dog"],"images_per_prompt":2,"seed":5,"options":{\#(encoders)}"#)
            #expect(try run(tiny, order).result == run(tiny, order).result)
        }
    }

    @Test func aMissingEncoderIsNamedWithARemedy() throws {
        try withModels { tiny in
            let order = try order(tiny, #""suite":"little-world","options":{"clip":"tiny-clip","dino":"dino-vits16"}"#)
            do {
                _ = try run(tiny, order)
                Issue.record("evaluated without an encoder")
            } catch let failure as JobFailure {
                // The job was claimed for a host that says it has the encoder: that is the host's fault, not the job's.
                #expect(failure.code == "encoder.missing" && failure.consequence == .fatal)
                #expect(failure.message.contains("/dino-vits16") && failure.message.contains("/options"))
            }
        }
    }

    @Test func theJobsSuitesAreThoseThereAre() {
        #expect(SuiteName.allCases.map { PromptSuite($0) } == PromptSuite.all)
        #expect(SuiteName.allCases.map(\.rawValue) == PromptSuite.all.map(\.name))
    }

    @Test(
        arguments: [
            (.arbooth, "a photo of a <rex> dog"), (.coar, "a photo of <rex> dog"), (.lora, "a photo of <rex> dog"),
        ] as [(PersonalizationMethod, String)])
    func aMethodIsAskedInItsOwnWords(method: PersonalizationMethod, expected: String) {
        #expect(ConceptWording(method: method).asked("a photo of a <rex> dog") == expected)
    }
}
