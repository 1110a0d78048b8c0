import Jobs

/// What no living worker can do, for a template: for want of a model, or of memory.
enum LackingWorker {
    /// - Parameters:
    ///   - row: of `dashboard.without_worker` or `dashboard.job_details`.
    ///   - needed: what it takes, in bytes, where that is known.
    static func model(_ row: JSONValue, needed: Double?) -> [String: Any] {
        var model = row.members
        model["lacks_memory"] = row["lacks"]?.string == "worker.memory"
        model["needed"] = Figures.bytes(needed ?? 0)
        model["largest"] = Figures.bytes(row["largest_memory_bytes"]?.double ?? 0)
        let jobs = row["jobs"]?.integer ?? 1
        let kind = row["kind"]?.string.map { $0 + " " } ?? ""
        model["jobs_words"] = counted(jobs, kind + "job")
        model["wait"] = jobs == 1 ? "waits" : "wait"
        model["they_take"] = jobs == 1 ? "it takes" : "they take"
        return model
    }

    /// The same of each row.
    static func models(_ rows: [JSONValue]) -> [[String: Any]] {
        rows.map { model($0, needed: $0["memory_bytes"]?.double) }
    }
}
