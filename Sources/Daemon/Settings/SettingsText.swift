extension Settings {
    /// The settings in effect, one a line, secrets hidden.
    package var summary: String {
        values { "\($0)" }.map { Self.padded($0.name, 22) + $0.text }.joined(separator: "\n")
    }

    /// What is allowed and will hardly be wanted.
    package var warnings: [String] {
        guard (1..<Self.leastEngineMemoryMiB).contains(engineMemoryMiB) else { return [] }
        return [
            """
            engineMemoryMiB: \(engineMemoryMiB) is less than an engine needs: with the shipped models about 105 MiB to \
            draw and 400 to learn a concept; jobs that need more end as engine.memory. Give at least \
            \(Self.leastEngineMemoryMiB), or 0 for no limit
            """
        ]
    }

    /// Measured with the shipped models: an engine that draws held 102 MiB at most, one that learnt 396.
    private static let leastEngineMemoryMiB = 512

    /// Every setting as the file would give it, in the table's order; what is secret as `show` has it.
    func values(_ show: (Secret) -> String) -> [(name: String, text: String)] {
        Self.table.compactMap { setting in setting.text(in: self, show).map { (setting.name, $0) } }
    }

    /// Every setting: its name in the file, its variable, its meaning and its default.
    package static var explanation: String {
        table.map { setting in
            let standard = setting.standard.map { $0.isEmpty ? "" : " [\($0)]" } ?? ""
            return padded(setting.name, 22) + padded(setting.environment, 30) + setting.meaning + standard
        }.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
