import Foundation
import Jobs
import Testing

/// The protocol between daemon and engine: what is written is what is read, one line each, the same bytes every time.
@Suite struct EngineLineTests {
    static let events: [EngineEvent] = [
        .started(.init(engine: "1.0", backbone: "pocket-infinity")), .alive,
        .progress(.init(stage: "train", step: 3, steps: 600)),
        .metric(.init(step: 3, values: ["loss": 0.5, "b": 2])),
        .artifact(
            .init(
                role: .picture, name: "1.png", path: "/w/1.png", mediaType: "image/png", sha256: "00", bytes: 9,
                prompt: "a\nb\u{1b}[2J", seed: .max)),
        .checkpoint(.init(step: 9, path: "/w/c", sha256: "ff", bytes: 1)),
        .done(
            .init(
                result: .object([
                    "metrics": .object(["CLIP-I": .number(0.5)]), "list": .array([.null, .bool(true), .integer(-1)]),
                ]), seconds: 1.5, peakMemoryBytes: 1 << 40)),
        .interrupted(.init(step: 4)),
        .failed(
            .init(
                code: "input.image", consequence: .rejected, message: "no PNG",
                problems: [Problem("/images/0", found: "x", allowed: "y")])),
    ]

    @Test(arguments: events) func anEventSurvivesItsLine(_ event: EngineEvent) throws {
        #expect(!event.line.isEmpty && !event.line.contains(UInt8(ascii: "\n")))
        #expect(try EngineEvent(line: event.line) == event)
        #expect(try EngineEvent(line: event.line).line == event.line)
    }

    @Test(arguments: [
        "", "hello", "{}", #"{"event":"dance"}"#, #"{"event":"progress","step":1}"#,
        #"{"event":"interrupted","step":"4"}"#,
    ])
    func whatIsNoEventIsAnError(_ line: String) {
        #expect(throws: (any Error).self) { try EngineEvent(line: Data(line.utf8)) }
    }

    @Test(arguments: JobSpecTests.bodies) func anOrderSurvivesItsLine(_ body: String) throws {
        let order = EngineOrder(
            job: UUID(), attempt: 2, spec: try JobSpec(body: Data(body.utf8)), tenant: "t", images: ["/a b.png"],
            adapters: ["rex": "/a"],
            models: "/m", workspace: "/w", resume: nil, checkpointSeconds: 10)
        let read = try EngineOrder(line: order.line)
        #expect(read.line == order.line && !order.line.contains(UInt8(ascii: "\n")))
        #expect(read.job == order.job && read.spec == order.spec && read.resume == nil)
        #expect(try JSONValue(json: order.line)["kind"] == .string(order.spec.kind.rawValue))
        #expect(try JSONValue(json: order.line)["resume"] == .null)
    }

    @Test func anInspectionOrderSurvivesItsLine() throws {
        let body: JSONValue = ["kind": "generate", "prompts": ["a <rex> dog"]]
        let plain = InspectionOrder(id: 3, body: body, pictures: [])
        let learnt = InspectionOrder(
            id: 4, body: body, pictures: [], adapters: ["rex": .init(method: "arbooth", bytes: 9)])
        for order in [plain, learnt] {
            let read = try InspectionOrder(line: order.line, bytes: { _ in Data() })
            #expect(read == order)
        }
        #expect(try JSONValue(json: plain.line)["adapters"] == nil)
    }

    @Test func routingWordsHaveNoDotsNorWildcards() {
        #expect(
            JobEvent(event: "completed", tenant: "a.b#*", kind: "", body: .null).routingKey == "a%2Eb%23%2A._.completed"
        )
        let words = ["a.b", "a_b", "a b", "A%2EB", "é", "-_0"].map(JobEvent.routingWord)
        #expect(words == ["a%2Eb", "a_b", "a%20b", "A%252EB", "%C3%A9", "-_0"], "no two are the same")
        let long = JobEvent.routingWord(String(repeating: "é", count: 100))
        #expect(long.count == 100 && long.hasPrefix("%C3%A9%C3%A9") && long.hasSuffix("~"))
    }
}
