import Daemon
import Foundation
import Hummingbird
import Jobs

/// The models workers hold, what each says of itself, and its card.
struct ModelsPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/models") { _, context in
            let viewer = try context.knownViewer()
            async let held = site.reader.rows("select * from dashboard.models")
            let descriptions = try await site.reader.rows("select * from dashboard.model_descriptions")
            let lacking = try await site.overview.withoutWorker()
            var model = site.frame(viewer, section: "models", title: "Models")
            let rows = try await held
            model["models"] = try await models(rows, descriptions)
            model["is_none"] = rows.isEmpty
            model["lacking"] = viewer.tenant == nil ? LackingWorker.models(lacking) : []
            return try site.templates.html("models", model)
        }
    }

    private func models(_ rows: [JSONValue], _ descriptions: [JSONValue]) async throws -> [[String: Any]] {
        let cards = try await Self.cards(rows.compactMap { $0["model"]?.string }, in: site.models)
        return rows.map { row in
            var model = row.members
            let name = row["model"]?.string ?? ""
            let digest = row["digest"]?.string ?? ""
            let description = descriptions.first {
                $0["model"]?.string == name && $0["digest"]?.string == digest
            }.flatMap(ModelDescription.init(row:))
            model["digest_short"] = String(digest.prefix(12))
            model["is_held"] = (row["workers"]?.integer ?? 0) > 0
            model["draws"] = description?.family.draws ?? false
            model["pictures"] = description?.pictures.map(\.description).joined(separator: ", ") ?? ""
            model["limits"] = Self.limits(description)
            model["methods"] = PersonalizationMethod.allCases.filter { method in
                description.map { method.families.contains($0.family) } ?? false
            }.map(\.rawValue).joined(separator: ", ")
            model["card"] = cards[name] ?? []
            model["has_card"] = cards[name] != nil
            return model
        }
    }

    private static func limits(_ description: ModelDescription?) -> [[String: Any]] {
        guard let limits = description?.limits else { return [] }
        let all: [(String, Int?)] = [
            ("tokens of a prompt", limits.promptTokens), ("fewer for each concept", limits.tokensPerConcept),
            ("scales", limits.scales), ("layers", limits.layers), ("codes", limits.codes),
        ]
        return all.compactMap { name, value in value.map { ["name": name, "value": $0] } }
    }

    /// The README beside each model's files, where the models are on this host.
    private static func cards(_ names: [String], in directory: String?) async throws -> [String: [[String: Any]]] {
        guard let directory else { return [:] }
        let texts = try await runBlocking { () -> [String: CardText] in
            var texts: [String: CardText] = [:]
            for name in Set(names).filter(ModelDescription.isName) {
                let text = try? String(contentsOfFile: "\(directory)/\(name)/README.md", encoding: .utf8)
                texts[name] = text.map { CardText(markdown: $0) }
            }
            return texts
        }
        return texts.mapValues(\.blocks)
    }
}

extension ModelDescription {
    /// Of a row of `dashboard.model_descriptions`; nil where it cannot be read.
    init?(row: JSONValue) {
        guard let text = row["description"]?.line, let found = try? JSONDecoder().decode(Self.self, from: text) else {
            return nil
        }
        self = found
    }
}
