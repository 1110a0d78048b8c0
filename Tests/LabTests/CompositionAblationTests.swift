import ComputeTesting
import Foundation
import Images
import Jobs
import ModelTesting
import Personalization
import Testing

@testable import Lab

@Suite(.computing) struct CompositionAblationTests {
    private func ablation(
        _ models: TinyModels, folder: String, report: @escaping (String) -> Void = { _ in }
    ) throws -> CompositionAblation {
        let model = "\(models.folder)/pocket-chameleon"
        let plan = try CompositionAblation.plan(
            for: model, subjects: 2, styles: 3, places: 2, seeds: 2, firstSubject: 100,
            wording: "a {style} of {subject}")
        let coar = Data(#"{"iterations":2,"prior_pictures":2,"layers":2}"#.utf8)
        let lora = Data(#"{"iterations":2,"prior_pictures":2}"#.utf8)
        return try CompositionAblation(
            model: model, clip: "\(models.folder)/tiny-clip", dino: "\(models.folder)/tiny-dino", folder: folder,
            plan: plan,
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
        figures.add(.masked, seed: 1, styles: "all", scores: [(0.2, 0.4, 0.1), (0.4, 0.6, 0.3)], pictures: 2)
        figures.add(.masked, seed: 2, styles: "all", scores: [(0.5, 0.5, 0.2)], pictures: 1)
        let summary = try #require(figures.summaries.first)
        #expect(abs(summary.subject - 0.4) < 1e-9 && abs(summary.subjectSpread - 0.02.squareRoot()) < 1e-9)
        #expect(
            summary.styleSpread < 1e-9 && abs(summary.sum - 1.1) < 1e-9 && summary.seeds == 2
                && figures.summaries.count == 1)
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
