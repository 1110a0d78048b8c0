import Foundation
import Jobs
import Testing

/// A seed that nobody gave.
@Suite struct DrawnSeedTests {
    private func generation(_ more: String = "") throws -> JobSpec {
        try JobSpec(
            body: Data(#"{"version":1,"kind":"generate","model":"m","prompts":["a dog"]\#(more)}"#.utf8))
    }

    @Test func anAbsentSeedIsDrawnFromTheJobsId() throws {
        let job = UUID()
        let drawn = try #require(try generation().seeded(by: job).seed)
        #expect((0..<1 << 48).contains(drawn))
        #expect(try generation().seeded(by: job).seed == drawn, "another attempt has the same")
        #expect(try generation().seeded(by: UUID()).seed != drawn)
        #expect(try generation(#","seed":7"#).seeded(by: job) == generation(#","seed":7"#))
        #expect(JobSpec.probe.seeded(by: job) == .probe)
    }
}
