import Engine
import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import LittleWorld
import Personalization

/// What one variant makes of one subject: learns it, draws it, and is measured.
struct TableCellRun {
    let models, folder: String
    let settings: TableSettings
    let encoders: MetricEncoders
    /// This program, by its own digest: cells of another may be of other code.
    let engine = (try? SHA256Digest.ofFile("/proc/self/exe")).map { String($0.description.prefix(8)) }

    var methodSheet: MethodSheet {
        MethodSheet(
            columns: max(4, settings.picturesPerPrompt), references: settings.references, prompts: settings.prompts)
    }

    func sheet(_ key: TableCell.Key) -> String { "\(folder)/pictures/\(key.name).png" }

    /// The options of what a variant learns; null of what learns nothing by a method of jobs.
    func options(_ variant: TableVariant) -> JSONValue {
        guard let (method, given) = variant.learning else { return .null }
        var options = given
        if let iterations = settings.iterations {
            options["iterations"] = .integer(iterations)
            if method == .proxyTuning { options["supervisor_iterations"] = .integer(iterations) }
        }
        return .object(options)
    }

    func cell(_ variant: TableVariant, _ key: TableCell.Key) throws -> TableCell {
        guard let name = variant.model else { return try undrawnCell(variant, key) }
        let loaded = try LoadedModel(directory: "\(models)/\(name)")
        let known = concepts(variant, key.subject, size: loaded.pictureSize)
        let concept = known[key.subject % known.count]
        let drawing = try drawing(variant, concept, known, loaded, key)
        return TableCell(
            key: key, className: concept.className, scores: try scores(key, concept, drawing),
            seconds: drawing.seconds, parameters: drawing.parameters, adapterBytes: drawing.bytes, engine: engine)
    }

    /// A cell that no model draws: of the references, or of the world's own pictures.
    private func undrawnCell(_ variant: TableVariant, _ key: TableCell.Key) throws -> TableCell {
        let size = 64
        let concept = concept(key.subject, size: size)
        let scores: [String: Double]
        if case .world = variant.way {
            let world = SubjectInWorld(subject: settings.subject(key.subject), size: size)
            // It has one individual, whom pictures of the class would show: PRES would say nothing.
            scores = try self.scores(
                key, concept, Drawing(paint: world.paint, asks: \.described, classPictures: 0))
        } else {
            scores = Self.values(ConceptMetrics(references: concept.references, by: encoders).ceiling())
        }
        return TableCell(key: key, className: concept.className, scores: scores, engine: engine)
    }

    /// How a variant draws a subject, and what it took to learn that.
    private struct Drawing {
        let paint: Painting
        /// Of a prompt's two wordings the one it draws from.
        let asks: ((asked: String, described: String)) -> String
        /// Of the class prompt, where not as many as the settings say.
        var classPictures: Int?
        var seconds: Double?
        var parameters: Int?
        var bytes: Int?
    }

    /// - Parameter known: all subjects that are learnt together, or this one alone.
    private func drawing(
        _ variant: TableVariant, _ concept: Concept, _ known: [Concept], _ loaded: LoadedModel, _ key: TableCell.Key
    ) throws -> Drawing {
        if case .baseline(let baseline) = variant.way {
            let run = try BaselineRun(
                baseline, concept, seed: key.randomness, on: loaded, iterations: settings.iterations)
            return Drawing(paint: run.paint, asks: \.asked, seconds: run.seconds, parameters: run.parameters)
        }
        guard let training = try training(variant, concept, known, key) else {
            return Drawing(paint: try ConceptPainter(loaded, adapters: [:]).paint, asks: \.described)
        }
        let painter = try ConceptPainter(
            loaded, adapters: Dictionary(uniqueKeysWithValues: known.map { ($0.name, training.adapter) }))
        let wording = ConceptWording(method: training.adapter.description.method)
        return Drawing(
            paint: painter.paint, asks: { wording.asked($0.asked) }, seconds: training.seconds,
            parameters: training.parameters, bytes: training.bytes)
    }

    /// - Parameter name: where several subjects are learnt together, each its own.
    private func concept(_ number: Int, named name: String = "it", size: Int) -> Concept {
        let subject = settings.subject(number)
        return Concept(
            name: name, role: .subject, className: subject.kind.name,
            references: subject.references(count: settings.references).painted(size: size))
    }

    /// Subjects that a variant learns at once.
    private func concepts(_ variant: TableVariant, _ number: Int, size: Int) -> [Concept] {
        guard case .together = variant.way else { return [concept(number, size: size)] }
        return settings.together(with: number).map {
            concept($0, named: "it\($0 % TableSettings.together)", size: size)
        }
    }

    /// What a variant learns; nil where that is nothing.
    /// - Parameter known: all subjects that are learnt together, or this one alone.
    private func training(
        _ variant: TableVariant, _ concept: Concept, _ known: [Concept], _ key: TableCell.Key
    ) throws -> TrainingRun? {
        let taught = taughtRun(variant, concept, key.randomness)
        switch (variant.way, variant.model) {
        case (.learned(.proxyTuning, _), let model?): return try taught.student(model)
        case (.together, let model?):
            let seeds = settings.together(with: key.subject).map { TableCell.Key.randomness(key.seed, of: $0) }
            return try TaughtRun.together(zip(known, seeds).map { taughtRun(variant, $0, $1) }, model)
        case (.augmented, let model?): return try taught.student(ofReferencesBy: model)
        case (.supervisor, _): return try taught.supervisor()
        case (.learned(let method, _), let model?):
            return try TrainingRun(
                concept, by: method, options: options(variant), seed: key.randomness, model: "\(models)/\(model)",
                folder: folder)
        default: return nil
        }
    }

    private func taughtRun(_ variant: TableVariant, _ concept: Concept, _ seed: UInt64) -> TaughtRun {
        TaughtRun(concept: concept, options: options(variant), seed: seed, models: models, folder: folder)
    }

    private func scores(_ key: TableCell.Key, _ concept: Concept, _ drawing: Drawing) throws -> [String: Double] {
        let prompts = PromptSuite.littleWorld.templates.prefix(settings.prompts)
            .map { PromptSuite.prompts($0, concept: concept.name, className: concept.className) }
        let plan = EvaluationPictures.Plan(
            prompts: prompts.map(drawing.asks), perPrompt: settings.picturesPerPrompt,
            classPrompts: concept.classPrompts,
            classPictures: drawing.classPictures ?? settings.classPictures)
        let pictures = EvaluationPictures(plan, seed: key.randomness, paint: drawing.paint)
        try FileManager.default.createDirectory(atPath: "\(folder)/pictures", withIntermediateDirectories: true)
        try methodSheet.cell(references: concept.references, prompts: pictures.groups)
            .writePNG(sheet(key))
        let metrics = ConceptMetrics(references: concept.references, by: encoders)
        let others = settings.together(with: key.subject).filter { $0 != key.subject }
            .flatMap { self.concept($0, size: concept.references[0].width).references }
        return Self.values(
            metrics.subject(pictures.groups, prompts: prompts.map(\.described), classPictures: pictures.classPictures)
                + [metrics.otherDINO(pictures.groups, others: others)])
    }

    private static func values(_ scores: [Score]) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: scores.map { ($0.key, $0.value) })
    }
}
