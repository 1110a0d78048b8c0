import Backbones
import ComputeTesting
import Evaluation
import Foundation
import Images
import Jobs
import LittleWorld
import ModelTesting
import Personalization
import Tensors
import Testing

@testable import Engine

@Suite(.computing) struct QuickEvaluationTests {
    private func withModels(_ body: (TinyModels) throws -> Void) throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders(clip: "pocket-clip", dino: "pocket-dino")
        try withExtendedLifetime(tiny) { try body(tiny) }
    }

    private func concept(role: ConceptRole = .subject) -> Concept {
        Concept(
            name: "rex", role: role, className: "dog",
            references: Subject.heldOut(.dog, index: 0).references(count: 3).map { $0.paint(size: 16) })
    }

    /// What is measured of a tiny model that has learnt nothing.
    private func report(
        on model: String, _ role: ConceptRole, by method: PersonalizationMethod, in tiny: TinyModels
    ) throws -> QuickEvaluation.Report {
        let loaded = try LoadedModel(directory: tiny.folder + "/" + model)
        let evaluation = try QuickEvaluation(concept(role: role), on: loaded, models: tiny.folder, seed: 3)
        let text =
            """
            {"method":"\(method.rawValue)","model":"\(model)","modelDigest":"","concept":"rex",\
            "role":"\(role.rawValue)","className":"dog","seed":3,"iterations":0,"options":"{}"}
            """
        let description = try JSONDecoder().decode(Adapter.Description.self, from: Data(text.utf8))
        return try evaluation.report(
            ConceptPainter(loaded, adapters: [:]), Adapter(description: description, tensors: [:]))
    }

    @Test func aSubjectIsMeasuredAndAnUnchangedModelHasNotDrifted() throws {
        try withModels { tiny in
            let report = try report(on: "pocket-infinity", .subject, by: .lora, in: tiny)
            #expect(
                report.row.scores.keys.sorted() == [
                    "clip_i.pocket-clip", "clip_t.pocket-clip", "dino.pocket-dino", "div_dino.pocket-dino",
                    "pres.pocket-dino",
                ])
            let drift = try #require(report.drift)
            #expect(drift.warnings.isEmpty && drift.loss == 0 && drift.before == drift.after, "\(drift)")
        }
    }

    /// Of two references at right angles to each other, its own and another subject's.
    @Test(arguments: [(30.0, false), (60, true)])
    func whatIsLikerOthersThanItselfIsWarnedOf(angle: Double, isWarned: Bool) throws {
        let text =
            """
            {"method":"proxy-tuning","model":"m","modelDigest":"","concept":"rex","role":"subject","className":"dog",\
            "seed":3,"iterations":0,"options":"{}"}
            """
        let pictures = plane([angle])
        let row = ConceptRow(
            name: "rex", description: try JSONDecoder().decode(Adapter.Description.self, from: Data(text.utf8)),
            suite: "quick", pictures: 1,
            rounds: [
                [
                    .dino(generated: pictures, references: plane([0])),
                    .otherDINO(generated: pictures, references: plane([90])),
                ]
            ])
        #expect(row.scores.keys.sorted() == ["dino.test", "dino_to_others.test"])
        let told =
            """
            not kept apart: its pictures have a DINO of 0.866 to the references of the other subjects, and of 0.5 to \
            its own
            """
        #expect(row.warnings == (isWarned ? [told] : []))
    }

    @Test func aStyleIsMeasuredByItsAlignment() throws {
        try withModels { tiny in
            let report = try report(on: "pocket-chameleon", .style, by: .coar, in: tiny)
            #expect(
                report.row.scores.keys.sorted() == [
                    "div_dino.pocket-dino", "style_alignment.pocket-clip", "text_alignment.pocket-clip",
                ])
            #expect(report.drift == nil && report.row.json["suite"] == .string("quick"))
            #expect(report.likeness.json["style_alignment.pocket-clip"]?["untuned"]?.double != nil)
        }
    }

    /// Of a class noun of many words they are longer than those that the job was held by.
    @Test func promptsThatAreTooLongAreSaidSo() throws {
        try withModels { tiny in
            let loaded = try LoadedModel(directory: tiny.folder + "/pocket-infinity")
            let noun = String(repeating: "dog ", count: 8) + "dog"
            let wordy = Concept(name: "rex", className: noun, references: concept().references)
            #expect {
                _ = try QuickEvaluation(wordy, on: loaded, models: tiny.folder, seed: 3)
            } throws: { "\($0)".contains("too long for pocket-infinity") }
        }
    }

    @Test func encodersThatAreNotThereAreSaidSo() throws {
        try withModels { tiny in
            let loaded = try LoadedModel(directory: tiny.folder + "/pocket-infinity")
            try FileManager.default.removeItem(atPath: tiny.folder + "/pocket-clip")
            #expect {
                _ = try QuickEvaluation(concept(), on: loaded, models: tiny.folder, seed: 3)
            } throws: { "\($0)".contains("there is no encoder in") && "\($0)".contains("pocket-clip") }
        }
    }

    @Test func encodersThatCannotBeReadAreSaidSo() throws {
        try withModels { tiny in
            let loaded = try LoadedModel(directory: tiny.folder + "/pocket-infinity")
            try Data("{".utf8).write(to: URL(fileURLWithPath: tiny.folder + "/pocket-clip/model.safetensors"))
            #expect(throws: (any Error).self) {
                try QuickEvaluation(concept(), on: loaded, models: tiny.folder, seed: 3)
            }
        }
    }

    @Test func aStyleIsAskedForInTheWordsItWasLearntBy() {
        let suite = PromptSuite(
            name: "s",
            templates: ["a photo of a {concept} {class} in the snow", "a crayon drawing of a {concept} {class}"])
        let style = Concept(
            name: "woodcut", role: .style, className: "", references: [],
            wording: StyleWording(template: "{subject} as {style}"))
        let prompts = ConceptWording(method: .coar).prompts(suite, for: style)
        #expect(
            prompts.map(\.asked) == ["a picture in the snow as <woodcut>"]
                && prompts.map(\.described) == ["a picture in the snow"])
        #expect(
            ConceptWording(method: .coar).prompts(suite, for: concept()).map(\.asked) == [
                "a photo of <rex> dog in the snow", "a crayon drawing of <rex> dog",
            ])
    }

    /// Vectors at these angles.
    private func plane(_ degrees: [Double]) -> Embeddings {
        Embeddings(
            Tensor(
                degrees.flatMap { [Float(cos($0 * .pi / 180)), Float(sin($0 * .pi / 180))] },
                shape: [degrees.count, 2]), encoder: "test")
    }

    /// PRES and DIV-DINO of two pictures at right angles to each other, one of them `angle` degrees from the only
    /// reference.
    private func scores(pres: Double, div: Double) -> ClassScores {
        let angle = acos(pres) * 180 / .pi
        let between = acos(1 - div) * 180 / .pi
        return ClassScores(
            pres: .pres(classPictures: plane([angle]), references: plane([0])),
            div: .divDINO(pictures: [plane([0, between])]))
    }

    @Test(arguments: [(0.5, 0.5, 0), (0.68, 0.5, 0), (0.75, 0.5, 1), (0.4, 0.6, 0), (0.5, 0.2, 1), (0.8, 0.1, 2)])
    func driftIsWarnedOf(pres: Double, div: Double, warnings: Int) throws {
        // Of the 0.4 between class and subject half is too much; of the diversity, too.
        let drift = Drift(
            className: "dog", before: scores(pres: 0.5, div: 0.5), after: scores(pres: pres, div: div), ceiling: 0.9)
        let said = drift.warnings
        #expect(said.count == warnings, "\(said)")
        #expect(said.allSatisfy { $0.contains("(test) of \"dog\"") })
        #expect(abs(try #require(drift.json["pres.test"]?["approach"]?.double) - (pres - 0.5) / 0.4) < 1e-4)
        #expect(abs(try #require(drift.json["div_dino.test"]?["loss"]?.double) - (1 - div / 0.5)) < 1e-4)
    }

    @Test func referencesNoLikerEachOtherThanTheClassTellNothing() {
        let drift = Drift(
            className: "dog", before: scores(pres: 0.62, div: 0.5), after: scores(pres: 0.7, div: 0.5), ceiling: 0.63)
        #expect(drift.approach == nil && drift.warnings.isEmpty && drift.json["pres.test"]?["approach"] == .null)
    }

    @Test func classPromptsTakeTurns() {
        let plan = EvaluationPictures.Plan(
            prompts: ["x"], perPrompt: 1, classPrompts: concept().classPrompts, classPictures: 5)
        var asked: [String] = []
        let pictures = EvaluationPictures(plan, seed: 1) { prompts, seeds in
            asked += prompts
            return seeds.map { Picture(width: 1, height: 1, pixels: [UInt8($0 % 251), 0, 0]) }
        }
        #expect(asked == ["x", "a photo of a dog", "a dog", "a photo of a dog", "a dog", "a photo of a dog"])
        #expect(
            pictures.groups.map(\.count) == [1] && pictures.classGroups.map(\.count) == [3, 2]
                && pictures.classPictures.count == 5)
        #expect(Concept(name: "o", className: "owl", references: []).classPrompts == ["a photo of an owl", "an owl"])
    }
}
