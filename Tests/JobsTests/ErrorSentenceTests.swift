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

    @Test func whatCannotBeDecodedSaysWhatIsMissing() throws {
        let error = try #require(throws: DecodingError.self) {
            try JSONDecoder().decode([String: [Int]].self, from: Data(#"{"sides": "none"}"#.utf8))
        }
        #expect(sentence(of: error).contains("sides"))
    }

    @Test func othersSayWhatTheySay() { #expect(sentence(of: Own()) == "the sky: it is falling") }
}
