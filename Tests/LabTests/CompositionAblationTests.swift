import ComputeTesting
import Evaluation
import Foundation
import Images
import Jobs
import LittleWorld
import ModelTesting
import Personalization
import Testing

@testable import Lab

@Suite(.computing) struct CompositionAblationTests {
    private func ablation(
        _ models: TinyModels, folder: String, classifier: String? = nil,
        report: @escaping (String) -> Void = { _ in }
    ) throws -> CompositionAblation {
        let model = "\(models.folder)/pocket-chameleon"
        let plan = try CompositionAblation.plan(
            for: model, subjects: 2, styles: 3, places: 2, seeds: 2, firstSubject: 100,
            wording: "a {style} of {subject}")
        let coar = Data(#"{"iterations":2,"prior_pictures":2,"layers":2}"#.utf8)
        let lora = Data(#"{"iterations":2,"prior_pictures":2}"#.utf8)
        return try CompositionAblation(
            model: model, clip: "\(models.folder)/tiny-clip", dino: "\(models.folder)/tiny-dino",
            classifier: classifier, folder: folder, plan: plan,
            options: .init(subject: coar, style: Data(#"{"iterations":2,"layers":1}"#.utf8), lora: lora, loraShare: 1),
            report: report)
    }

    @Test func everyArmIsDrawnAndMeasuredAndNothingIsDoneTwice() throws {
        let models = try TinyModels()
        let folder = "\(models.folder)/run"
        try models.writeEncoders()
        var reports: [String] = []
        let figures = try ablation(models, folder: folder) { reports.append($0) }.run()
        // Two subjects and three styles, by two methods; five arms of six pairs and two seeds, and the world's own.
        #expect(
            reports.filter { $0.hasPrefix("learned") && !$0.contains("factors") }.count == 10
                && reports.filter { $0.hasPrefix("learned the factors") }.count == 6
                && reports.filter { $0.hasPrefix("drew") }.count == 60)
        #expect(figures.rows.count == 6 * 2 * 3 && Set(figures.rows.map(\.styles)) == ["all", "held-out", "other"])
        for row in figures.rows {
            #expect(
                abs(row.sum - row.subject - row.style - row.text) < 1e-9
                    && [row.subject, row.style, row.text].allSatisfy { abs($0) <= 1 })
            #expect(row.pictures == ["all": 12, "held-out": 8, "other": 4][row.styles])
        }
        for arm in CompositionPlan.Arm.allCases {
            let sheet = try Picture(pngFile: "\(folder)/sheet-\(arm.rawValue).png")
            #expect(
                sheet.width == 4 * 18 + 2 && sheet.height == 3 * 18 + 2,
                "a column for each style and a row for each subject, behind the references")
        }
        let ceiling = try #require(figures.summaries.first { $0.arm == "world" && $0.styles == "all" })
        #expect(ceiling.seeds == 2 && ceiling.subject > 0)
        // Stopped and started again, it finds everything; what is missing is made anew, the same.
        let series = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "\(folder)/pictures/masked").first {
                $0.hasPrefix("dog-100-mosaic-2-")
            })
        try FileManager.default.removeItem(atPath: "\(folder)/pictures/masked/\(series)/1.png")
        reports = []
        #expect(try ablation(models, folder: folder) { reports.append($0) }.run().rows == figures.rows)
        #expect(reports.count == 1 && reports[0].hasPrefix("drew masked/dog-100-mosaic-2"))
        #expect(try String(contentsOfFile: "\(folder)/table.txt", encoding: .utf8) == figures.table)
        // Of another model's weights nothing is taken over.
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(models.folder)/pocket-chameleon/other.json"))
        reports = []
        _ = try ablation(models, folder: folder) { reports.append($0) }.run()
        #expect(reports.count == 76)
    }

    @Test func spreadsAreOverSeeds() throws {
        var figures = CompositionFigures()
        figures.add(
            .masked, seed: 1, styles: "all",
            scores: [.init(subject: 0.2, style: 0.4, text: 0.1), .init(subject: 0.4, style: 0.6, text: 0.3)],
            pictures: 2)
        figures.add(
            .masked, seed: 2, styles: "all", scores: [.init(subject: 0.5, style: 0.5, text: 0.2)], pictures: 1)
        let summary = try #require(figures.summaries.first)
        #expect(abs(summary.subject - 0.4) < 1e-9 && abs(summary.subjectSpread - 0.02.squareRoot()) < 1e-9)
        #expect(
            summary.styleSpread < 1e-9 && abs(summary.sum - 1.1) < 1e-9 && summary.seeds == 2
                && figures.summaries.count == 1)
        #expect(summary.right == nil && !figures.table.contains("right"), "nothing of a classifier that is not there")
    }

    /// A subject counts once, with its mean over styles and seeds.
    @Test func intervalsAreOverSubjectsBesideThePapersFigures() throws {
        var figures = CompositionFigures()
        func score(_ individual: String, _ subject: Double) -> CompositionScore {
            CompositionScore(subject: subject, style: 0.5, text: 0.25, individual: individual)
        }
        for (seed, dog) in [(1, 0.25), (2, 0.75)] as [(UInt64, Double)] {
            let scores = [score("dog-0", dog - 0.125), score("dog-0", dog + 0.125), score("owl-0", 0.75)]
            for styles in ["all", "held-out"] {
                figures.add(.masked, seed: seed, styles: styles, scores: scores, pictures: 3)
            }
        }
        figures.add(.unmasked, seed: 1, styles: "all", scores: [score("dog-0", 0.5)], pictures: 1)
        let summary = figures.summaries[0]
        // Of 0.5 and 0.75, by one degree of freedom.
        let half = 12.706 * 0.125
        #expect(abs(try #require(summary.subjectInterval) - half) < 1e-9)
        #expect(abs(try #require(summary.sumInterval) - half) < 1e-9 && summary.styleInterval == 0)
        #expect(summary.published == ["subject": 0.604, "style": 0.594, "text": 0.308])
        let lines = figures.table.split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(lines[1][3] == "0.500 ± 0.000 (0.594)" && lines[1][4] == "0.250 ± 0.000 (0.308)", "\(lines[1])")
        #expect(lines[2][3] == "0.500 ± 0.000", "the paper has no styles apart: \(lines[2])")
        #expect(lines[3].prefix(4) == ["unmasked", "all", "0.500", "0.500"], "of one subject: \(lines[3])")
        #expect(figures.summaries.last?.subjectInterval == nil && figures.summaries.last?.published == nil)
    }

    @Test func theArmsOfThePaperHaveItsFigures() {
        #expect(
            CompositionPlan.Arm.allCases.map { CompositionFigures.published[$0]?["subject"] } == [
                0.604, nil, nil, 0.655, 0.579, nil,
            ])
    }

    /// Whose style is right, and whose colour and class: a blueprint's colour is not counted.
    @Test func sharesAreOfThePicturesThatWereAskedForATrait() throws {
        let dog = Subject.heldOut(.dog, index: 0)
        func asked(_ style: Style) -> TraitLabels {
            TraitLabels(askedFor: dog.scene(in: .snow, style: style, number: 1))
        }
        func score(_ seen: [TraitLabels], _ asked: [TraitLabels]) -> CompositionScore {
            CompositionScore(subject: 0, style: 0, text: 0, verdicts: seen, asked: asked)
        }
        let (mosaic, blueprint) = (asked(.mosaic), asked(.blueprint))
        let grey = mosaic.setting(.colour, to: (mosaic[.colour]! + 1) % SubjectColour.allCases.count)
        var figures = CompositionFigures()
        figures.add(
            .masked, seed: 1, styles: "all",
            scores: [
                score([mosaic, grey], [mosaic, mosaic]),
                score([blueprint.setting(.colour, to: 0), mosaic], [blueprint, blueprint]),
            ], pictures: 4)
        figures.add(.masked, seed: 2, styles: "all", scores: [score([mosaic], [mosaic])], pictures: 1)
        let right = try #require(figures.rows[0].right)
        // The second blueprint is seen as a mosaic.
        #expect(right["style"] == 0.75 && right["class"] == 1 && right["colour"] == 0.5 && right["all"] == 0.5)
        #expect(right["context"] == 1 && right["accessory"] == nil)
        let summary = try #require(figures.summaries.first)
        #expect(summary.right?["style"] == 0.875 && summary.right?["colour"] == 0.75)
        #expect(abs((summary.rightSpread?["style"] ?? 0) - 0.03125.squareRoot()) < 1e-9)
    }

    @Test func aClassifierTellsWhatPicturesShow() throws {
        let models = try TinyModels()
        try models.writeEncoders()
        try models.writeClassifier()
        let figures = try withExtendedLifetime(models) {
            try ablation(models, folder: "\(models.folder)/run", classifier: "\(models.folder)/classifier")
                .run([.world])
        }
        // By weights that learnt nothing styles are told far above chance.
        let styles = try #require(figures.styles)
        #expect(styles.pictures == 1100 && styles.all > 0.3, "\(styles)")
        for row in figures.rows {
            let right = try #require(row.right)
            #expect(["all", "class", "colour", "context", "style"].allSatisfy { 0...1 ~= right[$0] ?? -1 }, "\(right)")
        }
        #expect(figures.table.contains("style right") && figures.table.contains("(1100 pictures)"))
    }

    @Test func subjectsAndStylesAreAskedForInTheWordsTheyWereLearnedWith() throws {
        let wording = StyleWording(template: "a {style} of {subject}")
        let plan = CompositionPlan(
            subjects: 1, styles: 2, places: 1, seeds: 1, firstSubject: 0, wording: wording, size: 16)
        #expect(plan.styles[0].concept.photoPrompt("<style>") == "a <style> of a rabbit")
        #expect(plan.prompt(plan.subjects[0], plan.places[0]) == "a <style> of <subject> dog on the beach")
        #expect(plan.description(plan.subjects[0], plan.places[0]) == "a dog on the beach")
        #expect(
            plan.styles.map(\.name) == ["woodcut", "mosaic"]
                && plan.styles.allSatisfy { $0.concept.references.count == 1 })
    }
}
