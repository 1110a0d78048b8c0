import DaemonTesting
import FileTesting
import Foundation
import Jobs
import SchemaTesting
import ServerTesting
import Testing

/// The engine's contract: `docs/engine.md`, its schema, and the example that one starts from, in the real daemon.
@Suite(.serialized, .timeLimit(.minutes(15))) struct EngineExampleTests {
    private static let engine = Servers.root + "/ops/examples/engine.py"
    private let schema: JSONSchema

    init() throws { schema = try JSONSchema(path: Servers.root + "/ops/schemas/engine.json") }

    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        let settings = ["ATELIER_ENGINE": Self.engine, "ATELIER_CHECKPOINT_SECONDS": "1"]
        try await Stage.with(settings: settings) { stage in
            try stage.start()
            try await body(stage)
        }
    }

    private static func personalization(_ name: String) -> Data {
        let picture = HandmadePNG(kind: .rgb, width: 64, height: 64) { x, y, channel in [x * 4, y * 4, 90][channel] }
        return JSONValue.object([
            "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-infinity", "seed": 3,
            "concept": ["name": .string(name), "role": "subject", "class": "dog"],
            "images": [["png": .string(Data(picture.bytes).base64EncodedString())]],
            "prompts": [.string("a <\(name)> dog")],
        ]).line
    }

    @Test func itLearnsAndDrawsInTheRealDaemon() async throws {
        try await withStage { stage in
            try await stage.publish(
                body: Self.personalization("rex"), properties: .init(messageID: "learn", type: "personalize"))
            let learnt = try await stage.job("learn", reaches: .completed)
            #expect(learnt.digest(of: "adapter") != nil && learnt.digest(of: "picture") != nil, "\(learnt)")
            #expect(try await stage.store.query("select 1 from atelier.metrics where name = 'loss'").count == 30)
            try await stage.publish(
                body: Data(
                    #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a <rex> dog"],"seed":3}"#
                        .utf8),
                id: "draw")
            let drawn = try await stage.job("draw", reaches: .completed)
            // The same colours and the same seed make the same bytes.
            #expect(drawn.digest(of: "picture") == learnt.digest(of: "picture"))
            try await stage.publish(
                body: Data(#"{"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex"],"#.utf8)
                    + Data(#""prompts":["a {concept} {class}"]}"#.utf8), id: "measure", kind: "evaluate")
            let refused = try await stage.job("measure", reaches: .discarded)
            #expect(refused["error_code"]?.string == "engine.kind", "\(refused)")
        }
    }

    @Test(arguments: [(2, "upgrade Atelier"), (0, "bring the engine up to docs/engine.md")])
    func anEngineOfAnotherVersionIsNotUsed(_ version: Int, _ remedy: String) async throws {
        let folder = try TemporaryFolder()
        let source = try String(contentsOfFile: Self.engine, encoding: .utf8)
        let other = try folder.writeProgram(
            "engine.py", source.replacing("PROTOCOL = 1", with: "PROTOCOL = \(version)"))
        try await Stage.with(settings: ["ATELIER_ENGINE": other]) { stage in
            try stage.start()
            #expect(await stage.stop(0) == 78)
            let log = try String(contentsOfFile: stage.folder.path + "/atelierd.log", encoding: .utf8)
            #expect(log.contains("version \(version) of the engine's protocol") && log.contains(remedy), "\(log)")
        }
    }

    @Test func whatAnEngineDoesNotDoIsSaid() async throws {
        try await withStage { stage in
            let doctor = try await stage.control("doctor", "--wait", "30")
            #expect(doctor.output.contains("protocol 1; it does not do compose, evaluate"), "\(doctor)")
        }
    }

    @Test func anEngineThatIsKilledGoesOnToTheSameBytes() async throws {
        try await withStage { stage in
            try await stage.publish(
                body: Self.personalization("calm"), properties: .init(messageID: "calm", type: "personalize"))
            let calm = try await stage.job("calm", reaches: .completed)
            try await stage.publish(
                body: Self.personalization("hurt"), properties: .init(messageID: "hurt", type: "personalize"))
            _ = try await stage.job("hurt") { !($0["checkpoints"]?.array?.isEmpty ?? true) }
            kill(try #require(stage.engine), SIGKILL)
            let hurt = try await stage.job("hurt", reaches: .completed)
            #expect(hurt["attempt"] == .integer(2) && hurt.digest(of: "adapter") == calm.digest(of: "adapter"))
        }
    }

    /// Everything that both say is as the schema has it, and as the daemon reads it.
    @Test func bothSpeakAsTheSchemaSays() async throws {
        let folder = try TemporaryFolder()
        let picture = HandmadePNG(kind: .rgba, width: 8, height: 8) { x, _, _ in x }
        let image = folder.path + "/picture.png"
        try Data(picture.bytes).write(to: URL(fileURLWithPath: image))
        let spec = try JobSpec(body: Self.personalization("rex"))
        let order = EngineOrder(
            job: UUID(), attempt: 1, spec: spec, tenant: "t", images: [image], adapters: [:],
            references: ["rex": [ReferenceFile(path: image)]],
            proxies: ["rex": [.init(path: image, prompt: "a <rex> dog")]], models: "/models",
            workspace: folder.path, resume: nil, checkpointSeconds: 1)
        let written = try JSONValue(json: order.line)
        #expect(try schema.problems(in: written, part: "#/$defs/order") == [])
        // What it does not name no engine looks for.
        if case .object(let members) = written {
            for name in members.keys {
                #expect(throws: Never.self) { try schema.part("#/$defs/order/properties/\(name)") }
            }
        }
        let inspection = InspectionOrder(
            id: 1, body: ["kind": "generate"], pictures: [.init(pointer: "/images/0/data", data: Data([1]))],
            adapters: ["rex": .init(method: "arbooth", bytes: 9)])
        #expect(try schema.problems(in: JSONValue(json: inspection.line), part: "#/$defs/inspection") == [])
        let run = try await ProgramRun(
            Self.engine, ["work"], environment: ["PATH": "/usr/bin:/bin"],
            input: written.text + "\n" + String(repeating: "\n", count: 1))
        // Its stdin ended, as when a daemon dies: it may stop at once; what it said until then is whole lines.
        #expect(run.status == 90 || run.status == 0, "\(run)")
        for line in run.lines {
            #expect(try schema.problems(in: JSONValue(json: Data(line.utf8)), part: "#/$defs/event") == [], "\(line)")
            _ = try EngineEvent(line: Data(line.utf8))
        }
        #expect(run.lines.first?.contains("started") == true || run.lines.isEmpty)
        for event in Self.events {
            let value = try JSONValue(json: event.line)
            #expect(try schema.problems(in: value, part: "#/$defs/event") == [], "\(value)")
        }
    }

    @Test func whatElseAnEngineAnswersIsAsTheSchemaSays() throws {
        var cost = JobCost(work: ["products": 1], memoryBytes: 2, diskBytes: 3)
        cost.alternatives = [.init(change: "/images_per_prompt 1", memoryBytes: 1)]
        let problem = Problem("/prompts/0", found: "36 tokens", allowed: "at most 32 tokens")
        let lines = [
            ("report", InspectionReport(id: 0).line),
            ("report", InspectionReport(id: 1, problems: [problem], warnings: ["w"], cost: cost).line),
            ("report", InspectionReport(id: 2, uncounted: "there is no model elsewhere here").line),
            ("protocol", EngineProtocol.own.line), ("check", ModelTrialReport(problems: ["p"], untried: "u").line),
            ("rates", HostRates(rates: ["products": 1], residentBytes: 2, threads: 1).line),
        ]
        for (part, line) in lines {
            #expect(try schema.problems(in: JSONValue(json: line), part: "#/$defs/\(part)") == [], "\(part)")
        }
    }

    /// Else its daemon would wait for answers that never come.
    @Test(arguments: ["inspect", "measure", "check"])
    func theExampleEndsOverWordsItDoesNotKnow(word: String) async throws {
        let run = try await ProgramRun(Self.engine, [word], environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 1 && run.output.isEmpty && run.errors.contains("\(word) is no word it knows"), "\(run)")
    }

    /// One of each, as our own engine says them.
    private static let events: [EngineEvent] = [
        .started(.init(engine: "1", backbone: "b")), .alive, .progress(.init(stage: "train", step: 1, steps: 2)),
        .metric(.init(step: 1, values: ["loss": 0.5, "bad": .nan])),
        .artifact(
            .init(
                role: .picture, name: "a.png", path: "/a.png", mediaType: "image/png",
                sha256: String(repeating: "a", count: 64), bytes: 3, prompt: "p", seed: 7)),
        .checkpoint(.init(step: 1, path: "/c", sha256: String(repeating: "b", count: 64), bytes: 3)),
        .done(.init(result: ["metrics": [:]], seconds: 1, peakMemoryBytes: 2)), .interrupted(.init(step: 3)),
        .failed(
            .init(
                code: "input.continue_from", consequence: .rejected, message: "m",
                problems: [.init("/images/0", found: "x", allowed: "y")])),
    ]
}
