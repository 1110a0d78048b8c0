extension Settings {
    /// The settings in effect, one a line, secrets hidden.
    package var summary: String {
        values { "\($0)" }.map { Self.padded($0.name, 22) + $0.text }.joined(separator: "\n")
    }

    /// Every setting as the file would give it, in the table's order; what is secret as `show` has it.
    func values(_ show: (Secret) -> String) -> [(name: String, text: String)] {
        [
            ("amqpURL", show(amqpURL)), ("postgresURL", show(postgresURL)),
            ("certificateAuthority", certificateAuthority),
            ("stateDirectory", stateDirectory), ("sharedDirectory", sharedDirectory),
            ("modelsDirectory", modelsDirectory), ("engine", engine),
            ("topologyPrefix", topologyPrefix), ("workerName", workerName), ("slots", "\(slots)"),
            ("engineThreads", "\(engineThreads)"),
            ("engineNice", "\(engineNice)"), ("checkpointSeconds", "\(checkpointSeconds)"),
            ("leaseSeconds", "\(leaseSeconds)"),
            ("heartbeatSeconds", Self.text(heartbeatSeconds)), ("pollSeconds", Self.text(pollSeconds)),
            ("drainSeconds", "\(drainSeconds)"),
            ("graceSeconds", "\(graceSeconds)"), ("engineMemoryMiB", "\(engineMemoryMiB)"),
            ("engineSilenceSeconds", "\(engineSilenceSeconds)"),
            ("messageMiB", "\(messageMiB)"), ("freeDiskMiB", "\(freeDiskMiB)"),
            ("keepCompletedDays", Self.text(retention.completedJobs)),
            ("keepDiscardedDays", Self.text(retention.discardedJobs)), ("keepProbesDays", Self.text(retention.probes)),
            ("keepMessagesDays", Self.text(retention.messages)),
            ("keepRejectionsDays", Self.text(retention.rejections)), ("logLevel", logLevel),
        ]
    }

    /// For ever is 0 days.
    private static func text(_ number: Double?) -> String {
        let number = number ?? 0
        return number == number.rounded() ? String(Int(number)) : String(number)
    }

    /// Every setting: its name in the file, its variable, its default and its meaning.
    package static var explanation: String {
        table.map { row in
            let standard = row.standard.map { $0.isEmpty ? "" : " [\($0)]" } ?? ""
            return padded(row.name, 20) + padded(row.variable, 28) + row.meaning + standard
        }.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
