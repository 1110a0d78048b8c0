import Foundation
import Hummingbird
import Jobs

/// What was learnt: a gallery, and each concept with its versions side by side.
struct ConceptsPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/concepts") { request, context in try await gallery(request, context.knownViewer()) }
        router.get("/concepts/:name") { request, context in
            try await concept(context.part("name"), request, context.knownViewer())
        }
        router.post("/concepts/delete") { _, context in try await delete(context.form, context.actingViewer()) }
    }

    private static let page = 60
    /// Versions of a concept on a page.
    private static let versionsOfAPage = 100

    private func gallery(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let text = request.parameter("text")
        let after = request.parameter("after")?.split(separator: "\u{1F}", maxSplits: 1).map(String.init) ?? []
        let rows = try await site.reader.rows(
            """
            select * from dashboard.concept_details c
            where (c.tenant, c.name, c.version) in (
                    select n.tenant, n.name, max(n.version) from dashboard.concepts n
                    where ($1::text is null or n.tenant = $1)
                        and ($2::text is null or position(lower($2) in n.name) > 0)
                        and ($3::text is null or (n.tenant, n.name) > ($3, $4))
                    group by n.tenant, n.name order by n.tenant, n.name limit \(Self.page + 1))
            order by c.tenant, c.name
            """, [viewer.tenant, text, after.first, after.count > 1 ? after[1] : after.isEmpty ? nil : ""])
        var model = site.frame(viewer, section: "concepts", title: "Concepts")
        model["concepts"] = rows.prefix(Self.page).map(Self.card)
        model["is_none"] = rows.isEmpty
        model["filter_text"] = text ?? ""
        model["next"] = NSNull()
        if rows.count > Self.page, let last = rows.prefix(Self.page).last {
            let key = "\(last["tenant"]?.string ?? "")\u{1F}\(last["name"]?.string ?? "")"
            let search = text.map { "text=\(JobSearch.escaped($0))&" } ?? ""
            model["next"] = "/concepts?\(search)after=" + JobSearch.escaped(key)
        }
        return try site.templates.html("concepts", model)
    }

    private static func card(_ row: JSONValue) -> [String: Any] {
        var model = row.members
        let pictures = Pictures.drawn(of: row)
        let shown = pictures.isEmpty ? Pictures.references(row["references"]) : pictures.map(Pictures.model)
        // Of a square there is room for one, or for four: two side by side lose their halves.
        model["cover"] = Array(shown.prefix(shown.count < 4 ? 1 : 4))
        model["path"] = path(row)
        model["created"] = Figures.moment(row["created_at"]?.string)
        return model
    }

    static func path(_ row: JSONValue) -> String {
        let tenant = JobSearch.escaped(row["tenant"]?.string ?? "")
        return "/concepts/\(JobSearch.escaped(row["name"]?.string ?? ""))?tenant=\(tenant)"
    }

    private func concept(_ name: String, _ request: Request, _ viewer: Viewer) async throws -> Response {
        let tenant = viewer.tenant ?? request.parameter("tenant")
        let rows = try await site.reader.rows(
            """
            select * from dashboard.concept_details c
            where c.name = $1 and ($2::text is null or c.tenant = $2) and ($3::int is null or c.version < $3::int)
            order by c.tenant, c.version desc limit \(Self.versionsOfAPage + 1)
            """, [name, tenant, request.parameter("before").flatMap { Int32($0) }.map { String($0) }])
        guard let first = rows.first else {
            throw HTTPError(.notFound, message: "No concept of that name was learnt, or it was deleted.")
        }
        let owner = first["tenant"]?.string
        let own = rows.filter { $0["tenant"]?.string == owner }
        let versions = own.prefix(Self.versionsOfAPage)
        var model = site.frame(viewer, section: "concepts", title: name)
        model.merge(first.members) { $1 }
        model["versions"] = versions.map(Self.version)
        model["has_several"] = versions.count > 1
        model["next"] =
            own.count > versions.count
            ? "\(Self.path(first))&before=\(versions.last?["version"]?.integer ?? 0)" : NSNull()
        model["tenant_query"] = JobSearch.escaped(owner ?? "")
        model["playground"] = try await PlaygroundPage(site: site).form(
            viewer, concept: name, model: first["model"]?.string, role: first["role"]?.string,
            noun: first["class"]?.string, tenant: owner)
        return try site.templates.html("concept", model)
    }

    private static func version(_ row: JSONValue) -> [String: Any] {
        var model = row.members
        model["is_newest"] = row["newest"] == .bool(true)
        model["references"] = Pictures.references(row["references"])
        model["prompts"] = Pictures.byPrompt(Pictures.drawn(of: row))
        model["files"] = Pictures.files(row["artifacts"]?.array ?? []).filter { $0["is_picture"] as? Bool == false }
        model["metrics"] = ScoreMeaning.models(row["metrics"])
        model["created"] = Figures.moment(row["created_at"]?.string)
        model["warnings"] = (row["warnings"]?.array ?? []).compactMap(\.string)
        return model
    }

    private func delete(_ form: FormFields, _ viewer: Viewer) async throws -> Response {
        let admin = try site.acting()
        guard let name = form["name"], let tenant = viewer.tenant ?? form["tenant"], viewer.sees(tenant) else {
            throw HTTPError(.badRequest)
        }
        let version = form["version"].flatMap { Int($0) }
        // One that cannot be read must not mean all of them.
        guard version != nil || (form["version"] ?? "").isEmpty else {
            throw HTTPError(.badRequest, message: "The version is no number.")
        }
        guard form["sure"] == "yes" else {
            let rows = try await site.reader.rows(
                """
                select * from dashboard.concept_details
                where name = $1 and tenant = $2 and ($3::int is null or version = $3::int) order by version desc
                """, [name, tenant, version.map(String.init)])
            var model = site.frame(viewer, section: "concepts", title: "Delete \(name)")
            model["name"] = name
            model["tenant"] = tenant
            model["version"] = version.map(String.init) ?? NSNull()
            model["back"] = Self.path(["name": .string(name), "tenant": .string(tenant)])
            model["references"] = try await counted(references(of: rows), "reference picture")
            model["companions"] = try await companions(of: rows, name, tenant) ?? NSNull()
            model["versions"] = rows.map { row in
                [
                    "version": row["version"]?.integer ?? 0, "job": row["job"]?.string ?? "",
                    "files": counted(row["artifacts"]?.array?.count ?? 0, "file"),
                ] as [String: Any]
            }
            return try site.templates.html("concept-delete", model)
        }
        let count = try await admin.deleteConcept(
            name, tenant: tenant, version: version, withReferences: form["references"] == "yes")
        site.logger.notice(
            "a concept was deleted by hand",
            metadata: ["versions": "\(count)", "web.viewer": "\(viewer.name ?? "anybody")"])
        return .redirect(to: "/concepts", type: .normal)
    }

    /// The jobs that learnt those versions, as a statement's parameter.
    private static func jobs(of versions: [JSONValue]) -> String {
        "{\(versions.compactMap { $0["job"]?.string }.joined(separator: ","))}"
    }

    /// How many pictures go with the jobs of those versions, those of other concepts too.
    private func references(of versions: [JSONValue]) async throws -> Int {
        let row = try await site.reader.row(
            """
            select sum(jsonb_array_length(images)) as count from dashboard.job_details where job = any ($1::uuid[])
            """, [Self.jobs(of: versions)])
        return row?["count"]?.integer ?? 0
    }

    /// What goes with those versions of a concept, for one adapter knows all that a job learnt; nil: nothing.
    private func companions(of versions: [JSONValue], _ name: String, _ tenant: String) async throws -> String? {
        let rows = try await site.reader.rows(
            """
            select name, version from dashboard.concepts
            where tenant = $1 and name <> $2 and job = any ($3::uuid[]) order by name, version
            """, [tenant, name, Self.jobs(of: versions)])
        let names = rows.map { "\($0["name"]?.string ?? "")@\($0["version"]?.integer ?? 0)" }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }
}
