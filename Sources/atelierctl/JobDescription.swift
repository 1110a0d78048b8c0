import Jobs

/// `jobs show`: one job for people.
struct JobDescription {
    let job: JSONValue

    func show() {
        let fields = [
            "id", "message_id", "tenant", "kind", "state", "priority", "attempt", "failures", "max_attempts", "stage", "step", "steps", "created_at", "started_at",
            "finalized_at", "cancel_reason", "error_code", "error_message",
        ]
        for name in fields {
            guard let value = job[name], value != .null else { continue }
            line(name, value)
        }
        if let metrics = job["result"]?["metrics"] { line("metrics", metrics) }
        section("attempts", ["attempt", "outcome", "started_at", "ended_at", "resumed_from_step", "last_step", "peak_memory_bytes", "error_code", "error_message"])
        section("artifacts", ["name", "role", "bytes", "sha256", "prompt"])
        section("checkpoints", ["attempt", "step", "bytes", "path"])
    }

    private func line(_ name: String, _ value: JSONValue) {
        print(name + String(repeating: " ", count: max(1, 16 - name.count)) + printable(value.string ?? value.text))
    }

    private func section(_ name: String, _ fields: [String]) {
        guard let rows = job[name]?.array, !rows.isEmpty else { return }
        print("\n\(name)")
        for row in rows {
            let cells = fields.compactMap { field in
                row[field].flatMap { $0 == .null ? nil : "\(field)=\(printable($0.string ?? $0.text))" }
            }
            print("  " + cells.joined(separator: "  "))
        }
    }
}
