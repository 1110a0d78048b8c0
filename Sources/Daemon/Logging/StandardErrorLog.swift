import Foundation
import Logging

/// Log lines on stderr: for the journal with the priority it understands (`<6>`), for a terminal with the time and
/// colours, for a file or a pipe with date, time and level.
///
/// Messages are constant; what varies stands behind them as `key=value`, quoted so that no value can forge a line.
package struct StandardErrorLog: LogHandler {
    /// Of every line of this logger.
    package var metadata: Logger.Metadata = [:]
    /// Asked at every line; what it says gives way to what the logger and the line say.
    package var metadataProvider: Logger.MetadataProvider?
    private let threshold: LogThreshold
    private var own: Logger.Level?
    private let label: String
    private let reader: LogReader

    /// Logs under `label` from what `threshold` says on.
    package init(label: String, threshold: LogThreshold, reader: LogReader = .standard) {
        self.label = label
        self.threshold = threshold
        self.reader = reader
    }

    /// The program's threshold, unless this very logger was given one.
    package var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }

    /// One of the logger's own.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line to stderr; what cannot be written is dropped.
    package func log(event: LogEvent) {
        let text = line(level: event.level, message: "\(event.message)", metadata: event.metadata)
        // One write a line: lines of several threads do not mix.
        _ = text.withCString { write(2, $0, strlen($0)) }
    }

    /// One finished line, its end included.
    package func line(level: Logger.Level, message: String, metadata extra: Logger.Metadata?) -> String {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { $1 }
        all.merge(extra ?? [:]) { $1 }
        let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        switch reader {
        case .journal: return "<\(Self.priority(of: level))>\(label): \(message)\(pairs)\n"
        case .file:
            let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            return "\(time) \(level) \(label): \(message)\(pairs)\n"
        case .terminal:
            let time = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
            return
                """
                \u{1B}[2m\(time)\u{1B}[0m \(Self.colour(of: level))\(level)\u{1B}[0m \(label): \
                \(message)\u{1B}[2m\(pairs)\u{1B}[0m\n
                """
        }
    }

    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7F && $0 != "\"" && $0 != "=" }
        guard !isPlain else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                quoted += "\\x" + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func colour(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info, .notice: "\u{1B}[32m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}
