import Foundation
import Jobs
import Store

/// `jobs show`: one job for people.
struct JobDescription {
    let job: JSONValue
    /// Whether it waits because the daemons are paused.
    let isHeldBack: Bool
    /// What is said of weights that were replaced.
    static let otherWeights = "living workers hold other weights of that name"
    /// What a job that is held back waits for.
    static let paused = "the daemons, which are paused and start no new work: atelierctl resume"

    func show() {
        let fields = [
            "id", "message_id", "tenant", "kind", "state", "priority", "attempt", "failures", "rescues", "max_attempts",
            "stage", "step", "steps",
            "created_at", "started_at", "finalized_at", "deadline", "cancel_reason", "error_code", "error_message",
        ]
        // An error that an earlier attempt left stands with that attempt.
        let showsError = job["shown_error_code"]?.string != nil
        for name in fields where showsError || !name.hasPrefix("error_") { line(name, job[name]) }
        if job.jobState == .scheduled || job.jobState == .retryable { line("run_after", job["run_after"]) }
        if isHeldBack { line("waits for", .string(Self.paused)) }
        showLack()
        showSpec()
        line("metrics", job["result"]?["metrics"])
        for warning in JobWarnings.all(of: job) { line("warning", .string(warning)) }
        ScoreTable(of: job["result"]).show()
        section(
            "attempts",
            [
                "attempt", "outcome", "started_at", "ended_at", "resumed_from_step", "last_step", "peak_memory_bytes",
                "error_code", "error_message",
            ]
        ) {
            showTrouble(of: $0)
        }
        section("artifacts", ["name", "subject", "role", "pictures", "bytes", "sha256", "prompt"], of: artifacts)
        section("checkpoints", ["attempt", "step", "bytes", "path"])
    }

    /// What it made; of the proxies, which are hundreds, how many there are of each subject.
    private var artifacts: [JSONValue] {
        let all = job["artifacts"]?.array ?? []
        let proxies = Dictionary(grouping: all.filter { $0.artifactRole == .proxy }) {
            ConceptMention.names(in: $0["prompt"]?.string ?? "").first ?? ""
        }
        let counts = proxies.sorted { $0.key < $1.key }.map { subject, files -> JSONValue in
            [
                "subject": .string(subject), "role": "proxy", "pictures": .integer(files.count),
                "bytes": .integer(files.reduce(0) { $0 + ($1["bytes"]?.integer ?? 0) }),
            ]
        }
        return all.filter { $0.artifactRole != .proxy } + counts
    }

    /// What it waits for, where no living worker can do it.
    private func showLack() {
        if job["lacks"] == "worker.memory" {
            let needed = (job["estimate"]?["memory_bytes"]?.integer ?? 0) >> 20
            line(
                "waits for",
                .string(
                    """
                    a worker with the memory: it takes about \(needed) MiB, and of no living worker that holds \
                    \(job["model"]?.string ?? "") an engine may take more than \
                    \((job["largest_memory_bytes"]?.integer ?? 0) >> 20) MiB [worker.memory]
                    """))
        } else if job["lacks"] == "worker.disk" {
            let needed = (job["estimate"]?["disk_bytes"]?.integer ?? 0) >> 20
            line(
                "waits for",
                .string(
                    """
                    room: it keeps up to \(needed) MiB on the disk, and no living worker that holds \
                    \(job["model"]?.string ?? "") has more than \
                    \((job["largest_disk_bytes"]?.integer ?? 0) >> 20) MiB free [worker.disk]
                    """))
        } else if job["lacks_worker"] == .bool(true) {
            let digest = job["model_digest"]?.string.map { " (digest \($0.prefix(12)))" } ?? ""
            let names = job["further_models"]?.string?.split(separator: " ").map { $0.prefix { $0 != "@" } }
            let further = names.map { " with " + $0.joined(separator: " and ") } ?? ""
            let rebind =
                job["holds_other_weights"] == .bool(true)
                ? "; \(JobDescription.otherWeights): atelierctl jobs rebind \(job["id"]?.string?.prefix(8) ?? "ID")"
                : ""
            line(
                "waits for",
                .string(
                    """
                    \(job["model"]?.string ?? "")\(digest)\(further), which no living worker holds: atelierctl models \
                    list --cluster [worker.model]\(rebind)
                    """))
        }
    }

    /// What was asked for, as it was asked; of pictures only how many.
    private func showSpec() {
        guard case .object(let members) = job["spec"] else { return }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where !["version", "kind"].contains(name) {
            line(name, name == "images" ? .integer(value.array?.count ?? 0) : value)
        }
    }

    /// What was wrong with the job, place by place; else the engine's last words, if it ended badly.
    private func showTrouble(of attempt: JSONValue) {
        let problems = attempt["problems"]?.array ?? []
        for problem in problems { print("    " + printable(sentence(problem))) }
        guard problems.isEmpty, ["failed", "crashed"].contains(attempt["outcome"]?.string) else { return }
        for line in (attempt["log_tail"]?.string ?? "").split(separator: "\n").suffix(10) {
            print("    | " + printable(String(line)))
        }
    }

    private func line(_ name: String, _ value: JSONValue?) {
        guard let value, value != .null else { return }
        print(name + String(repeating: " ", count: max(1, 16 - name.count)) + text(of: value, named: name))
    }

    private func text(of value: JSONValue, named name: String) -> String {
        let text = value.string ?? value.text
        return printable(name.hasSuffix("_at") || name == "deadline" || name == "run_after" ? moment(text) : text)
    }

    /// - Parameter rows: those that the job has under the name, unless given.
    private func section(
        _ name: String, _ fields: [String], of rows: [JSONValue]? = nil, _ more: (JSONValue) -> Void = { _ in }
    ) {
        guard let rows = rows ?? job[name]?.array, !rows.isEmpty else { return }
        print("\n\(name)")
        for row in rows {
            let cells = fields.compactMap { field in
                row[field].flatMap { $0 == .null ? nil : "\(field)=\(text(of: $0, named: field))" }
            }
            print("  " + cells.joined(separator: "  "))
            more(row)
        }
    }
}

extension Store {
    /// Whether a job waits because the daemons are paused.
    /// - Throws: `StoreError`.
    func holdsBack(_ job: JSONValue) throws -> Bool { try job.isHeldBackByPause && pauseOrder().isPaused }
}
