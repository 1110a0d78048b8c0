import Foundation
import Hummingbird
import Jobs

/// Methods beside each other: a sheet of prompts by versions, and the leaderboard with its intervals.
struct ComparePage: Sendable {
    let site: Site

    /// What is offered and shown of many.
    private static let (names, prompts, pictures) = (200, 8, 2)

    func add(to router: Router<WebContext>) {
        router.get("/compare") { request, context in
            let viewer = try context.knownViewer()
            var model = site.frame(viewer, section: "compare", title: "Compare")
            let asked = request.parameters("concept").filter(ConceptMention.isName)
            let names = try await site.reader.rows(
                """
                select name, count(*) over () as count from dashboard.concepts
                where ($1::text is null or tenant = $1) group by name
                order by name in (select jsonb_array_elements_text($2::jsonb)) desc, max(created_at) desc
                limit \(Self.names)
                """, [viewer.tenant, Self.literal(asked)])
            let known = names.compactMap { $0["name"]?.string }
            let chosen = asked.filter(known.contains)
            let shown = chosen.isEmpty ? Array(known.prefix(2)) : chosen
            model["unseen_names"] = Self.unseen((names.first?["count"]?.integer ?? 0) - names.count, "concept")
            model["concepts"] = known.map {
                ["value": $0, "is_chosen": shown.contains($0)] as [String: Any]
            }
            model.merge(try await sheet(of: shown, viewer)) { $1 }
            model["boards"] = viewer.tenant == nil ? Self.boards(try await site.overview.leaderboard()) : []
            return try site.templates.html("compare", model)
        }
    }

    private func sheet(of names: [String], _ viewer: Viewer) async throws -> [String: Any] {
        let rows = try await site.reader.rows(
            """
            select *, count(*) over () as count from dashboard.concept_details
            where name in (select jsonb_array_elements_text($1::jsonb)) and ($2::text is null or tenant = $2)
            order by name, method, version desc limit 40
            """, [Self.literal(names), viewer.tenant])
        var prompts: [String] = []
        let cells = rows.map { row -> [String: [[String: Any]]] in
            var found: [String: [[String: Any]]] = [:]
            for artifact in Pictures.drawn(of: row) {
                let prompt = Self.common(artifact["prompt"]?.string ?? "")
                if !prompts.contains(prompt) { prompts.append(prompt) }
                found[prompt, default: []].append(Pictures.model(artifact))
            }
            return found
        }
        let columns = Array(prompts.prefix(Self.prompts))
        var unseenPictures = 0
        func first(of pictures: [[String: Any]]) -> [[String: Any]] {
            unseenPictures += max(pictures.count - Self.pictures, 0)
            return Array(pictures.prefix(Self.pictures))
        }
        let sheet = zip(rows, cells).map { row, found -> [String: Any] in
            [
                "name": row["name"]?.string ?? "", "method": row["method"]?.string ?? "",
                "model": row["model"]?.string ?? "", "version": row["version"]?.integer ?? 0,
                "path": ConceptsPage.path(row),
                "references": first(of: Pictures.references(row["references"])),
                "cells": columns.map { ["pictures": first(of: found[$0] ?? [])] },
            ]
        }
        return [
            "prompts": columns, "sheet": sheet, "has_sheet": !sheet.isEmpty,
            "unseen": Self.unseen((rows.first?["count"]?.integer ?? 0) - rows.count, "version"),
            "unseen_prompts": Self.unseen(prompts.count - columns.count, "prompt"),
            "unseen_pictures": Self.unseen(unseenPictures, "picture"),
        ]
    }

    /// What is not shown, for the page to say; nothing where all is.
    private static func unseen(_ count: Int, _ noun: String) -> String { count > 0 ? counted(count, noun) : "" }

    private static func literal(_ names: [String]) -> String { JSONValue.array(names.map(JSONValue.string)).text }

    /// A prompt without its concept's name, so that versions of several stand in one column.
    static func common(_ prompt: String) -> String { prompt.replacing(/<[a-z0-9][a-z0-9_-]*(@\d+)?>/, with: "…") }

    private static func boards(_ rows: [JSONValue]) -> [[String: Any]] {
        let groups = Dictionary(grouping: rows) { row in
            (row["suite"]?.string ?? "") + "\u{1F}" + (row["metric"]?.string ?? "")
        }
        return groups.sorted { $0.key < $1.key }.map { _, rows in
            let metric = rows.first?["metric"]?.string ?? ""
            let most = rows.compactMap { $0["mean"]?.double }.map(abs).max() ?? 1
            var model = ScoreMeaning.model(metric, .null)
            model["suite"] = rows.first?["suite"]?.string ?? ""
            model["rows"] = rows.map { row -> [String: Any] in
                let (mean, count) = (row["mean"]?.double ?? 0, row["concepts"]?.double ?? 1)
                // The half of a 95 % interval of the mean over concepts; of one concept there is none.
                let half = row["deviation"]?.double.map { 1.96 * $0 / count.squareRoot() }
                return [
                    "place": row["place"]?.integer ?? 0, "method": row["method"]?.string ?? "",
                    "model": row["model"]?.string ?? "", "mean": Figures.plain(mean), "count": Int(count),
                    "half_width": half.map { Figures.plain($0) } ?? NSNull(),
                    "share": most > 0 ? Int(100 * abs(mean) / most) : 0,
                ]
            }
            return model
        }
    }
}
