import Jobs
import Testing

/// One of a thing, and several.
struct CountedNounTests {
    @Test func aNumberOfThingsIsSaidAsPeopleSayIt() {
        #expect([0, 1, 2].map { counted($0, "job") } == ["0 jobs", "1 job", "2 jobs"])
        #expect(counted(1, "job", "waits", "wait") == "1 job waits")
        #expect(counted(0, "job", "waits", "wait") == "0 jobs wait")
    }
}
