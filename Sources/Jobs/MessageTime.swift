import Foundation

/// A time in a message's header or on a command line, as RFC 3339 writes it.
package enum MessageTime {
    /// The time; nil where the text is none, or one that does not exist: Foundation takes the 30th of February for the
    /// 2nd of March. The day's end as 24:00:00 and a leap second exist.
    package static func date(_ text: String) -> Date? {
        // Foundation passes over what follows a time that it can read.
        let form = /(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(?:Z|[+-]([01]\d|2[0-3]):[0-5]\d)/
        guard let time = text.wholeMatch(of: form),
            let year = Int(time.1), let month = Int(time.2), let day = Int(time.3), let hour = Int(time.4),
            let minute = Int(time.5), let second = Int(time.6)
        else { return nil }
        let isEndOfDay = (hour, minute, second) == (24, 0, 0) && (time.7 ?? "").allSatisfy { $0 == "." || $0 == "0" }
        let isInDay = hour < 24 && minute < 60 && second <= 60 || isEndOfDay
        guard year > 0, (1...12).contains(month), (1...days(of: month, in: year)).contains(day), isInDay else {
            return nil
        }
        return try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: time.7 != nil))
    }

    /// The time so many seconds after 1970 began; nil after the year 9999, where milliseconds are meant.
    package static func date(seconds: UInt64) -> Date? {
        seconds < 253_402_300_800 ? Date(timeIntervalSince1970: Double(seconds)) : nil
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && year % 100 != 0 || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
