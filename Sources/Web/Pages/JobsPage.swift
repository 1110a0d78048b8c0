import Daemon
import Foundation
import Hummingbird
import Jobs
import Store

/// Jobs in a list, narrowed and page by page; many at once are retried, rebound, cancelled or deleted, after a look at
/// which.
struct JobsPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/jobs") { request, context in try await list(request, context.knownViewer()) }
        router.post("/jobs/preview") { _, context in try await preview(context.form, context.actingViewer()) }
        router.post("/jobs/apply") { _, context in try await apply(context.form, context.actingViewer()) }
    }

    private func list(_ request: Request, _ viewer: Viewer) async throws -> Response {
        var search = try JobSearch({ request.parameter($0) }, states: request.parameters("state"))
        if let tenant = viewer.tenant { search.tenant = tenant }
        let page = try await search.page(of: site.reader)
        var model = site.frame(viewer, section: "jobs", title: "Jobs")
        model["jobs"] = page.rows.map(JobLine.model)
        model["query"] = search.query
        let path = "/jobs?" + search.query + "&before="
        model["next"] = page.next.map { path + JobSearch.escaped($0) } ?? NSNull()
        model["horizon"] = page.horizon.map { Figures.moment($0) } ?? NSNull()
        model["is_first"] = search.before == nil
        model["is_narrow"] = search.isNarrow
        model.merge(filterModel(search)) { $1 }
        return try site.templates.html(request.isPart ? "jobs-live" : "jobs", model)
    }

    private func filterModel(_ search: JobSearch) -> [String: Any] {
        [
            "states": JobState.allCases.map {
                ["value": $0.rawValue, "is_chosen": search.states.contains($0.rawValue)] as [String: Any]
            },
            "kinds": JobLine.choices(JobKind.allCases.map(\.rawValue), chosen: search.kind),
            "filter_tenant": search.tenant ?? "", "filter_model": search.model ?? "",
            "filter_error": search.error ?? "", "filter_text": search.text ?? "", "filter_since": search.since ?? "",
            "filter_until": search.until ?? "",
        ]
    }

    // MARK: - Many at once

    /// What can be done to jobs, and to those in which states.
    enum Action: String, CaseIterable {
        case retry, rebind, cancel, delete

        var states: [JobState] {
            switch self {
            case .retry: [.discarded, .cancelled, .retryable]
            case .rebind: JobState.waiting
            case .cancel: JobState.waiting + [.running]
            case .delete: [.completed, .cancelled, .discarded]
            }
        }

        /// What it does, for who is asked.
        func consequence(of jobs: Int) -> String {
            switch self {
            case .retry where jobs == 1: "It is tried again from its last checkpoint; a cancelled one begins anew."
            case .retry: "They are tried again from their last checkpoint; cancelled ones begin anew."
            case .rebind where jobs == 1:
                "It begins anew on the weights that living daemons hold now under its model's name."
            case .rebind: "They begin anew on the weights that living daemons hold now under their models' names."
            case .cancel where jobs == 1: "A waiting one ends at once, a running one as soon as its engine has stopped."
            case .cancel: "Waiting ones end at once, running ones as soon as their engines have stopped."
            case .delete:
                """
                \(jobs == 1 ? "It is" : "They are") erased: attempts, messages, what was learnt, and pictures unless \
                another job or concept of the tenant needs them. Nothing brings back what is erased.
                """
            }
        }
    }

    private static let most = 10_000

    private func preview(_ form: FormFields, _ viewer: Viewer) async throws -> Response {
        let action = try Self.action(form)
        let (chosen, remarks) = try await possible(meant(form, action, viewer), action)
        var model = site.frame(viewer, section: "jobs", title: "\(action.rawValue.capitalized) jobs")
        model["action"] = action.rawValue
        model["is_delete"] = action == .delete
        model["is_retry"] = action == .retry
        model["consequence"] = action.consequence(of: chosen.count)
        model["count"] = counted(chosen.count, "job")
        model["is_none"] = chosen.isEmpty
        model["remarks"] = remarks
        model["is_limit"] = chosen.count == Self.most
        model["jobs"] = chosen.prefix(50).map(JobLine.model)
        model["rest"] = chosen.count > 50 ? chosen.count - 50 : NSNull()
        let identifiers = chosen.compactMap { $0["job"]?.string }
        model["ids"] = identifiers.joined(separator: " ")
        model["back"] = form["back"].flatMap(Self.local) ?? "/jobs"
        return try site.templates.html("jobs-preview", model)
    }

    private func apply(_ form: FormFields, _ viewer: Viewer) async throws -> Response {
        let admin = try site.acting()
        let action = try Self.action(form)
        let identifiers = (form["ids"] ?? "").split(separator: " ").compactMap { UUID(uuidString: String($0)) }
        let seen = try await visible(identifiers.prefix(Self.most).map { $0 }, to: viewer)
        var done = 0
        for job in seen {
            if try await Self.apply(action, to: job, by: admin, fromScratch: form["from_scratch"] != nil, viewer) {
                done += 1
            }
        }
        site.logger.notice(
            "jobs were touched by hand",
            metadata: [
                "action": "\(action.rawValue)", "jobs": "\(done)", "web.viewer": "\(viewer.name ?? "anybody")",
            ])
        var model = site.frame(viewer, section: "jobs", title: "Done")
        model["action"] = action.rawValue
        model["done"] = counted(done, "job")
        model["untouched"] = identifiers.count > done ? counted(identifiers.count - done, "job") : NSNull()
        model["back"] = form["back"].flatMap(Self.local) ?? "/jobs"
        if seen.count == 1, action != .delete, identifiers.count == 1 {
            return .redirect(to: "/jobs/\(seen[0].uuidString.lowercased())", type: .normal)
        }
        return try site.templates.html("jobs-done", model)
    }

    /// Does it to one job; gives whether it was in a state for that.
    /// - Throws: `StoreError`.
    static func apply(
        _ action: Action, to job: UUID, by admin: Store, fromScratch: Bool, _ viewer: Viewer
    ) async throws -> Bool {
        switch action {
        case .retry: try await admin.retry(job, fromScratch: fromScratch)
        case .rebind: try await rebind(job, by: admin)
        case .cancel: try await cancelled(job, by: admin, viewer)
        case .delete: try await admin.deleteJob(job) == .deleted
        }
    }

    /// Whether a cancel came in time: the job has ended by it, or is asked to.
    private static func cancelled(_ job: UUID, by admin: Store, _ viewer: Viewer) async throws -> Bool {
        let state = try await admin.cancel(job, reason: "by \(viewer.name ?? "hand") in the browser")
        return state == .cancelled || state == .running
    }

    private static func rebind(_ job: UUID, by admin: Store) async throws -> Bool {
        var rebinding = Rebinding(store: admin)
        guard case .possible = try await rebinding.verdicts(of: [job])[job] else { return false }
        return try await admin.rebind(job) != nil
    }

    /// Those of the jobs to which it can be done, and what is to be said of that: which weights, and why not.
    private func possible(
        _ jobs: [JSONValue], _ action: Action
    ) async throws -> (jobs: [JSONValue], remarks: [String]) {
        guard action == .rebind else { return (jobs, []) }
        var rebinding = Rebinding(store: try site.acting())
        let verdicts = try await rebinding.verdicts(of: jobs.compactMap(Self.identifier))
        var left: [JSONValue] = []
        var remarks: [String: Int] = [:]
        for job in jobs {
            switch Self.identifier(job).flatMap({ verdicts[$0] }) {
            case .possible(let changes):
                left.append(job)
                for change in changes {
                    let (from, to) = (change.from.prefix(12), change.to.prefix(12))
                    remarks["\(change.model) from \(from) to \(to)", default: 0] += 1
                }
            case .refused(let why), .needless(let why): remarks["left alone: \(why)", default: 0] += 1
            case nil: continue
            }
        }
        let words = remarks.sorted { $0.key < $1.key }.map { "\(counted($1, "job")): \($0)" }
        return (left, words)
    }

    private static func identifier(_ job: JSONValue) -> UUID? { job["job"]?.string.flatMap(UUID.init(uuidString:)) }

    private static func action(_ form: FormFields) throws -> Action {
        guard let action = form["action"].flatMap(Action.init(rawValue:)) else {
            let names = "retry, rebind, cancel or delete"
            throw HTTPError(.badRequest, message: "It was not said what is to be done: \(names).")
        }
        return action
    }

    /// The jobs a form means: those ticked, or all that its filter finds.
    private func meant(_ form: FormFields, _ action: Action, _ viewer: Viewer) async throws -> [JSONValue] {
        if form["all"] == nil {
            let ticked = form.values("job").compactMap { UUID(uuidString: $0) }
            return try await rows(ticked, to: viewer).filter { row in
                row.jobState.map(action.states.contains) ?? false
            }
        }
        let query = FormFields(encoded: form["query"] ?? "")
        var search = try JobSearch({ query[$0] }, states: query.values("state"))
        if let tenant = viewer.tenant { search.tenant = tenant }
        return try await search.identifiers(in: action.states, of: site.reader, limit: Self.most)
    }

    private func rows(_ jobs: [UUID], to viewer: Viewer) async throws -> [JSONValue] {
        try await site.reader.rows(
            """
            select j.* from dashboard.job_rows j
            where j.job = any ($1::uuid[]) and ($2::text is null or j.tenant = $2) order by j.created_at desc
            """, ["{\(jobs.map(\.uuidString).joined(separator: ","))}", viewer.tenant])
    }

    /// Those of a list that the viewer sees.
    private func visible(_ jobs: [UUID], to viewer: Viewer) async throws -> [UUID] {
        try await rows(jobs, to: viewer).compactMap { $0["job"]?.string.flatMap(UUID.init(uuidString:)) }
    }

    /// A place of this site; nil for another's. Browsers leave tabs and ends of lines out of an address: `/`, a tab and
    /// `/elsewhere` is another's too. By scalars, as browsers read it: with an accent on it a slash is no `/` to Swift.
    static func local(_ path: String) -> String? {
        let scalars = path.unicodeScalars
        let isPlain = scalars.allSatisfy { $0.value > 0x1F && $0 != "\\" }
        return isPlain && scalars.first == "/" && scalars.dropFirst().first != "/" ? path : nil
    }
}
