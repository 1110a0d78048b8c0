import Catalogue
import Engine
import Evaluation
import Foundation
import Images
import Jobs

/// Reruns papers' tables on the installed models: every variant learns held-out subjects of Little World from several
/// seeds, and what it draws is measured. Every cell is written down when it is done, so a run that was stopped goes on
/// where it was.
package struct ExperimentTables {
    /// Of all tables that can be run.
    package static let names = PaperTable.all.map(\.name)

    /// The rows of such tables, each once, by the names that cells have.
    package static func rows(of names: [String]) -> [String] {
        variants(of: tables(named: names)).map(\.key)
    }

    private static func tables(named names: [String]) -> [PaperTable] {
        PaperTable.all.filter { names.contains($0.name) }
    }

    private let models, folder: String
    private let settings: TableSettings
    private let tables: [PaperTable]
    /// Those that are filled; nil fills all.
    private let rows: [String]?
    private let cellRun: TableCellRun
    /// Nil where there is no classifier among the models.
    private let promptAccuracy: PromptAccuracy?
    private let report: (String) -> Void

    /// - Parameters:
    ///   - models: the folder of all models.
    ///   - folder: the run's own; made where it is missing.
    ///   - names: of `names`.
    ///   - rows: those that are filled; nil fills all. What earlier runs filled stands in the tables, too.
    ///   - report: hears what happens, a line at a time.
    /// - Throws: `MetricEncoders.Missing` without the encoders.
    package init(
        models: String, folder: String, settings: TableSettings, names: [String], rows: [String]? = nil,
        report: @escaping (String) -> Void
    ) throws {
        try self.init(
            models: models, folder: folder, settings: settings,
            tables: ExperimentTables.tables(named: names), rows: rows, report: report)
    }

    init(
        models: String, folder: String, settings: TableSettings, tables: [PaperTable], rows: [String]? = nil,
        report: @escaping (String) -> Void
    ) throws {
        (self.models, self.folder, self.settings, self.tables) = (models, folder, settings, tables)
        (self.rows, self.report) = (rows, report)
        cellRun = TableCellRun(
            models: models, folder: folder, settings: settings,
            encoders: try MetricEncoders(directory: models, clip: settings.clip, dino: settings.dino))
        promptAccuracy = try PromptAccuracy(directory: "\(models)/classifier")
    }

    /// Fills in the cells that are missing, and writes the tables. Several processes may fill one folder: each cell is
    /// one's.
    /// - Returns: the tables as Markdown, which also lie in the folder; without the cells that another process is still
    ///   at.
    package func run() throws -> String {
        let file = try TableFile(folder: folder)
        let inputs = try inputs(of: possibleVariants())
        var keys: [(variant: TableVariant, key: TableCell.Key)] = []
        for seed in 0..<settings.seeds {
            for number in 0..<settings.subjects {
                for (variant, digest) in inputs {
                    let key = TableCell.Key(variant: variant.key, subject: number, seed: UInt64(seed), inputs: digest)
                    keys.append((variant, key))
                    if rows?.contains(variant.key) ?? true { try fill(variant, key, file) }
                }
            }
        }
        let done = try file.cells()
        let cells = try keys.compactMap { variant, key in
            try done[key].map { try classified($0, variant, file) }
        }
        let text = heading(cells) + tables.map { TableReport($0, cells: cells).markdown }.joined(separator: "\n")
        try text.write(toFile: "\(folder)/tables.md", atomically: true, encoding: .utf8)
        for table in tables {
            let report = TableReport(table, cells: cells)
            for curve in table.curves { try report.plot(curve).picture().writePNG("\(folder)/\(curve.name).png") }
        }
        try writeMethodSheets(Set(cells.map(\.key)))
        return text
    }

    /// A training that diverges is a cell that is missing, and does so every time: the others are worth having.
    private func fill(_ variant: TableVariant, _ key: TableCell.Key, _ file: TableFile) throws {
        let start = Date()
        let name = "\(variant.key), subject \(key.subject), seed \(key.seed)"
        do {
            if try file.fill(key, { try cellRun.cell(variant, key) }) {
                report("\(name): \(Int(Date().timeIntervalSince(start))) s")
            }
        } catch let failure as JobFailure where failure.code == TrainingRun.divergence {
            report("\(name) is left out: \(failure.message)")
        }
    }

    /// A cell with what the classifier sees on the pictures it left, written down where that is new: a cell of before
    /// has it too, and none has another classifier's.
    private func classified(_ cell: TableCell, _ variant: TableVariant, _ file: TableFile) throws -> TableCell {
        guard let promptAccuracy, cell.classifier != promptAccuracy.digest,
            let pictures = try cellRun.pictures(cell.key)
        else { return cell }
        var cell = cell
        cell.scores.merge(promptAccuracy.scores(pictures, of: cellRun.scenes(variant, cell.key))) { $1 }
        cell.classifier = promptAccuracy.digest
        try file.add(cell)
        return cell
    }

    /// A sheet a subject, of the first seed's cells.
    private func writeMethodSheets(_ done: Set<TableCell.Key>) throws {
        for subject in 0..<settings.subjects {
            let rows = try variants.compactMap { variant in
                let key = done.first { ($0.variant, $0.subject, $0.seed) == (variant.key, subject, 0) }
                guard let path = key.map(cellRun.sheet), FileManager.default.fileExists(atPath: path) else {
                    return (title: String, sheet: Picture)?.none
                }
                return (variant.title, try Picture(pngFile: path))
            }
            try cellRun.methodSheet.picture(rows)?.writePNG("\(folder)/methods-\(subject).png")
        }
    }

    private func heading(_ cells: [TableCell]) -> String {
        let engines = Set(cells.map { $0.engine ?? "?" })
        return """
            \(settings.subjects) held-out subjects × \(settings.seeds) seeds × \(settings.prompts) prompts × \
            \(settings.picturesPerPrompt) pictures, \
            \(settings.classPictures) pictures of the class prompt; \(settings.references) references a subject; \
            \(settings.iterations.map { "\($0) steps" } ?? "every method's own steps").\
            \(engines.count > 1 ? " **The cells were made by \(engines.count) builds of the engine.**" : "")\
            \(promptAccuracy == nil ? " No classifier saw the pictures: there is none in \(models)/classifier." : "")


            """
    }

    private var variants: [TableVariant] { ExperimentTables.variants(of: tables) }

    /// Each once.
    private static func variants(of tables: [PaperTable]) -> [TableVariant] {
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
        Set([variant.model, supervisor(of: variant)].compactMap { $0 }).sorted()
    }

    /// What teaches a variant; nil where nothing does.
    private func supervisor(of variant: TableVariant) -> String? {
        guard variant.learning?.method == .proxyTuning else { return nil }
        return OptionTable.proxyTuning.completed(cellRun.options(variant))["supervisor"]?.string
    }

    /// The options with what holds where the variant says nothing: with another standard it is another variant.
    private func settled(_ variant: TableVariant) -> JSONValue {
        if case .baseline(let baseline) = variant.way { return .string(baseline.settings) }
        guard let method = variant.learning?.method else { return .null }
        let (options, table) = (cellRun.options(variant), method.options(for: .subject))
        let learner = description(variant.model)
        let usual =
            if method == .proxyTuning {
                PersonalizeSpec.usualTeaching(
                    of: learner, by: description(supervisor(of: variant)), rule: options["supervisor_optimizer"])
            } else {
                learner?.usualOptions(of: method) ?? [:]
            }
        return .object(table.completed(options, usual: usual))
    }

    private func description(_ name: String?) -> ModelDescription? {
        name.flatMap { try? ModelFolder.written("\(models)/\($0)") }
    }
}
