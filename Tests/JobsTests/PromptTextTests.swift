import Foundation
import Jobs
import Testing

/// Texts of strangers that would be drawn as something else than they mean, or be read for ever.
@Suite struct PromptTextTests {
    private func problems(_ members: [String: JSONValue]) -> [Problem] {
        let common: [String: JSONValue] = ["version": 1, "kind": "generate", "model": "pocket-diffusion"]
        do { _ = try JobSpec(.object(common.merging(members) { $1 })) } catch {
            return (error as? Problems)?.list ?? [Problem("", found: "\(error)", allowed: "")]
        }
        return []
    }

    @Test(arguments: ["{concept}", "{class}", "{ Concept }", "{{class}}"])
    func blanksThatNobodyFillsAreRefused(blank: String) throws {
        let found = problems([
            "prompts": [.string("a \(blank) dog")], "options": ["negative_prompt": .string("no \(blank)")],
        ])
        #expect(found.map(\.pointer) == ["/prompts/0", "/options/negative_prompt"] && found[0].found == blank)
        #expect(found.first?.allowed.hasPrefix("a concept as <name>, and its class noun in words") == true)
        #expect(problems(["prompts": ["a {red} dog", "{best picture}", "a {concept", "{"]]) == [])
    }

    /// A job may have waited, or have learnt for hours, while the rules became stricter.
    @Test func whatWasAcceptedBeforeIsNotHeldAgainstThem() throws {
        let body: JSONValue = [
            "version": 1, "kind": "generate", "model": "m", "prompts": ["a {class} by <Rex>"],
            "options": ["negative_prompt": "{concept}"],
        ]
        #expect(throws: Problems.self) { try JobSpec(body) }
        #expect(try JobSpec(body, isAccepted: true).json == body)
        #expect(try JSONDecoder().decode(JobSpec.self, from: body.line).json == body)
        #expect(throws: Problems.self) { try JobSpec(body.adding("prompts", []), isAccepted: true) }
    }

    @Test(arguments: [
        ("a {concept} {class} at night", []), ("a {concept} {Class} at night", ["{Class}"]),
        ("a {concept} in {{class}} {place}", ["{{class}}", "{place}"]), ("a {concept} { class }", ["{ class }"]),
    ])
    func blanksThatAreFilledAreWrittenAsTheyAre(prompt: String, found: [String]) {
        let found = found.map {
            Problem("/prompts/0", found: $0, allowed: "{concept} and {class}, so written, and nothing else in braces")
        }
        #expect(problems(["kind": "evaluate", "concepts": ["rex"], "prompts": [.string(prompt)]]) == found)
    }

    @Test func theBlanksOfCoARsPromptAreFilled() {
        func learning(_ prompt: JSONValue) -> [Problem] {
            problems([
                "kind": "personalize", "model": "pocket-chameleon", "method": "coar",
                "concept": ["name": "rex", "role": "subject", "class": "dog"],
                "images": [["artifact": .string("sha256:" + JobSpecTests.digits)]], "options": ["prompt": prompt],
            ])
        }
        #expect(learning("a photo of {concept} {class}") == [])
        #expect(learning("a photo of {concept} {noun}").map(\.found) == ["{noun}"])
    }

    @Test func whatPassesForALetterIsNamed() {
        let names = problems([
            "kind": "evaluate", "model": "pocket\u{2011}infinity", "concepts": ["r\u{435}\u{445}", "REX"],
            "suite": "little-world",
        ])
        #expect(
            names.map(\.found) == [
                "\"pocket\u{2011}infinity\", with U+2011 in it",
                "\"r\u{435}\u{445}\", with U+0435 and U+0445 in it", "\"REX\"",
            ])
    }

    /// Were each bracket held against all that follow, one message would hold everybody's up for an hour.
    @Test(arguments: ["&lt;!", "<a b ", "&#060;", "{{{ ", "&lt; "]) func longTextsAreReadQuickly(part: String) {
        let prompt = String(String(repeating: part, count: 500).prefix(1000))
        let endless = String(repeating: part, count: 400_000)
        let time = ContinuousClock().measure {
            _ = problems(["prompts": .array(Array(repeating: .string(prompt), count: 64))])
            let found = problems(["prompts": ["a dog"], "options": ["negative_prompt": .string(endless)]])
            #expect(found.map(\.allowed) == ["a text of 1 to 500 bytes"])
        }
        #expect(time < .seconds(5))
    }
}
