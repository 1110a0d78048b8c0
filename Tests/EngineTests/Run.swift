import Foundation
import Images
import Jobs
import LittleWorld
import ModelTesting
import Testing

@testable import Engine

/// One order given to the workers as the engine does it, and what they said.
struct Run {
    /// The folder goes with it.
    private let models: TinyModels
    let folder: String
    private(set) var events: [EngineEvent] = []
    /// The job's; nil where the engine was asked to stop.
    private(set) var result: JSONValue?

    /// - Parameters:
    ///   - folder: an earlier run's; a new one unless given.
    ///   - quiet: how long nothing is said before a sign of life is.
    init(
        _ models: TinyModels, _ spec: [String: JSONValue], adapters: [String: String] = [:], resume: String? = nil,
        checkpointSeconds: Int = 1000, proxies: [String: [EngineOrder.Proxy]]? = nil, references: [Picture]? = nil,
        in folder: String? = nil, quiet: Duration = .seconds(60)
    ) throws {
        self.models = models
        let folder = folder ?? "\(models.folder)/\(UUID().uuidString)"
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let spec = try JobSpec(.object(spec))
        var role = ConceptRole.subject
        if case .personalize(let spec) = spec { role = spec.concept.role }
        var images: [String] = []
        let painted = Subject.heldOut(.dog, index: 0).references(count: role == .style ? 1 : 3)
        for (index, picture) in (references ?? painted.map { $0.paint(size: 20) }).enumerated()
        where spec.kind == .personalize {
            images.append("\(folder)/\(index).png")
            try picture.writePNG(images[index])
        }
        let order = EngineOrder(
            job: UUID(), attempt: 1, spec: spec, tenant: "t", images: images, adapters: adapters,
            proxies: proxies, models: models.folder, workspace: folder, resume: resume,
            checkpointSeconds: checkpointSeconds)
        let log = "\(folder)/events"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let connection = EngineConnection(output: FileHandle(forWritingAtPath: log)!, quiet: quiet)
        do { result = try EngineWork(connection: connection).work(order) } catch is AskedToStop {}
        events = try Data(contentsOf: URL(fileURLWithPath: log)).split(separator: 10).map {
            try EngineEvent(line: Data($0))
        }
    }

    var artifacts: [EngineEvent.Artifact] {
        events.compactMap { if case .artifact(let artifact) = $0 { artifact } else { nil } }
    }
    func digests(_ role: ArtifactRole) -> [String] { artifacts.filter { $0.role == role }.map(\.sha256) }
    var adapter: String { artifacts.first { $0.role == .adapter }!.path }
    var checkpoints: [EngineEvent.Checkpoint] {
        events.compactMap { if case .checkpoint(let checkpoint) = $0 { checkpoint } else { nil } }
    }
}
