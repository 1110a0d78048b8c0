import Foundation
import Testing

@testable import Jobs

@Suite struct MessageTimeTests {
    @Test func onlyTimesThatExistAreTaken() {
        for text in [
            "2026-02-30T10:00:00Z", "2026-12-01T25:00:00Z", "2026-13-01T10:00:00Z", "2026-00-10T10:00:00Z",
            "2026-04-31T10:00:00Z", "2026-04-00T10:00:00Z", "2026-12-01T10:60:00Z", "2026-12-01T10:00:61Z",
            "2026-12-01T24:00:01Z", "2100-02-29T10:00:00Z", "tomorrow", "2026-12-01", "",
            "2026-12-01T10:00:00+01:75", "2026-12-01T10:00:00+24:00", "2026-12-01T24:00:00.5Z", "0000-01-01T00:00:00Z",
        ] {
            #expect(MessageTime.date(text) == nil, "\(text)")
        }
        let noon = Date(timeIntervalSince1970: 1_772_280_000)  // 2026-02-28T12:00:00Z
        #expect(MessageTime.date("2026-02-28T12:00:00Z") == noon)
        #expect(MessageTime.date("2026-02-28T12:00:00.500Z") == noon + 0.5)
        #expect(MessageTime.date("2026-02-28T24:00:00Z") == noon + 12 * 3600)
        #expect(MessageTime.date("2024-02-29T10:00:60Z") != nil, "a leap day, a leap second")
        #expect(MessageTime.date("2026-02-28T14:00:00+02:00") == noon)
        #expect(MessageTime.date("2026-02-28T14:00:00.500+02:00") == noon + 0.5)
    }

    /// AMQP's timestamps are seconds; milliseconds would name a day that nobody waits for.
    @Test func aTimestampIsATimeWithinFourDigitsOfYears() {
        #expect(MessageTime.date(seconds: 1_772_280_000) == MessageTime.date("2026-02-28T12:00:00Z"))
        #expect(MessageTime.date(seconds: 253_402_300_799) == MessageTime.date("9999-12-31T23:59:59Z"))
        #expect(MessageTime.date(seconds: 1_772_280_000_000) == nil && MessageTime.date(seconds: .max) == nil)
    }

    @Test(arguments: [" tomorrow", "Z", "+05:00", "UTC+3"]) func whatFollowsATimeIsNotPassedOver(rest: String) {
        #expect(MessageTime.date("2026-02-28T12:00:00Z" + rest) == nil)
    }
}
