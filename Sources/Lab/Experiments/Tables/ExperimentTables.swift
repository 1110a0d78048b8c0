import Catalogue
import Engine
import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import LittleWorld
import Personalization

/// Reruns papers' tables on the installed models: every variant learns held-out subjects of Little World from several
/// seeds, and what it draws is measured. Every cell is written down when it is done, so a run that was stopped goes on
/// where it was.
package struct ExperimentTables {
    /// Of all tables that can be run.
    package static let names = PaperTable.all.map(\.name)

    private let models, folder: String
    private let settings: TableSettings
    private let tables: [PaperTable]
    private let encoders: MetricEncoders
    private let report: (String) -> Void
    /// This program, by its own digest: cells of another may be of other code.
    private let engine = (try? SHA256Digest.ofFile("/proc/self/exe")).map { String($0.description.prefix(8)) }

    /// - Parameters:
    ///   - models: the folder of all models.
    ///   - folder: the run's own; made where it is missing.
    ///   - names: of `names`.
    ///   - report: hears what happens, a line at a time.
    /// - Throws: `MetricEncoders.Missing` without the encoders.
    package init(
        models: String, folder: String, settings: TableSettings, names: [String], report: @escaping (String) -> Void
    ) throws {
        try self.init(
            models: models, folder: folder, settings: settings,
            tables: PaperTable.all.filter { names.contains($0.name) }, report: report)
    }

    init(
        models: String, folder: String, settings: TableSettings, tables: [PaperTable],
        report: @escaping (String) -> Void
    ) throws {
        (self.models, self.folder, self.settings, self.tables, self.report) = (models, folder, settings, tables, report)
        encoders = try MetricEncoders(directory: models, clip: settings.clip, dino: settings.dino)
    }

    /// Fills in the cells that are missing, and writes the tables. Several processes may fill one folder: each cell is
    /// one's.
    /// - Returns: the tables as Markdown, which also lie in the folder; without the cells that another process is still
    ///   at.
    package func run() throws -> String {
        let file = try TableFile(folder: folder)
        let inputs = try inputs(of: possibleVariants())
        var keys: [TableCell.Key] = []
        for seed in 0..<settings.seeds {
            for number in 0..<settings.subjects {
                for (variant, digest) in inputs {
                    let key = TableCell.Key(variant: variant.key, subject: number, seed: UInt64(seed), inputs: digest)
                    keys.append(key)
                    try fill(variant, key, file)
                }
            }
        }
        let done = try file.cells()
        let cells = keys.compactMap { done[$0] }
        let text = heading(cells) + tables.map { TableReport($0, cells: cells).markdown }.joined(separator: "\n")
        try text.write(toFile: "\(folder)/tables.md", atomically: true, encoding: .utf8)
        try writeMethodSheets(Set(cells.map(\.key)))
        return text
    }

    /// A training that diverges is a cell that is missing, and does so every time: the others are worth having.
    private func fill(_ variant: TableVariant, _ key: TableCell.Key, _ file: TableFile) throws {
        let start = Date()
        let name = "\(variant.key), subject \(key.subject), seed \(key.seed)"
        do {
            if try file.fill(key, { try cell(variant, key) }) {
                report("\(name): \(Int(Date().timeIntervalSince(start))) s")
            }
        } catch let failure as JobFailure where failure.code == TrainingRun.divergence {
            report("\(name) is left out: \(failure.message)")
        }
    }

    /// A sheet a subject, of the first seed's cells.
    private func writeMethodSheets(_ done: Set<TableCell.Key>) throws {
        for subject in 0..<settings.subjects {
            let rows = try variants.compactMap { variant in
                let key = done.first { ($0.variant, $0.subject, $0.seed) == (variant.key, subject, 0) }
                guard let path = key.map(sheet), FileManager.default.fileExists(atPath: path) else {
                    return (title: String, sheet: Picture)?.none
                }
                return (variant.title, try Picture(pngFile: path))
            }
            try methodSheet.picture(rows)?.writePNG("\(folder)/methods-\(subject).png")
        }
    }

    private var methodSheet: MethodSheet {
        MethodSheet(
            columns: max(4, settings.picturesPerPrompt), references: settings.references, prompts: settings.prompts)
    }

    private func sheet(_ key: TableCell.Key) -> String { "\(folder)/pictures/\(key.name).png" }

    private func heading(_ cells: [TableCell]) -> String {
        let engines = Set(cells.map { $0.engine ?? "?" })
        return """
            \(settings.subjects) held-out subjects × \(settings.seeds) seeds × \(settings.prompts) prompts × \
            \(settings.picturesPerPrompt) pictures, \
            \(settings.classPictures) pictures of the class prompt; \(settings.references) references a subject; \
            \(settings.iterations.map { "\($0) steps" } ?? "every method's own steps").\
            \(engines.count > 1 ? " **The cells were made by \(engines.count) builds of the engine.**" : "")


            """
    }

    /// The tables' variants, each once.
    private var variants: [TableVariant] {
        tables.flatMap(\.rows).map(\.variant).reduce(into: []) { variants, variant in
            if !variants.contains(where: { $0.key == variant.key }) { variants.append(variant) }
        }
    }

    /// Without those whose model is not there.
    private func possibleVariants() -> [TableVariant] {
        variants.filter { variant in
            let missing = names(variant).first {
                !FileManager.default.fileExists(atPath: "\(models)/\($0)/config.json")
            }
            if let missing { report("\(variant.key) is left out: there is no model in \(models)/\(missing)") }
            return missing == nil
        }
    }

    private func inputs(of variants: [TableVariant]) throws -> [(TableVariant, String)] {
        let encoders = try [settings.clip, settings.dino, "lpips"].map {
            try ModelParts.digest(directory: "\(models)/\($0)")
        }
        let parts = try Dictionary(
            uniqueKeysWithValues: Set(variants.flatMap(names)).map {
                ($0, try ModelParts.digest(directory: "\(models)/\($0)"))
            })
        return try variants.map { variant in
            let models = names(variant).compactMap { parts[$0] }
            return (variant, try settings.digest(encoders + (models.isEmpty ? [""] : models) + [settled(variant).text]))
        }
    }

    /// The models a variant needs: its own, and a supervisor.
    private func names(_ variant: TableVariant) -> [String] {
        let supervisor = variant.learning?.method == .proxyTuning ? settled(variant)["supervisor"]?.string : nil
        return Set([variant.model, supervisor].compactMap { $0 }).sorted()
    }

    /// The options with what holds where the variant says nothing: with another standard it is another variant.
    private func settled(_ variant: TableVariant) -> JSONValue {
        if case .baseline(let baseline) = variant.way { return .string(baseline.settings) }
        guard let method = variant.learning?.method else { return .null }
        let description = variant.model.flatMap { try? ModelFolder.written("\(models)/\($0)") }
        let usual = description?.training?[method.rawValue] ?? [:]
        return .object(method.options(for: .subject).completed(options(variant), usual: usual))
    }

    private func options(_ variant: TableVariant) -> JSONValue {
        guard let (method, given) = variant.learning else { return .null }
        var options = given
        if let iterations = settings.iterations {
            options["iterations"] = .integer(iterations)
            if method == .proxyTuning { options["supervisor_iterations"] = .integer(iterations) }
        }
        return .object(options)
    }

    private func cell(_ variant: TableVariant, _ key: TableCell.Key) throws -> TableCell {
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
            scores = ExperimentTables.values(ConceptMetrics(references: concept.references, by: encoders).ceiling())
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
        return ExperimentTables.values(
            metrics.subject(pictures.groups, prompts: prompts.map(\.described), classPictures: pictures.classPictures)
                + [metrics.otherDINO(pictures.groups, others: others)])
    }

    private static func values(_ scores: [Score]) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: scores.map { ($0.key, $0.value) })
    }
}
