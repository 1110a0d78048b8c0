import Foundation
import Hummingbird
import Jobs

/// A form for learning a concept: pictures are dragged in, options are what the methods' tables have.
struct NewJobPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/new") { request, context in
            let viewer = try context.actingViewer()
            var model = site.frame(viewer, section: "jobs", title: "New job")
            model.merge(try await form(viewer)) { $1 }
            model["start"] = try await start(request, viewer)
            return try site.templates.html("new", model)
        }
    }

    private func form(_ viewer: Viewer) async throws -> [String: Any] {
        let rows = try await site.reader.rows("select * from dashboard.model_descriptions where is_held order by model")
        let models = rows.compactMap { row -> (String, String)? in
            guard let name = row["model"]?.string, let family = row["description"]?["family"]?.string else {
                return nil
            }
            return (name, family)
        }
        let methods = PersonalizationMethod.allCases.map { method -> [String: Any] in
            let families = Set(method.families.map(\.rawValue))
            return [
                "method": method.rawValue, "roles": method.roles.map(\.rawValue).joined(separator: " "),
                "models": models.filter { families.contains($0.1) }.map(\.0).joined(separator: " "),
            ]
        }
        let tables = PersonalizationMethod.allCases.flatMap { method in
            method.roles.map { role in Self.table(method, role) }
        }
        return [
            "methods": methods, "tables": tables,
            "models": Set(models.filter { ModelFamily(rawValue: $0.1)?.draws ?? false }.map(\.0)).sorted(),
            "tenant": viewer.tenant ?? site.publishing?.user ?? "", "is_tenant_fixed": viewer.tenant != nil,
        ]
    }

    private static func table(_ method: PersonalizationMethod, _ role: ConceptRole) -> [String: Any] {
        [
            "method": method.rawValue, "role": role.rawValue,
            "options": method.options(for: role).rows.filter(\.fitsAField).map { option -> [String: Any] in
                var row: [String: Any] = [
                    "name": option.name, "meaning": option.meaning, "allowed": option.allowed,
                    "standard": option.standard == .null ? "" : option.standard.string ?? option.standard.text,
                    "id": "\(method.rawValue)-\(role.rawValue)-\(option.name)",
                ]
                switch option.values {
                case .flag:
                    row["has_flag"] = true
                    row["flag"] = JobLine.choices(["true", "false"], chosen: nil)
                case .choice(let words):
                    row["has_choice"] = true
                    row["choice"] = JobLine.choices(words, chosen: nil)
                case .integers(let range), .countOrJob(let range):
                    row["number"] = ["low": "\(range.lowerBound)", "high": "\(range.upperBound)", "step": "1"]
                case .numbers(let range), .numbersByScale(let range):
                    row["number"] = ["low": "\(range.lowerBound)", "high": "\(range.upperBound)", "step": "any"]
                case .text, .model, .texts: row["is_text"] = true
                }
                return row
            },
        ]
    }

    /// The message of a job that is to be run again with changes; an empty object otherwise.
    private func start(_ request: Request, _ viewer: Viewer) async throws -> Any {
        guard let id = request.parameter("from") else { return NSNull() }
        let job = try await JobPage(site: site).job(id, viewer)
        return [
            "json": JobPage.pretty(job["spec"] ?? .null), "tenant": job["tenant"]?.string ?? "",
            "is_form": job["kind"]?.string == "personalize", "short": String(id.prefix(8)),
        ]
    }
}

extension JobOption {
    /// Whether one field of a form can hold it; a list of texts is given in the message itself.
    fileprivate var fitsAField: Bool {
        if case .texts = values { false } else { true }
    }
}
