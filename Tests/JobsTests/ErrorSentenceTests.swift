import Foundation
import Jobs
import Testing

/// Errors as people read them.
struct ErrorSentenceTests {
    private struct Own: Error, CustomStringConvertible { let description = "the sky: it is falling" }

    @Test func anErrorOfFoundationsIsItsFileAndTheReason() {
        var said = ""
        do { try Data("x".utf8).write(to: URL(fileURLWithPath: "/nowhere/x")) } catch { said = sentence(of: error) }
        #expect(said.hasPrefix("/nowhere/x: ") && !said.contains("Domain"), "\(said)")
    }

    @Test func othersSayWhatTheySay() { #expect(sentence(of: Own()) == "the sky: it is falling") }
}
