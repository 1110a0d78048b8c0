extension Settings {
    /// The settings in effect, one a line, secrets hidden.
    package var summary: String {
        let rows: [(String, String)] = [
            ("amqpURL", "\(amqpURL)"), ("postgresURL", "\(postgresURL)"), ("stateDirectory", stateDirectory),
            ("modelsDirectory", modelsDirectory), ("engine", engine), ("topologyPrefix", topologyPrefix), ("workerName", workerName),
            ("slots", "\(slots)"), ("engineThreads", "\(engineThreads)"), ("engineNice", "\(engineNice)"), ("checkpointSeconds", "\(checkpointSeconds)"),
            ("leaseSeconds", "\(leaseSeconds)"), ("heartbeatSeconds", "\(heartbeatSeconds)"), ("pollSeconds", "\(pollSeconds)"),
            ("drainSeconds", "\(drainSeconds)"), ("graceSeconds", "\(graceSeconds)"), ("engineMemoryMiB", "\(engineMemoryMiB)"),
            ("messageMiB", "\(messageMiB)"), ("freeDiskMiB", "\(freeDiskMiB)"), ("logLevel", logLevel),
        ]
        return rows.map { Self.padded($0.0, 20) + $0.1 }.joined(separator: "\n")
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
