import Daemon
import Foundation
import Hummingbird
import Jobs

/// What went wrong: failures by code, messages refused at the door, messages the broker gave up on.
struct TroublePages: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/failures") { _, context in try await failures(context.knownViewer()) }
        router.get("/rejections") { request, context in try await rejections(request, context.knownViewer()) }
        router.get("/dead") { _, context in try await dead(context.knownViewer(), said: nil) }
        router.post("/dead/replay") { _, context in try await replay(context.form, context.actingViewer()) }
        router.post("/outbox/resend") { _, context in try await resend(context.actingViewer()) }
    }

    private func failures(_ viewer: Viewer) async throws -> Response {
        let rows =
            viewer.tenant == nil
            ? try await site.overview.failures()
            : try await site.reader.rows(
                """
                select error_code, count(*) as jobs, sum(attempt) as attempts, max(finalized_at) as last_at,
                    (array_agg(error_message order by finalized_at desc))[1] as last_message,
                    (array_agg(job order by finalized_at desc))[1] as last_job
                from dashboard.job_rows where tenant = $1 and state = 'discarded' group by error_code
                order by last_at desc
                """, [viewer.tenant])
        var model = site.frame(viewer, section: "failures", title: "Failures")
        model["failures"] = rows.map { row in
            var line = row.members
            for name in ["job", "attempt"] {
                line[name + "s_words"] = counted(row[name + "s"]?.integer ?? 0, name)
            }
            line["last"] = Figures.moment(row["last_at"]?.string)
            line["list"] = "/jobs?error=" + JobSearch.escaped(row["error_code"]?.string ?? "")
            line["advice"] = FailureAdvice.words(for: row["error_code"]?.string ?? "")
            return line
        }
        model["is_none"] = rows.isEmpty
        return try site.templates.html("failures", model)
    }

    private func rejections(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let rows = try await site.reader.rejections(of: viewer.tenant, before: request.number("before"), limit: 31)
        var model = site.frame(viewer, section: "rejections", title: "Rejections")
        model["rejections"] = rows.prefix(30).map { row in
            var line = row.members
            line["when"] = Figures.moment(row["at"]?.string)
            line["message_id"] = row["message_id"]?.string ?? "no message id"
            line["kind"] = row["kind"]?.string ?? "no kind"
            return line
        }
        model["is_none"] = rows.isEmpty
        model["next"] =
            rows.count > 30 ? "/rejections?before=\(rows[29]["number"]?.integer ?? 0)" : NSNull()
        return try site.templates.html("rejections", model)
    }

    private func dead(_ viewer: Viewer, said: String?) async throws -> Response {
        guard viewer.tenant == nil else { throw HTTPError(.forbidden, message: "Dead letters belong to no tenant.") }
        var model = site.frame(viewer, section: "dead", title: "Dead letters")
        model["said"] = said ?? NSNull()
        model["trouble"] = NSNull()
        do {
            guard let letters = site.deadLetters else {
                throw DeadLetters.Trouble(description: Site.noBroker)
            }
            let found = try await letters.list()
            model["letters"] = found.letters.map(Self.line)
            model["is_none"] = found.letters.isEmpty
            model["rest"] = found.waiting > found.letters.count ? found.waiting - found.letters.count : NSNull()
            model["batch"] = found.waiting > DeadLetters.batch ? DeadLetters.batch : NSNull()
        } catch let trouble as DeadLetters.Trouble {
            model["trouble"] = trouble.description
        }
        return try site.templates.html("dead", model)
    }

    private static func line(_ letter: DeadLetter) -> [String: Any] {
        [
            "message_id": letter.messageID ?? NSNull(), "handle": letter.handle ?? NSNull(), "kind": letter.kind,
            "tenant": letter.tenant, "size": Figures.bytes(Double(letter.bytes)), "reason": letter.words,
            "queue": letter.queue,
            "when": letter.time.map { Figures.moment($0.formatted(.iso8601)) } ?? NSNull(),
        ]
    }

    private func replay(_ form: FormFields, _ viewer: Viewer) async throws -> Response {
        guard viewer.tenant == nil else { throw HTTPError(.forbidden) }
        guard let letters = site.deadLetters else { throw HTTPError(.forbidden, message: Site.noBroker) }
        let chosen = form["all"] == nil ? form.values("id") : nil
        let found = try await letters.replay(chosen)
        site.logger.notice(
            "dead letters were replayed by hand",
            metadata: ["replayed": "\(found.replayed)", "web.viewer": "\(viewer.name ?? "anybody")"])
        let rest =
            (found.reason.map { "; \(found.kept) stayed: \($0)" } ?? "")
            + (found.unseen == 0 ? "" : "; \(found.unseen) more not looked at: replay again")
            + (found.missing == 0 ? "" : "; \(found.missing) not found: somebody else may have them")
        let words = counted(found.replayed, "message", "was", "were")
        return try await dead(viewer, said: "\(words) replayed\(rest).")
    }

    private func resend(_ viewer: Viewer) async throws -> Response {
        guard viewer.tenant == nil else { throw HTTPError(.forbidden) }
        let admin = try site.acting()
        try await admin.query("select atelier.resend_set_aside()")
        await site.overview.forgetOrders()
        return .redirect(to: "/", type: .normal)
    }
}

/// What to do about a failure, as the runbook has it (docs/operations.md).
enum FailureAdvice {
    private static let words = [
        "engine.crash": "Its last words are on the job's page; the kernel's log has kills for memory.",
        "engine.memory": "Allow engines more memory (engineMemoryMiB), or fewer slots.",
        "engine.hang": "Its last words are on the job's page; more engineSilenceSeconds on a slow host.",
        "engine.interrupted": "Who sends signals on that host?",
        "engine.error": "The message says what failed inside the engine.",
        "engine.protocol": "Are engine and daemon of one version?",
        "engine.order": "Who else starts the engine, with what?",
        "host.fault": "The message says which host could not do it, and why.",
        "concept.unknown": "Prompts name what was not learnt; the message lists what was.",
        "concept.missing": "Is the artifact folder the one it was learnt with?",
        "concept.references": "The concept's pictures are gone, or it had none: give images.",
        "concept.unusable": "Its adapter does not fit the model: learn it again.",
        "job.deadline": "More slots, or a later deadline.",
        "daemon.lost": "Ten daemons died over it: what does the engine do to the machine?",
        "training.diverged": "The smaller rate that the message names.",
        "result.refused": "Were daemon, engine and schema upgraded together?",
        "job.kind": "Who else starts the engine, with what?",
        "job.invalid": "Were daemon, engine and schema upgraded together?",
    ]

    /// Advice on a code.
    static func words(for code: String) -> String {
        words[code] ?? (code.hasPrefix("input.") ? "The job's own input: its page lists every problem." : "")
    }
}
