import DaemonTesting
import Foundation
import Images
import Jobs
import LittleWorld
import ServerTesting
import Testing

/// The short training that every test here publishes: ARBooth on the shipped model, four references of a subject it
/// never saw.
enum TrainingJob {
    static let models = Servers.root + "/models"
    static let engine = Stage.programs + "/atelier-engine"
    /// Seconds a training may take; some when it has the machine to itself.
    static let patience = 600
    static let prompt = "a <rex> dog on the beach"

    /// What makes a daemon use the real engine, with a checkpoint a second.
    static let settings = [
        "ATELIER_ENGINE": engine, "ATELIER_MODELS": models, "ATELIER_CHECKPOINT_SECONDS": "1",
        "ATELIER_ENGINE_NICE": "0", "ATELIER_GRACE_SECONDS": "120", "ATELIER_DRAIN_SECONDS": "240",
    ]

    private static let references: [JSONValue] = Subject.heldOut(.dog, index: 0).references(count: 4).map { scene in
        .object(["png": .string(Data(try! scene.paint(size: 64).png()).base64EncodedString())])
    }

    /// The job's members; its iterations take some seconds, so that there is a middle to be disturbed in.
    static var members: [String: JSONValue] {
        [
            "version": .integer(1), "kind": .string("personalize"), "method": .string("arbooth"),
            "model": .string("pocket-infinity"), "seed": .integer(7),
            "concept": .object(["name": .string("rex"), "role": .string("subject"), "class": .string("dog")]),
            "images": .array(references),
            "prompts": .array([.string(prompt)]),
            "options": .object(["iterations": .integer(80), "batch": .integer(1), "distillation_maps": .integer(4)]),
        ]
    }

    /// The job with some members changed.
    static func body(_ changes: [String: JSONValue] = [:]) -> Data {
        JSONValue.object(members.merging(changes) { $1 }).line
    }

    /// A job that draws one picture.
    static func generation(
        _ prompt: String = "a red dog in the snow", model: String = "pocket-infinity",
        guidance: [Double] = [3, 3, 3, 2, 2]
    ) -> Data {
        JSONValue.object([
            "version": .integer(1), "kind": .string("generate"), "model": .string(model),
            "prompts": .array([.string(prompt)]), "seed": .integer(3),
            "options": .object(["guidance": .array(guidance.map(JSONValue.number))]),
        ]).line
    }
}

/// What the training ends with when nobody disturbs it: the engine alone, without servers, run once for all tests.
struct UndisturbedRun: Sendable {
    static let shared = Task { try await UndisturbedRun() }

    /// The adapter's SHA-256.
    let adapter: String
    /// The picture's.
    let picture: String

    private init() async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let job = try folder.write("job.json", String(decoding: TrainingJob.body(), as: UTF8.self))
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", job, "--out", folder.path + "/out", "--json"],
            environment: TrainingJob.settings.merging(["PATH": "/usr/bin:/bin"]) { $1 })
        try #require(run.status == 0, "\(run.errors)")
        let events = try run.lines.map { try EngineEvent(line: Data($0.utf8)) }
        func digest(_ role: ArtifactRole) throws -> String {
            try #require(
                events.lazy.compactMap {
                    if case .artifact(let file) = $0, file.role == role { file.sha256 } else { nil }
                }.first)
        }
        adapter = try digest(.adapter)
        picture = try digest(.picture)
    }
}
