import ArgumentParser
import Foundation
import Hashing
import Lab

extension CompositionPlan.Arm: ExpressibleByArgument {}

struct Compositions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Draw subjects in styles that were learned apart, by context tokens with and without the identity mask and \
            by LoRA adapters: added, merged by learnt factors (ZipLoRA), split by blocks (B-LoRA).
            """,
        discussion: """
            Prints subject, style and text alignment as JSON lines, one an arm and seed, then one an arm with the \
            spread over seeds and half of the 95 % intervals over subjects; a table with these intervals goes to \
            stderr. Beside the arms that CoAR's table 2 has are its figures. What is learned and drawn is kept in the \
            folder with a contact sheet for each arm: a run that was stopped goes on from there.

            With --classifier also the shares of pictures in which what was asked for is seen: style, colour, class, \
            place (context) and accessory, and all of them. Styles never seen in training are told too, by pictures \
            that are painted for it; how well is the first line, and what perfect pictures have is the arm world's.
            """)

    @Option(help: "The model's directory.") var model = "models/pocket-chameleon"
    @Option(help: "A CLIP encoder's directory.") var clip = "models/pocket-clip"
    @Option(help: "A DINO encoder's directory.") var dino = "models/pocket-dino"
    @Option(help: "The classifier's directory; without it the encoders alone measure.") var classifier: String?
    @Option(help: "The folder for adapters, pictures, sheets and the table.") var folder: String
    @Option(help: "Subjects, none of them seen in training.") var subjects = 6
    @Option(
        help:
            "Styles, each from one picture, those never seen in training first; at most \(CompositionPlan.mostStyles).")
    var styles = CompositionPlan.mostStyles
    @Option(help: "Prompts for each pair, at most 10.") var prompts = 10
    @Option(help: "Seeds; a picture of each prompt for each.") var seeds = 3
    @Option(help: "The number of the first individual of each class; make choices on others than those you report.")
    var firstSubject = 0
    @Option(help: "How prompts speak of styles, with {subject} and {style}; the model's own unless given.") var wording:
        String?
    @Option(help: "CoAR's options for subjects, as a job's JSON object.") var subjectOptions: String?
    @Option(help: "CoAR's options for styles.") var styleOptions: String?
    @Option(help: "LoRA's options.") var loraOptions: String?
    @Option(
        parsing: .upToNextOption,
        help: "What is compared: \(CompositionPlan.Arm.allCases.map(\.rawValue).joined(separator: ", "))")
    var arms = CompositionPlan.Arm.allCases
    @Option(help: "How much of every LoRA adapter is added where they are added as they are.") var loraShare: Float = 1
    @Option(help: "How much it costs ZipLoRA that both adapters use a column.") var similarityWeight: Float = 0.01
    @Option(help: "The blocks that B-LoRA takes of a style's adapter, as in 4-7; the upper half unless given.")
    var styleBlocks: String?

    func validate() throws {
        for (name, value, most) in [
            ("subjects", subjects, 1000), ("styles", styles, CompositionPlan.mostStyles), ("prompts", prompts, 10),
            ("seeds", seeds, 1000),
        ]
        where !(1...most).contains(value) {
            throw ValidationError("--\(name) \(value): 1 to \(most) are allowed")
        }
        for part in ["{subject}", "{style}"] where wording?.contains(part) == false {
            throw ValidationError("--wording lacks \(part)")
        }
    }

    func run() throws {
        try OutputPlace.folder(folder)
        let plan = try CompositionAblation.plan(
            for: model, subjects: subjects, styles: styles, places: prompts, seeds: seeds, firstSubject: firstSubject,
            wording: wording)
        var options = try CompositionAblation.Options(
            subject: subjectOptions.map { Data($0.utf8) }, style: styleOptions.map { Data($0.utf8) },
            lora: loraOptions.map { Data($0.utf8) },
            loraShare: loraShare)
        options.merging.similarityWeight = similarityWeight
        options.styleBlocks = try blocks()
        let figures = try CompositionAblation(
            model: model, clip: clip, dino: dino, classifier: classifier, folder: folder, plan: plan, options: options
        ) {
            StandardStream.errors.write("\($0)\n")
        }.run(arms)
        StandardStream.errors.write(figures.table)
        if let styles = figures.styles { try show(["styles": styles]) }
        for row in figures.rows { try show(row) }
        for summary in figures.summaries { try show(summary) }
    }

    private func blocks() throws -> Range<Int>? {
        guard let styleBlocks else { return nil }
        let ends = styleBlocks.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], 0 <= first, first <= last else {
            throw ValidationError("--style-blocks \(styleBlocks): two numbers with - between them, as in 4-7")
        }
        return first..<last + 1
    }

    private func show(_ figure: some Encodable) throws {
        try printLine(figure)
    }
}
