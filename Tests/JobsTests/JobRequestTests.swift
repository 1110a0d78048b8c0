import Foundation
import Jobs
import Testing

/// What is a job, and what is told to who sent none.
@Suite struct JobRequestTests {
    static let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).base64EncodedString()
    static let digits = String(repeating: "ab", count: 32)
    static let valid = """
        {"version":1,"kind":"personalize","concept":{"name":"rex","role":"subject","class":"dog"},"method":"arbooth","model":"pocket-infinity",
        "images":[{"png":"\(png)"},{"artifact":"sha256:\(digits)"}],"prompts":["a <rex> dog on the beach"],"seed":7,"options":{"iterations":600}}
        """

    private func pointers(_ body: String) -> [String] {
        do {
            _ = try JobRequest(body: Data(body.utf8))
            return []
        } catch { return (error as? Problems)?.list.map(\.pointer).sorted() ?? ["another error"] }
    }

    @Test func theContractsExampleIsAJob() throws {
        let request = try JobRequest(body: Data(Self.valid.utf8))
        #expect(request.kind == .personalize && request.model == "pocket-infinity")
        #expect(request.concept?.name == "rex" && request.concept?.role == "subject")
        #expect(request.images == [.png(try #require(Data(base64Encoded: Self.png))), .artifact(Self.digits)])
        #expect(request.spec["images"] == nil && request.spec["seed"] == .integer(7))
    }

    @Test func everyProblemIsListed() {
        let body = """
            {"version":2,"kind":"personalize","concept":{"name":"Rex!","role":"pet","class":"","x":1},"method":"magic","model":"gpt",
            "images":[{"png":"no"},{"artifact":"sha256:00"},{"url":"http://x"},7],"prompts":["",3],"seed":-1,"a/b~c":1}
            """
        #expect(pointers(body) == [
            "/a~1b~0c", "/concept/class", "/concept/name", "/concept/role", "/concept/x", "/images/0/png", "/images/1/artifact", "/images/2/url",
            "/images/3", "/method", "/model", "/prompts/0", "/prompts/1", "/seed", "/version",
        ])
    }

    @Test(arguments: ["", "nul", "[1,2]", "7", "\"text\"", "{", #"{"version":1"#]) func whatIsNoObjectHasOneProblemAtTheRoot(_ body: String) {
        #expect(pointers(body) == [""])
    }

    @Test func deepNestingIsAProblemAndNoCrash() {
        #expect(pointers(String(repeating: "[", count: 200_000)) == [""])
    }

    @Test func everyProblemSaysWhatIsAllowed() throws {
        let error = #expect(throws: Problems.self) { try JobRequest(body: Data(#"{"version":1,"kind":"paint"}"#.utf8)) }
        let kind = try #require(error?.list.first { $0.pointer == "/kind" })
        #expect(kind.found == "\"paint\"" && kind.allowed == JobKind.allCases.map(\.rawValue).joined(separator: ", "))
    }

    @Test(arguments: [(0, false), (1, true), (16, true), (17, false)]) func picturesPerPromptAreBounded(_ count: Int, _ isAllowed: Bool) {
        let body = #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"images_per_prompt":\#(count)}"#
        #expect(pointers(body) == (isAllowed ? [] : ["/images_per_prompt"]))
    }

    @Test func optionsAreHeldAgainstTheirMethods() {
        let unknown = Self.valid.replacing(#"{"iterations":600}"#, with: #"{"iteration":600,"batch":0,"guidance":3}"#)
        #expect(pointers(unknown) == ["/options/batch", "/options/guidance", "/options/iteration"])
        #expect(pointers(#"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"options":{"iterations":5,"temperature":0}}"#)
            == ["/options/iterations", "/options/temperature"])
    }

    @Test func aSampleMayOnlyNameTheConceptThatIsLearnt() {
        #expect(pointers(Self.valid.replacing("a <rex> dog", with: "a <rex> dog and a <max> cat")) == ["/prompts/0"])
    }

    @Test func conceptsAreFoundOnceAndInOrder() {
        #expect(JobRequest.concepts(in: ["a <rex> and <woodcut-2>", "<rex> again, 3 < 4 > 2, <>, <a b>, <a_b>"]) == ["rex", "woodcut-2", "a_b"])
    }
}
