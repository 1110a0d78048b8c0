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

    /// For every prompt the pictures that a cell has left; nil where it left none.
    func pictures(_ key: TableCell.Key) throws -> [[Picture]]? {
        guard FileManager.default.fileExists(atPath: sheet(key)) else { return nil }
        return methodSheet.pictures(of: try Picture(pngFile: sheet(key)), perPrompt: settings.picturesPerPrompt)
    }

    /// What each of a cell's prompts asks for.
    func scenes(_ variant: TableVariant, _ key: TableCell.Key) -> [Scene] {
        let world = world(variant, key, size: 64)
        return templates.map { world.scene($0, seed: key.randomness) }
    }

    private var templates: ArraySlice<String> { PromptSuite.littleWorld.templates.prefix(settings.prompts) }

    /// Who paints what a cell's prompts ask for.
    private func world(_ variant: TableVariant, _ key: TableCell.Key, size: Int) -> SubjectInWorld {
        let second = variant.isOfTwo ? settings.subject(TableSettings.second(to: key.subject)) : nil
        return SubjectInWorld(subject: settings.subject(key.subject), second: second, size: size)
    }

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
        let drawing = try drawing(variant, known, loaded, key)
        return TableCell(
            key: key, className: subject(of: key, known).className, scores: try scores(variant, key, known, drawing),
            seconds: drawing.seconds, parameters: drawing.parameters, adapterBytes: drawing.bytes, engine: engine)
    }

    /// A cell that no model draws: of the references, or of the world's own pictures.
    private func undrawnCell(_ variant: TableVariant, _ key: TableCell.Key) throws -> TableCell {
        let size = 64
        let known = concepts(variant, key.subject, size: size)
        let concept = subject(of: key, known)
        let scores: [String: Double]
        if case .world = variant.way {
            let world = world(variant, key, size: size)
            // It has one individual, whom pictures of the class would show: PRES would say nothing.
            scores = try self.scores(
                variant, key, known, Drawing(paint: world.paint, asks: \.described, classPictures: 0))
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

    private func drawing(
        _ variant: TableVariant, _ known: [Concept], _ loaded: LoadedModel, _ key: TableCell.Key
    ) throws -> Drawing {
        if case .baseline(let baseline) = variant.way {
            let run = try BaselineRun(
                baseline, known[0], seed: key.randomness, on: loaded, iterations: settings.iterations)
            return Drawing(paint: run.paint, asks: \.asked, seconds: run.seconds, parameters: run.parameters)
        }
        let runs = try trainings(variant, known, key)
        guard let first = runs.first else {
            return Drawing(paint: try ConceptPainter(loaded, adapters: [:]).paint, asks: \.described)
        }
        // One of all that are known, or one of each.
        let adapters = known.enumerated().map { ($1.name, runs[$0 % runs.count].adapter) }
        let painter = try ConceptPainter(
            loaded, adapters: Dictionary(uniqueKeysWithValues: adapters), options: joining(variant, loaded))
        let wording = ConceptWording(method: first.adapter.description.method)
        let seconds = runs.reduce(0.0) { $0 + $1.seconds }
        let (parameters, bytes) = (runs.reduce(0) { $0 + $1.parameters }, runs.reduce(0) { $0 + $1.bytes })
        return Drawing(
            paint: painter.paint, asks: { wording.asked($0.asked) }, seconds: seconds, parameters: parameters,
            bytes: bytes)
    }

    /// How adapters of several trainings act together, as a job says it; nil where there is one.
    private func joining(_ variant: TableVariant, _ loaded: LoadedModel) throws -> OptionValues? {
        guard case .joined(let joining, _) = variant.way else { return nil }
        return try OptionValues(.object(["adapters": .string(joining.rawValue)]), of: loaded.drawing)
    }

    /// - Parameter name: where several subjects are known, each its own.
    private func concept(_ number: Int, named name: String = "it", size: Int) -> Concept {
        let subject = settings.subject(number)
        return Concept(
            name: name, role: .subject, className: subject.kind.name,
            references: subject.references(count: settings.references).painted(size: size))
    }

    /// Subjects that are known together with a variant's, itself among them.
    private func concepts(_ variant: TableVariant, _ number: Int, size: Int) -> [Concept] {
        guard variant.subjects > 1 else { return [concept(number, size: size)] }
        return settings.group(of: variant.subjects, with: number).map {
            concept($0, named: "it\($0 % TableSettings.together)", size: size)
        }
    }

    /// A cell's own among those that are known.
    private func subject(of key: TableCell.Key, _ known: [Concept]) -> Concept { known[key.subject % known.count] }

    /// What a variant learns: all that is known at once, or each by itself; none where that is nothing.
    private func trainings(_ variant: TableVariant, _ known: [Concept], _ key: TableCell.Key) throws -> [TrainingRun] {
        let taught = taughtRun(variant, known[0], key.randomness)
        let group = settings.group(of: variant.subjects, with: key.subject)
        let seeds = group.map { TableCell.Key.randomness(key.seed, of: $0) }
        switch (variant.way, variant.model) {
        case (.learned(.proxyTuning, _), let model?): return [try taught.student(model)]
        case (.together, let model?):
            return [try TaughtRun.student(model, of: zip(known, seeds).map { taughtRun(variant, $0, $1) })]
        case (.joined, let model?):
            // By the name that rows of one subject learn it by, which so have learnt it already.
            let size = known[0].references[0].width
            return try zip(group, seeds).map {
                try taughtRun(variant, concept($0, size: size), $1).student(model)
            }
        case (.augmented, let model?): return [try taught.student(ofReferencesBy: model)]
        case (.supervisor, _): return [try taught.supervisor()]
        case (.learned(let method, _), let model?):
            let run = try TrainingRun(
                known[0], by: method, options: options(variant), seed: key.randomness, model: "\(models)/\(model)",
                folder: folder)
            return [run]
        default: return []
        }
    }

    private func taughtRun(_ variant: TableVariant, _ concept: Concept, _ seed: UInt64) -> TaughtRun {
        TaughtRun(
            concept: concept, options: options(variant), seed: seed, models: models, folder: folder,
            encoders: encoders)
    }

    private func scores(
        _ variant: TableVariant, _ key: TableCell.Key, _ known: [Concept], _ drawing: Drawing
    ) throws -> [String: Double] {
        let concept = subject(of: key, known)
        let second = variant.isOfTwo ? known[TableSettings.second(to: key.subject) % known.count] : nil
        let prompts = templates.map { template in
            second.map { TwoSubjects.prompt(template, concept, $0) }
                ?? PromptSuite.prompts(template, concept: concept.name, className: concept.className)
        }
        let plan = EvaluationPictures.Plan(
            prompts: prompts.map(drawing.asks), perPrompt: settings.picturesPerPrompt,
            classPrompts: concept.classPrompts,
            classPictures: drawing.classPictures ?? settings.classPictures)
        let pictures = EvaluationPictures(plan, seed: key.randomness, paint: drawing.paint)
        try FileManager.default.createDirectory(atPath: "\(folder)/pictures", withIntermediateDirectories: true)
        try methodSheet.cell(references: concept.references, prompts: pictures.groups)
            .writePNG(sheet(key))
        let metrics = ConceptMetrics(references: concept.references, by: encoders)
        let parts = second.map { _ in pictures.groups.map { $0.map(\.leftOfTwo) } }
        let others = second?.references ?? companions(of: key.subject, size: concept.references[0].width)
        return Self.values(
            metrics.subject(
                pictures.groups, prompts: prompts.map(\.described), classPictures: pictures.classPictures,
                parts: parts, besides: [ConceptMetrics(references: others, by: encoders)]))
    }

    /// References of those that a subject is learnt together with, whether a variant does so or not.
    private func companions(of number: Int, size: Int) -> [Picture] {
        settings.together(with: number).filter { $0 != number }.flatMap { concept($0, size: size).references }
    }

    private static func values(_ scores: [Score]) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: scores.map { ($0.key, $0.value) })
    }
}
