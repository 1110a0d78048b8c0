import Jobs

/// What no living worker can do, for a template: for want of a model, of memory, or of room on a disk.
enum LackingWorker {
    /// - Parameters:
    ///   - row: of `dashboard.without_worker` or `dashboard.job_details`.
    ///   - memory: what it takes, in bytes, where that is known.
    ///   - disk: what it keeps, in bytes, where that is known.
    static func model(_ row: JSONValue, memory: Double?, disk: Double?) -> [String: Any] {
        var model = row.members
        let (lacksMemory, lacksDisk) = (row["lacks"] == "worker.memory", row["lacks"] == "worker.disk")
        (model["lacks_memory"], model["lacks_disk"]) = (lacksMemory, lacksDisk)
        model["lacks_model"] = !lacksMemory && !lacksDisk
        model["needed"] = Figures.bytes((lacksDisk ? disk : memory) ?? 0)
        model["largest"] = Figures.bytes(
            row[lacksDisk ? "largest_disk_bytes" : "largest_memory_bytes"]?.double ?? 0)
        let jobs = row["jobs"]?.integer ?? 1
        let kind = row["kind"]?.string.map { $0 + " " } ?? ""
        model["jobs_words"] = counted(jobs, kind + "job")
        model["wait"] = jobs == 1 ? "waits" : "wait"
        model["they_take"] = jobs == 1 ? "it takes" : "they take"
        model["they_keep"] = jobs == 1 ? "it keeps" : "they keep"
        return model
    }

    /// The same of each row.
    static func models(_ rows: [JSONValue]) -> [[String: Any]] {
        rows.map { model($0, memory: $0["memory_bytes"]?.double, disk: $0["disk_bytes"]?.double) }
    }
}
