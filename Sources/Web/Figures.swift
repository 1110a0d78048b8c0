import Foundation

/// Numbers and times as people read them.
enum Figures {
    /// A number with as many digits as tell something.
    static func plain(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        let digits = abs(value) >= 100 ? 1 : abs(value) >= 1 ? 2 : abs(value) >= 0.01 ? 3 : 5
        return String(format: "%.\(digits)f", value)
    }

    /// Seconds as one or two units.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return switch seconds {
        case ..<0: "0 s"
        case ..<1: String(format: "%.0f ms", seconds * 1000)
        case ..<10: String(format: "%.1f s", seconds)
        case ..<60: "\(whole) s"
        case ..<3600: "\(whole / 60) min \(whole % 60) s"
        case ..<86_400: "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
        }
    }

    /// Bytes in binary units.
    static func bytes(_ count: Double) -> String {
        var (value, units) = (count, ["KiB", "MiB", "GiB", "TiB"][...])
        guard value >= 1024 else { return "\(Int(value)) B" }
        var unit = "B"
        while value >= 1024, let next = units.popFirst() { (value, unit) = (value / 1024, next) }
        return String(format: value < 10 ? "%.1f %@" : "%.0f %@", value, unit)
    }

    /// PostgreSQL's time as JSON has it.
    static func date(_ text: String?) -> Date? {
        guard let text else { return nil }
        // 2026-11-28T08:04:47.457468+00:00, with six digits of a second or none.
        let trimmed = text.replacing(/\.\d+/, with: "")
        return try? Date(trimmed, strategy: .iso8601)
    }

    /// How long ago that was.
    static func ago(_ date: Date, now: Date = Date()) -> String {
        let seconds = now.timeIntervalSince(date)
        if seconds < -1 { return "in " + duration(-seconds) }
        return switch seconds {
        case ..<5: "just now"
        case ..<60: "\(Int(seconds)) s ago"
        case ..<3600: "\(Int(seconds / 60)) min ago"
        case ..<86_400: "\(Int(seconds / 3600)) h ago"
        default: "\(Int(seconds / 86_400)) d ago"
        }
    }

    /// A time for a template: what the machine reads, what people read, and the whole of it.
    static func moment(_ text: String?) -> Any {
        guard let text, let date = date(text) else { return NSNull() }
        let whole = date.formatted(.iso8601.dateTimeSeparator(.space)).replacing("Z", with: " UTC")
        return ["machine": date.formatted(.iso8601), "ago": ago(date), "whole": whole]
    }
}
