import Backbones
import Engine
import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import LittleWorld
import Personalization

/// Whether a subject and a style that were learned apart can be drawn together without training: CoAR's composition
/// beside baselines on the same backbone: CoAR without its identity mask, and LoRA adapters added, merged by learnt
/// factors (ZipLoRA) and split by blocks (B-LoRA).
package struct CompositionAblation {
    /// The ways that are compared.
    package typealias Arm = CompositionPlan.Arm

    /// The methods' options, as jobs give them.
    package struct Options {
        var subject, style, lora: JSONValue?
        /// How much of every LoRA adapter is added, where they are added as they are.
        package var loraShare: Float = 1
        /// How factors are learnt.
        package var merging = LearnedMerging.Options()
        /// The blocks a style's adapter changes where they are split, the subject's changes all others; nil: the upper
        /// half.
        package var styleBlocks: Range<Int>?

        /// - Throws: where one of the three is no JSON.
        package init(subject: Data?, style: Data?, lora: Data?, loraShare: Float) throws {
            (self.subject, self.style, self.lora) = (
                try subject.map { try JSONValue(json: $0) }, try style.map { try JSONValue(json: $0) },
                try lora.map { try JSONValue(json: $0) }
            )
            self.loraShare = loraShare
        }
    }

    private let directory: String
    /// The model's digest, all of its files.
    private let parts: String
    private let plan: CompositionPlan
    private let options: Options
    private let folder: CompositionFolder
    private let measure: CompositionMeasure
    private let report: (String) -> Void

    /// - Parameters:
    ///   - model: a Chameleon's directory.
    ///   - classifier: the directory of one that tells what pictures show; nil measures by the encoders alone.
    ///   - folder: what is learned and drawn is kept there, and not made again.
    ///   - report: hears a line for every training and series.
    package init(
        model: String, clip: String, dino: String, classifier: String? = nil, folder: String, plan: CompositionPlan,
        options: Options, report: @escaping (String) -> Void
    ) throws {
        directory = model
        parts = try ModelParts.digest(directory: model)
        self.plan = plan
        self.options = options
        self.folder = try CompositionFolder(folder)
        measure = CompositionMeasure(
            clip: try CLIPEncoder(directory: clip), dino: try DINOEncoder(directory: dino),
            classifier: try classifier.map { StyleClassifier(try AttributeClassifier(directory: $0)) })
        self.report = report
    }

    /// A plan in a model's words and pictures of its size.
    /// - Parameters:
    ///   - model: its directory.
    ///   - wording: with {subject} and {style}; nil takes the model's own.
    package static func plan(
        for model: String, subjects: Int, styles: Int, places: Int, seeds: Int, firstSubject: Int, wording: String?
    ) throws -> CompositionPlan {
        let loaded = try LoadedModel(directory: model)
        return CompositionPlan(
            subjects: subjects, styles: styles, places: places, seeds: seeds, firstSubject: firstSubject,
            wording: StyleWording(
                template: wording ?? loaded.styleWording.template, noun: loaded.styleWording.noun),
            size: loaded.pictureSize)
    }

    /// Learns, draws and measures what the folder does not have yet, writes `table.txt` and a sheet for each arm.
    /// - Throws: `JobFailure` for a model that is no Chameleon, `AdapterError`, or what the file system says.
    package func run(_ arms: [Arm] = Arm.allCases) throws -> CompositionFigures {
        var figures = CompositionFigures()
        figures.styles = measure.classifier?.accuracy()
        for arm in arms {
            for seed in plan.seeds { try measure(arm, seed, &figures) }
            try writeSheet(arm)
        }
        try folder.write(figures.table, as: "table.txt")
        return figures
    }

    private func measure(_ arm: Arm, _ seed: UInt64, _ figures: inout CompositionFigures) throws {
        var scores: [String: [CompositionScore]] = [:]
        for style in plan.styles {
            for subject in plan.subjects {
                var score = measure.score(
                    try pictures(arm, subject, style, seed), of: plan.scenes(subject, style, seed: seed),
                    subject: subject.concept.references, style: style.concept.references,
                    descriptions: plan.places.map { plan.description(subject, $0) })
                score.individual = subject.name
                for group in ["all", Style.heldOut.contains { "\($0)" == style.name } ? "held-out" : "other"] {
                    scores[group, default: []].append(score)
                }
            }
        }
        for (group, scores) in scores.sorted(by: { $0.key < $1.key }) {
            figures.add(arm, seed: seed, styles: group, scores: scores, pictures: scores.count * plan.places.count)
        }
    }

    // MARK: - Trainings and pictures

    private func adapter(_ training: CompositionPlan.Training, by method: PersonalizationMethod) throws -> Adapter {
        let name =
            "\(method.rawValue)-\(training.concept.role.rawValue)-\(training.name)-\(digest(training, by: method))"
        return try folder.adapter(name) {
            let learned = try TrainingRun(
                training.concept, by: method, options: given(training, by: method), seed: 1, model: directory,
                folder: folder.path)
            report("learned \(name) in \(Int(learned.seconds)) s")
            return learned.adapter
        }
    }

    /// Of what the training depends on: made of anything else it is another.
    private func digest(_ training: CompositionPlan.Training, by method: PersonalizationMethod) -> String {
        CompositionAblation.digest([
            parts,
            JSONValue.object(method.options(for: training.concept.role).completed(given(training, by: method))).text,
            training.concept.wording.template,
            method == .lora ? DreamBooth.identifier(of: training.concept.role) : "",
        ])
    }

    /// Eight digits that tell what was made of these lines from what was made of others, in a file's name.
    private static func digest(_ lines: [String]) -> String {
        String(SHA256Digest.of(Data(lines.joined(separator: "\n").utf8)).description.prefix(8))
    }

    private func given(_ training: CompositionPlan.Training, by method: PersonalizationMethod) -> JSONValue? {
        if method == .lora { return options.lora }
        if training.concept.role == .subject { return options.subject }
        let given = options.style ?? .object([:])
        return given["prompt"] == nil ? given.adding("prompt", .string(plan.prompt(learning: training))) : given
    }

    /// One picture a place.
    private func pictures(
        _ arm: Arm, _ subject: CompositionPlan.Training, _ style: CompositionPlan.Training, _ seed: UInt64
    ) throws -> [Picture] {
        guard let method = arm.method else {
            return plan.scenes(subject, style, seed: seed).painted(size: subject.concept.references[0].width)
        }
        let asked =
            try [digest(subject, by: method), digest(style, by: method), settings(arm)]
            + plan.places.map { plan.prompt(subject, $0) }
        let series = "\(arm.rawValue)/\(subject.name)-\(style.name)-\(seed)-\(CompositionAblation.digest(asked))"
        return try folder.pictures(series, count: plan.places.count) {
            let learned = try [subject, style].map { (training: $0, adapter: try adapter($0, by: method)) }
            let start = Date()
            let loaded = try LoadedModel(directory: directory)  // anew: merging changes the weights
            guard let model = loaded.backbone as? ChameleonModel else {
                throw JobFailure(
                    code: "model.other", consequence: .rejected,
                    message: "\(loaded.name) joins no concepts; give a Chameleon's directory")
            }
            let seeds = plan.places.indices.map { seed &* 1000 &+ UInt64($0) }
            let prompts = plan.places.map { plan.prompt(subject, $0) }
            let drawn =
                method == .lora
                ? try draw(
                    prompts, seeds, on: model, changes: changes(arm, learned, on: model),
                    share: arm == .merged ? options.loraShare : 1)
                : try PersonalizedChameleon(
                    model: model,
                    adapters: Dictionary(uniqueKeysWithValues: learned.map { ($0.training.concept.name, $0.adapter) }),
                    modelDigest: loaded.digest
                ).generate(prompts, seeds: seeds, cutsConcepts: arm != .unmasked)
            report("drew \(series) in \(Int(Date().timeIntervalSince(start))) s")
            return drawn
        }
    }

    // MARK: - Low-rank changes

    /// What pictures of an arm depend on beside adapters and prompts.
    private func settings(_ arm: Arm) throws -> String {
        switch arm {
        case .learned: try Adapter.Description.text(of: options.merging)
        case .split: "\(options.styleBlocks.map { "\($0)" } ?? "upper half")"
        case .masked, .unmasked, .merged, .world: "\(options.loraShare)"
        }
    }

    /// Both concepts' changes as an arm joins them, to be added to the weights.
    private func changes(
        _ arm: Arm, _ learned: [(training: CompositionPlan.Training, adapter: Adapter)], on model: ChameleonModel
    ) throws -> [LoRAAdapter] {
        let adapters = try (arm == .learned ? factored(learned, on: model) : learned.map(\.adapter)).compactMap {
            try $0.lora()
        }
        guard arm == .split else { return adapters }
        let depth = model.configuration.transformer.depth
        let style = options.styleBlocks ?? depth / 2..<depth
        return [adapters[0].keeping { !style.contains($0) }, adapters[1].keeping(where: style.contains)]
    }

    /// Both adapters with factors that were learnt for the pair.
    private func factored(
        _ learned: [(training: CompositionPlan.Training, adapter: Adapter)], on model: ChameleonModel
    ) throws -> [Adapter] {
        let pair = learned.map(\.training.name).joined(separator: "-")
        let made = learned.map { digest($0.training, by: .lora) } + [try settings(.learned)]
        let words = CompositionAblation.digest(made)
        let names = learned.map { "\(Arm.learned.rawValue)-\($0.training.concept.role.rawValue)-\(pair)-\(words)" }
        return try folder.adapters(names) {
            let start = Date()
            let merging = LearnedMerging(
                try learned.map { ($0.training.concept, try $0.adapter.lora()!) }, options: options.merging)
            let merged = try merging.merge(on: model)
            report("learned the factors of \(pair) in \(Int(Date().timeIntervalSince(start))) s")
            return try zip(merged, learned).map { try Adapter($0, description: $1.adapter.description) }
        }
    }

    private func draw(
        _ prompts: [String], _ seeds: [UInt64], on model: ChameleonModel, changes: [LoRAAdapter], share: Float
    ) throws -> [Picture] {
        for change in changes { try change.merge(into: model.transformerWeights, share: share) }
        let said = prompts.map {
            $0.replacing("<\(CompositionPlan.subjectName)>", with: DreamBooth.identifier(of: .subject))
                .replacing("<\(CompositionPlan.styleName)>", with: DreamBooth.identifier(of: .style))
        }
        return model.generate(
            said.map { ChameleonPrompt(ids: model.ids(before: $0)) }, sampling: model.sampling(seeds: seeds))
    }

    /// Rows subjects, columns styles, behind the references; at the first place, of the first seed.
    private func writeSheet(_ arm: Arm) throws {
        let size = plan.subjects[0].concept.references[0].width
        var cells =
            [Picture(width: size, height: size, filledWith: (255, 255, 255))]
            + plan.styles.map { $0.concept.references[0] }
        for subject in plan.subjects {
            cells.append(subject.concept.references[0])
            for style in plan.styles { cells.append(try pictures(arm, subject, style, plan.seeds[0])[0]) }
        }
        try Grid.rows(of: plan.styles.count + 1, cells).writePNG("\(folder.path)/sheet-\(arm.rawValue).png")
    }
}
