import ArgumentParser
import Foundation

/// A time as JSON has it, for people: `2026-01-31 12:00:00Z`.
func moment(_ text: String) -> String {
    guard let parts = text.wholeMatch(of: /(\d+-\d+-\d+)T(\d+:\d+:\d+)(\.\d+)?(.*)/) else { return text }
    return "\(parts.1) \(parts.2)\(parts.4 == "+00:00" ? "Z" : parts.4)"
}

/// A duration for people: `3.2s`, `4m10s`, `2h05m`, `3d04h`.
func duration(_ seconds: Double) -> String {
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    let whole = Int(seconds.rounded())
    if seconds < 60 { return seconds.formatted(.number.precision(.fractionLength(1)).grouping(.never)) + "s" }
    if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
    if whole < 86_400 { return "\(whole / 3600)h\(two(whole % 3600 / 60))m" }
    return "\(whole / 86_400)d\(two(whole % 86_400 / 3600))h"
}

/// The moment that `text`, like 30m, is ago.
/// - Throws: `ValidationError` where it is none.
func moment(ago text: String) throws -> Date {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Double(text.dropLast()), count >= 0 else {
        throw ValidationError("--since \(text): allowed are a number and s, m, h or d, like 30m")
    }
    return Date.now.addingTimeInterval(-count * unit)
}
