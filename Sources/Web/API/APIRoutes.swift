import Foundation
import Hummingbird
import Jobs

/// What the pages show as JSON, and publishing; described in `ops/schemas/openapi.json`.
struct APIRoutes: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        let api = router.group("/api")
        addJobs(to: api)
        addViews(to: api)
        addActions(to: api)
    }

    private func addJobs(to api: RouterGroup<WebContext>) {
        api.get("/jobs") { request, context in
            let viewer = try context.knownViewer()
            var search = try JobSearch({ request.parameter($0) }, states: request.parameters("state"))
            if let tenant = viewer.tenant { search.tenant = tenant }
            let page = try await search.page(of: site.reader)
            return Self.json([
                "jobs": .array(page.rows), "next": page.next.map(JSONValue.string) ?? .null,
            ])
        }
        api.get("/jobs/:id") { _, context in
            Self.json(try await JobPage(site: site).job(context.part("id"), context.knownViewer()))
        }
        api.get("/jobs/:id/curves") { _, context in
            let job = try await JobPage(site: site).job(context.part("id"), context.knownViewer())
            return Self.json(["curves": .array(try await site.reader.curves(of: job))])
        }
    }

    private func addViews(to api: RouterGroup<WebContext>) {
        api.get("/queue") { _, context in
            let viewer = try context.knownViewer()
            return try await Self.json([
                "queue": .array(site.overview.queue(viewer.tenant)),
                "running": .array(site.overview.running(viewer.tenant)),
                "workers": .array(site.overview.workers()), "cluster": site.overview.cluster(),
            ])
        }
        api.get("/concepts") { request, context in try await concepts(request, context.knownViewer()) }
        api.get("/failures") { _, context in
            guard try context.knownViewer().tenant == nil else { throw HTTPError(.forbidden) }
            return Self.json(["failures": .array(try await site.overview.failures())])
        }
        api.get("/rejections") { request, context in
            let rows = try await site.reader.rejections(
                of: context.knownViewer().tenant, before: request.number("before"), limit: 100)
            return Self.json(["rejections": .array(rows)])
        }
        api.get("/leaderboard") { _, context in
            guard try context.knownViewer().tenant == nil else { throw HTTPError(.forbidden) }
            return Self.json(["leaderboard": .array(try await site.overview.leaderboard())])
        }
        api.get("/models") { _, context in
            _ = try context.knownViewer()
            let rows = try await site.reader.rows("select * from dashboard.model_descriptions")
            return Self.json(["models": .array(rows)])
        }
        api.get("/schema") { _, context in
            _ = try context.knownViewer()
            return Self.json(JobSchema().document)
        }
    }

    private static let conceptsOfAPage = 500

    private func concepts(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let after = try request.parameter("after").map { try Self.cursor($0) } ?? [nil, nil, nil]
        let rows = try await site.reader.rows(
            """
            select * from dashboard.concept_details
            where ($1::text is null or tenant = $1) and ($2::text is null or name = $2)
                and ($3::text is null or (tenant, name, -version) > ($5, $3, -$4::int))
            order by tenant, name, version desc limit \(Self.conceptsOfAPage + 1)
            """, [viewer.tenant, request.parameter("name")] + after)
        let page = Array(rows.prefix(Self.conceptsOfAPage))
        let next = rows.count > page.count ? page.last.map { Self.cursor(after: $0) } : nil
        return Self.json(["concepts": .array(page), "next": next.map(JSONValue.string) ?? .null])
    }

    /// Where the next page begins after this row; at its end the tenant, whose name may have a colon in it.
    private static func cursor(after row: JSONValue) -> String {
        "\(row["name"]?.string ?? ""):\(row["version"]?.integer ?? 0):\(row["tenant"]?.string ?? "")"
    }

    /// Name, version and tenant of the row that a page begins after.
    /// - Throws: 400.
    private static func cursor(_ text: String) throws -> [String?] {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, Int32(parts[1]) != nil else {
            throw HTTPError(parameter: "after", text, allowed: "what `next` said")
        }
        return parts
    }

    private func addActions(to api: RouterGroup<WebContext>) {
        api.post("/jobs") { request, context in try await publish(request, context) }
        api.post("/estimates") { request, context in try await estimate(request, context) }
        for action in JobsPage.Action.allCases where action != .delete {
            api.post("/jobs/:id/\(action.rawValue)") { request, context in
                let viewer = try context.actingViewer()
                let admin = try site.acting()
                let job = try await JobPage(site: site).job(context.part("id"), viewer)
                guard let id = job["job"]?.string.flatMap(UUID.init(uuidString:)) else { throw HTTPError(.notFound) }
                let isDone = try await JobsPage.apply(
                    action, to: id, by: admin, fromScratch: request.parameter("from_scratch") == "true", viewer)
                let after = try await JobPage(site: site).job(id.uuidString, viewer)
                return Self.json(
                    ["done": .bool(isDone), "state": after["state"] ?? .null], status: isDone ? .ok : .conflict)
            }
        }
    }

    private func estimate(_ request: Request, _ context: WebContext) async throws -> Response {
        let viewer = try context.knownViewer()
        let estimates = try EstimateRoute(site: site)
        return try await reading(request) { body in
            try await estimates.answer(viewer, tenant: request.parameter("tenant")) { try JobSpec.parsed(body) }
        }
    }

    private func publish(_ request: Request, _ context: WebContext) async throws -> Response {
        let viewer = try context.actingViewer()
        let publishing = try site.publisher()
        let tenant = viewer.tenant ?? request.parameter("tenant") ?? publishing.user
        return try await reading(request) { data in
            do {
                let body = try JobSpec.parsed(data)
                let start = try await site.reader.clock()
                let id = try await publishing.publish(body, for: tenant, id: request.messageID())
                return Self.json(
                    [
                        "message_id": .string(id), "tenant": .string(tenant),
                        "page": .string(JobPage.answerPage(to: id, tenant: tenant, since: start)),
                    ], status: .accepted)
            } catch let problems as Problems {
                let list = try await site.named(problems, for: tenant)
                return Self.json(["problems": try JSONValue(list)], status: .unprocessableContent)
            } catch let refusal as JobPublishing.Refusal {
                return Self.json(["error": .string(refusal.description)], status: .serviceUnavailable)
            }
        }
    }

    /// Reads a job's body and answers to it.
    private func reading(_ request: Request, _ answer: (Data) async throws -> Response) async throws -> Response {
        guard request.headers[.contentType]?.hasPrefix("application/json") ?? false else {
            throw HTTPError(.unsupportedMediaType, message: "A job is application/json.")
        }
        let chunks = request.body.map { $0.readableBytesView }
        return try await site.bodies.read(chunks, announced: request.bodyBytes, answer)
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: value.line)))
    }
}
