import Foundation
import Testing

@testable import Jobs

/// JSON of strangers is JSON, or the place is named where it is not.
@Suite struct StrictJSONTests {
    private func problem(_ text: String) throws -> Problem { try problem(Data(text.utf8)) }

    private func problem(_ data: Data) throws -> Problem {
        try #require(try #require(throws: Problems.self) { try JobSpec.parsed(data) }.list.first)
    }

    @Test func whatIsJSONIsRead() throws {
        let text = #" {"a":[1,-2.5,1e3,1.0,true,false,null,""],"ü":"é\u00e9\ud83d\ude00\n\/","o":{},"l":[ ]} "#
        #expect(
            try JobSpec.parsed(Data(text.utf8))
                == .object([
                    "a": .array([
                        .integer(1), .number(-2.5), .integer(1000), .integer(1), .bool(true), .bool(false), .null,
                        .string(""),
                    ]), "ü": .string("éé😀\n/"), "o": .object([:]), "l": .array([]),
                ]))
        #expect(try JobSpec.parsed(Data("18446744073709551616".utf8)) == .number(18_446_744_073_709_551_616))
    }

    @Test func theSameAsFoundationWhereBothRead() throws {
        let value = JSONValue.object([
            "seed": .integer(7), "rate": .number(0.1), "tiny": .number(5e-324), "text": .string("a \"b\" \\ \u{1} 漢字"),
            "list": .array([.null, .bool(false), .number(-1.25e-7)]),
        ])
        #expect(try JobSpec.parsed(value.line) == value)
    }

    @Test func theByteAndWhatIsThereAreNamed() throws {
        for (text, found, allowed) in [
            (#"{"a":1,}"#, "'}' at byte 7", "a name in quotes"), ("[1,]", "']' at byte 3", "a value"),
            (#"{"a" 1}"#, "'1' at byte 5", "a colon"), ("[1 2]", "'2' at byte 3", "a comma or ]"),
            ("", "the end at byte 0", "a value"), ("{}x", "'x' at byte 2", "nothing after the value"),
            ("[01]", "'1' at byte 2", "a comma or ]"), ("[1.]", "']' at byte 3", "a digit"),
            ("[tru]", "'t' at byte 1", "a value"), ("[NaN]", "'N' at byte 1", "a value"),
            ("[\"a\nb\"]", "0xa at byte 3", #"the string's end in quotes; \n for a new line"#),
            (#"["\u-000"]"#, "'-' at byte 4", "four hexadecimal digits"),
            (#"["\x"]"#, "'x' at byte 3", #"one of " \ / b f n r t u after \"#), ("['a']", "''' at byte 1", "a value"),
            (#"["\ud83d do"]"#, "half a surrogate pair at byte 2", "both halves, or the character itself"),
            ("[1e999]", "the number 1e999 at byte 1", "a number that a double can hold"),
        ] {
            let problem = try problem(text)
            #expect(problem.found == found && problem.allowed == allowed, "\(text): \(problem)")
        }
        let latin = try problem(Data(#"{"a":"b d"#.utf8) + [0xF6] + Data(#"g"}"#.utf8))
        #expect(latin.found == "0xf6 at byte 9" && latin.allowed == "UTF-8" && latin.pointer == "/a")
    }

    /// Whoever wrote the text looks for it in an editor.
    @Test func theLineIsNamedOfATextOfSeveral() throws {
        #expect(try problem("{\n  \"a\": 1,\n}\n").found == "'}' at byte 12, in line 3")
        #expect(try problem("{\r\n\"a\": 1,\r\n\"a\": 2}").found == "this name again, at byte 12, in line 3")
    }

    /// As editors of texts put them, and pages of the web.
    @Test func charactersBeyondASCIIAreNamed() throws {
        #expect(try problem("{“a”: 1}").found == "'“' (U+201C) at byte 1")
        #expect(try problem("{\"a\":\u{A0}1}").found == "'\u{A0}' (U+00A0) at byte 5")
    }

    @Test(arguments: ["// mine\n{}", "{\n# mine\n}", "[1, /* mine */ 2]", "{} // mine"])
    func commentsAreCalledSo(text: String) throws {
        let problem = try problem(text)
        #expect(problem.found.hasPrefix("a comment at byte ") && problem.allowed == "none: JSON has no comments")
    }

    @Test func aRepeatedNameIsNamed() throws {
        let problem = try problem(#"{"a":[{"b":1,"b":2}]}"#)
        #expect(problem.pointer == "/a/0/b" && problem.found == "this name again, at byte 13")
        #expect(problem.allowed == "each name once")
    }

    @Test func otherEncodingsAreRefused() throws {
        let text = #"{"version":1}"#
        for encoding in [
            String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .utf32LittleEndian, .utf32BigEndian,
        ] {
            let problem = try problem(try #require(text.data(using: encoding)))
            #expect(problem.found == "text in UTF-16 or UTF-32", "\(problem)")
        }
        #expect(try problem(Data([0xEF, 0xBB, 0xBF]) + Data("{}".utf8)).found.contains("byte order mark"))
        #expect(try problem(Data([0x1F, 0x8B, 8, 0, 0, 0])).found == "what gzip packed")
    }
}
