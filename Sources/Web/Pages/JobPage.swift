import Daemon
import Foundation
import Hummingbird
import Jobs

/// Everything about a job, live while it is under way.
struct JobPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/jobs/:id") { request, context in
            let viewer = try context.knownViewer()
            let job = try await job(context.part("id"), viewer)
            if request.parameter("part") == "proxies" {
                let proxies = Pictures.byPrompt(job["artifacts"]?.array ?? [], role: .proxy)
                return try site.templates.html("job-proxies", ["proxies": proxies])
            }
            var model = site.frame(viewer, section: "jobs", title: Self.title(job))
            model.merge(try await self.model(of: job)) { $1 }
            return try site.templates.html(request.isPart ? "job-live" : "job", model)
        }
        router.get("/messages/:id") { request, context in
            try await message(context.part("id"), request, context.knownViewer())
        }
    }

    /// The job of an id, if the viewer sees it.
    /// - Throws: 404.
    func job(_ text: String, _ viewer: Viewer) async throws -> JSONValue {
        guard let id = UUID(uuidString: text),
            let job = try await site.reader.row(
                "select * from dashboard.job_details where job = $1::uuid", [id.uuidString]),
            viewer.sees(job["tenant"]?.string)
        else { throw HTTPError(.notFound, message: "There is no such job, or no more.") }
        return job
    }

    private static func title(_ job: JSONValue) -> String {
        let what = job["concept"]?.string ?? String((job["job"]?.string ?? "").prefix(8))
        return "\(job["kind"]?.string ?? "job") \(what)"
    }

    // MARK: - What the page shows

    private func model(of job: JSONValue) async throws -> [String: Any] {
        let state = job.jobState
        var model = LackingWorker.model(
            job, memory: job["estimate"]?["memory_bytes"]?.double, disk: job["estimate"]?["disk_bytes"]?.double)
        model["heading"] = Self.title(job)
        model["short"] = String((job["job"]?.string ?? "").prefix(8))
        for (name, key) in [
            ("created", "created_at"), ("started", "started_at"), ("ended", "finalized_at"), ("due", "run_after"),
            ("until", "deadline"),
        ] { model[name] = Figures.moment(job[key]?.string) }
        model.merge(Self.conditions(of: job, state)) { $1 }
        model["is_paused"] = try await isHeldBack(job)
        for action in JobsPage.Action.allCases {
            model["can_" + action.rawValue] = state.map(action.states.contains) ?? false
        }
        model["can_rebind"] = job["holds_other_weights"] == .bool(true)
        model["ran"] = job["ran_seconds"]?.double.map { Figures.duration($0) } ?? NSNull()
        if let step = job["step"]?.integer, let steps = job["steps"]?.integer, steps > 0 {
            model["percent"] = min(100, step * 100 / steps)
        }
        model["eta"] = job["eta_seconds"]?.double.map { Figures.duration(max(0, $0)) } ?? NSNull()
        model["eta_is_of_stage"] = job["eta_of"] == "stage"
        model["estimate"] = Self.estimate(job["estimate"]) ?? NSNull()
        model.merge(Self.pictures(of: job)) { $1 }
        model["wanted_prompts"] = (job["prompts"] ?? .array([])).model
        model["attempt_list"] = (job["attempts"]?.array ?? []).map(Self.attemptModel)
        model["history"] = (job["events"]?.array ?? []).map {
            ["event": $0["event"]?.string ?? "", "at": Figures.moment($0["at"]?.string)]
        }
        model["message"] = Self.pretty(job["spec"] ?? .null)
        model["charts"] = try await charts(of: job)
        model.merge(Self.outcome(of: job)) { $1 }
        model["can_run_again"] = JobKind(rawValue: job["kind"]?.string ?? "")?.needsEngine ?? false
        return model
    }

    /// Whether it waits because the daemons are paused.
    private func isHeldBack(_ job: JSONValue) async throws -> Bool {
        guard job.isHeldBackByPause else { return false }
        return try await site.overview.cluster()["paused"] == .bool(true)
    }

    private static func conditions(of job: JSONValue, _ state: JobState?) -> [String: Any] {
        var model: [String: Any] = [:]
        model["is_live"] = !(state?.isFinal ?? true)
        model["is_running"] = state == .running
        model["is_waiting"] = state.map(JobState.waiting.contains) ?? false
        model["is_scheduled"] = state == .scheduled || state == .retryable
        model["has_error"] = [.discarded, .retryable].contains(state) && job["error_code"]?.string != nil
        model["is_cancelling"] = state == .running && job["cancel_requested_at"]?.string != nil
        return model
    }

    /// What it was given, and what it made.
    private static func pictures(of job: JSONValue) -> [String: Any] {
        let artifacts = job["artifacts"]?.array ?? []
        let (previews, files) = (Pictures.previews(artifacts), Pictures.files(artifacts))
        let sheets = Pictures.sheets(artifacts)
        var model: [String: Any] = [
            "references": Pictures.references(job["images"]), "prompts": Pictures.byPrompt(artifacts),
            "previews": previews, "has_previews": !previews.isEmpty, "files": files, "has_files": !files.isEmpty,
            "sheets": sheets, "has_sheets": !sheets.isEmpty,
        ]
        let state = job.jobState
        let isDrawing = job["method"]?.string == PersonalizationMethod.proxyTuning.rawValue && state?.isFinal == false
        model["draws_proxies"] = isDrawing || artifacts.contains { $0["role"]?.string == "proxy" }
        model["preview_prompt"] = previews.first?["prompt"] ?? NSNull()
        return model
    }

    /// What it was to take when it was accepted.
    private static func estimate(_ value: JSONValue?) -> [String: Any]? {
        guard let seconds = value?["seconds"]?.double, let memory = value?["memory_bytes"]?.double,
            let disk = value?["disk_bytes"]?.double, let jobs = value?["jobs"]?.integer
        else { return nil }
        return [
            "seconds": Figures.duration(seconds), "memory": Figures.bytes(memory), "disk": Figures.bytes(disk),
            "jobs": jobs == 0 ? "no such job was done before" : "by \(counted(jobs, "such job"))",
        ]
    }

    private static func outcome(of job: JSONValue) -> [String: Any] {
        let result = job["result"] ?? .null
        var model: [String: Any] = [
            "metrics": ScoreMeaning.models(result["metrics"]),
            "warnings": JobWarnings.all(of: job),
            "result_json": result == .null ? NSNull() : pretty(result),
        ]
        model["has_metrics"] = !ScoreMeaning.models(result["metrics"]).isEmpty
        model.merge(Self.likeness(in: result)) { $1 }
        model["scores"] = (job["scores"]?.array ?? []).map { score -> [String: Any] in
            var row = ScoreMeaning.model(
                "\(score["metric"]?.string ?? "").\(score["encoder"]?.string ?? "")", score["value"] ?? .null,
                halfWidth: score["half_width"]?.double)
            for name in ["concept", "suite", "method"] { row[name] = score[name]?.string ?? "" }
            return row
        }
        model["has_scores"] = job["kind"]?.string == "evaluate" && !(job["scores"]?.array ?? []).isEmpty
        return model
    }

    /// How near to its references came what was learnt: of several concepts each by its name.
    private static func likeness(in result: JSONValue) -> [String: Any] {
        let names = (result["concepts"]?.array ?? []).compactMap(\.string)
        let likeness = result["likeness"] ?? .null
        let each: [(String?, JSONValue)] =
            names.isEmpty ? [(nil, likeness)] : names.map { ($0, likeness[$0] ?? .null) }
        let rows: [[String: Any]] = each.flatMap(likenessRows)
        return ["learnt": each.compactMap(verdict), "likeness": rows, "is_of_several": !names.isEmpty]
    }

    /// Whether it was learnt; nil where nobody can say.
    private static func verdict(_ whose: String?, _ likeness: JSONValue) -> [String: Any]? {
        guard case .bool(let isLearnt)? = likeness["is_learnt"] else { return nil }
        return ["whose": whose ?? NSNull(), "is_learnt": isLearnt]
    }

    /// By metric what was learnt beside the other two; a dash stands where there is no figure.
    private static func likenessRows(_ whose: String?, _ likeness: JSONValue) -> [[String: Any]] {
        guard case .object(let members) = likeness else { return [] }
        return members.filter { $0.key != "is_learnt" }.sorted { $0.key < $1.key }.map { name, value in
            var row = ScoreMeaning.model(name, value["learnt"] ?? .null)
            row["whose"] = whose ?? NSNull()
            for part in ["learnt", "untuned", "references"] {
                row[part] = value[part]?.double.map { Figures.plain($0) } ?? "–"
            }
            return row
        }
    }

    private static func attemptModel(_ attempt: JSONValue) -> [String: Any] {
        var model = attempt.members
        let begin = Figures.date(attempt["started_at"]?.string)
        let end = Figures.date(attempt["ended_at"]?.string)
        model["started"] = Figures.moment(attempt["started_at"]?.string)
        model["took"] = begin.map { Figures.duration((end ?? Date()).timeIntervalSince($0)) } ?? NSNull()
        model["outcome"] = attempt["outcome"]?.string ?? "running"
        model["is_bad"] =
            ["failed", "crashed", "lost"].contains(attempt["outcome"]?.string)
            || attempt["error_code"]?.string == "host.fault"
        // Of a whole attempt it would be the last stage's last step.
        let isWhole = attempt["outcome"]?.string == "completed"
        model["left_at"] = isWhole ? NSNull() : attempt["last_step"]?.model ?? NSNull()
        model["memory"] = attempt["peak_memory_bytes"]?.double.map(Figures.bytes) ?? NSNull()
        model["processor"] = attempt["processor_seconds"]?.double.map { Figures.duration($0) } ?? NSNull()
        model["problem_list"] = (attempt["problems"]?.array ?? []).map(\.members)
        return model
    }

    /// A drawing for each thing that is measured as training goes.
    private func charts(of job: JSONValue) async throws -> [[String: Any]] {
        guard job["kind"]?.string == "personalize" else { return [] }
        let rows = try await site.reader.curves(of: job)
        let curves = Dictionary(grouping: rows) { $0["name"]?.string ?? "" }
        return curves.sorted { $0.key < $1.key }.compactMap { name, rows in
            let points = rows.compactMap { row -> (x: Double, y: Double)? in
                guard let step = row["step"]?.double, let value = row["value"]?.double else { return nil }
                return (step, value)
            }
            guard let svg = LineChart(title: name, curves: [.init(name: name, points: points)]).svg else { return nil }
            return ["name": name, "svg": svg, "last": points.last.map { Figures.plain($0.y) } ?? ""]
        }
    }

    /// JSON for people.
    static func pretty(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    // MARK: - What was just published

    /// The page that shows what becomes of a message.
    /// - Parameter time: by ``Reader/clock()``, before it was published. Its id may have been another's before: what
    ///   was answered until then is no answer to it.
    static func answerPage(to id: String, tenant: String, since time: Double) -> String {
        "/messages/\(JobSearch.escaped(id))?tenant=\(JobSearch.escaped(tenant))&since=\(time)"
    }

    /// Where a message goes on to: its job, or why it was rejected; until then a page that waits.
    private func message(_ id: String, _ request: Request, _ viewer: Viewer) async throws -> Response {
        let tenant = viewer.tenant ?? request.parameter("tenant") ?? site.publishing?.user ?? TenantRules.anonymous
        let time = request.parameter("since").flatMap(Double.init) ?? 0
        let since = (0...1e11).contains(time) ? String(time) : "0"
        if let job = try await site.reader.row(
            """
            select j.job from dashboard.job_rows j where j.tenant = $1 and j.message_id = $2 and exists (
                select from dashboard.events e
                where e.tenant = j.tenant and e.message_id = j.message_id and e.event in ('accepted', 'duplicate')
                    and e.at >= to_timestamp($3::double precision))
            """, [tenant, id, since]),
            let number = job["job"]?.string
        {
            return request.isPart
                ? Response(status: .ok, headers: [.init("X-Location")!: "/jobs/" + number])
                : .redirect(to: "/jobs/" + number, type: .normal)
        }
        let rejection = try await site.reader.row(
            """
            select * from dashboard.rejections where tenant = $1 and message_id = $2
                and at > greatest(now() - interval '1 hour', to_timestamp($3::double precision))
            order by number desc limit 1
            """, [tenant, id, since])
        var model = site.frame(viewer, section: "jobs", title: rejection == nil ? "Published" : "Rejected")
        model["id"] = id
        model["path"] = request.uri.string
        model["problems"] = rejection?["problems"]?.model ?? NSNull()
        return try site.templates.html(request.isPart ? "message-live" : "message", model)
    }
}
