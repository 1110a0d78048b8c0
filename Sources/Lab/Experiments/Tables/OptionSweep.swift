import Catalogue
import Evaluation
import Foundation
import Hashing
import Jobs

/// How a method's options are chosen: every choice is a row of a table, and learns subjects that no figure reported
/// elsewhere comes from.
package struct OptionSweep {
    /// A choice that cannot be tried.
    package struct Unfit: Error, CustomStringConvertible {
        /// The choice or method, and what is wrong with it.
        package let description: String
    }

    private static let firstSubject = 100
    private let tables: ExperimentTables

    /// - Parameters:
    ///   - models: the folder of all models; `model` is one of them.
    ///   - folder: the run's own; a choice measured there before is not measured again.
    ///   - method: of `PersonalizationMethod`.
    ///   - choices: options as a job's JSON gives them.
    ///   - report: hears what happens, a line at a time.
    /// - Throws: `Unfit` for a method or choice no job could have, `MetricEncoders.Missing` without the encoders.
    package init(
        models: String, model: String, folder: String, settings: TableSettings, method: String, choices: [String],
        report: @escaping (String) -> Void
    ) throws {
        let family = try ModelFolder.derived("\(models)/\(model)").family
        guard let method = PersonalizationMethod(rawValue: method), method.families.contains(family) else {
            throw Unfit(
                description:
                    """
                    \(method) on \(model): allowed for this model are \
                    \(PersonalizationMethod.fitting(family, .subject))
                    """
            )
        }
        var settings = settings
        settings.firstSubject = OptionSweep.firstSubject
        let untuned = TableVariant.untuned.filter { $0.model == model }
        let tried = try choices.map { try OptionSweep.variant($0, of: method, on: model) }
        let table = PaperTable(
            name: "sweep", title: "\(method.rawValue) on \(model), choices of options",
            rows: ([.references, .world] + untuned + tried).map { PaperTable.Row(variant: $0, published: [:]) },
            claims: OptionSweep.claims(tried))
        tables = try ExperimentTables(
            models: models, folder: folder, settings: settings, tables: [table], report: report)
    }

    /// - Returns: the table as Markdown.
    package func run() throws -> String { try tables.run() }

    /// What is asked of every choice: whether it has more than the first.
    private static func claims(_ tried: [TableVariant]) -> [PaperTable.Claim] {
        tried.dropFirst().flatMap { choice in
            [Score.Metric.dino, .clipI, .clipT, .pres, .div].map {
                PaperTable.Claim(
                    statement: "more \($0.rawValue) than the first choice", metric: $0, greater: choice,
                    lesser: tried[0])
            }
        }
    }

    private static func variant(
        _ choice: String, of method: PersonalizationMethod, on model: String
    ) throws -> TableVariant {
        let options = try JSONValue(json: Data(choice.utf8))
        let problems = method.options(for: .subject).problems(in: options)
        guard problems.isEmpty, case .object(let members) = options else {
            throw Unfit(description: "\(choice): \(problems.map(\.description).joined(separator: "; "))")
        }
        let key = "\(method.rawValue)-\(model)-\(SHA256Digest.of(Array(options.text.utf8)).description.prefix(8))"
        return TableVariant(
            key: key, title: members.isEmpty ? "its own options" : OptionSweep.title(choice), model: model,
            way: .learned(method, members))
    }

    /// A choice for people, as it was typed: `learning rate 3e-4, iterations 300`.
    static func title(_ choice: String) -> String {
        let members = choice.matches(of: /"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s,}]+)/)
        return members.map { member in
            let (name, value) = (member.1.replacing("_", with: " "), member.2.replacing("\"", with: ""))
            return "\(name) \(value)"
        }.joined(separator: ", ")
    }
}
