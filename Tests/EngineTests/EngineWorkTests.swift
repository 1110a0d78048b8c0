import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Engine

struct EngineWorkTests {
    /// Another host may have room.
    @Test func aCheckpointOnAFullDiskIsTheHostsFault() throws {
        let folder = try TestFolder()
        let path = folder.path + "/a.safetensors"
        try FileManager.default.createSymbolicLink(atPath: path + ".tmp", withDestinationPath: "/dev/full")
        let full = try #require(throws: CheckpointError.self) {
            try Safetensors.write(["w": Tensor([1], shape: [1])], to: path)
        }
        #expect(full.description == "\(path): it could not be written: No space left on device")
        #expect(EngineWork.isOfDisk(full) && EngineWork.isOfDisk(CocoaError(.fileWriteOutOfSpace)))
        #expect(!EngineWork.isOfDisk(CheckpointError(path: path, problem: "it is cut short")))
    }

    /// Of a large model a daemon hears of nothing else for hours: pictures are drawn several at a time.
    @Test(.computing, arguments: ["pocket-infinity", "pocket-chameleon", "pocket-llamagen", "pocket-diffusion"])
    func whatDrawsForLongGivesSignsOfLife(_ model: String) throws {
        let models = try TinyModels()
        func events(quiet: Duration) throws -> [EngineEvent] {
            let spec: [String: JSONValue] = [
                "version": 1, "kind": "generate", "model": .string(model), "prompts": ["a dog"], "seed": 1,
            ]
            return try Run(models, spec, quiet: quiet).events
        }
        let quick = try events(quiet: .seconds(1 << 20))
        #expect(!quick.contains(.alive))
        let slow = try events(quiet: .zero)
        let begun = slow.drop(while: { if case .started = $0 { false } else { true } })
        let drawing = begun.prefix(while: { if case .artifact = $0 { false } else { true } })
        #expect(drawing.filter { $0 == .alive }.count > 10)
        #expect(slow.filter { $0 != .alive }.count == quick.count)
    }

    /// Between two steps, and while what they learn from is drawn.
    @Test(.computing) func whatLearnsForLongGivesSignsOfLife() throws {
        let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]
        let spec: [String: JSONValue] = [
            "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-diffusion", "seed": 7,
            "images": [picture, picture, picture], "concept": ["name": "rex", "role": "subject", "class": "dog"],
            "options": ["iterations": 2, "prior_pictures": 1],
        ]
        let run = try Run(TinyModels(), spec, quiet: .zero)
        let told = run.events.map { if case .progress(let event) = $0 { event.stage } else { "\($0)" } }
        let prepared = try #require(told.firstIndex(of: "prepare"))
        let trained = try #require(told.firstIndex(of: "train"))
        #expect(told[prepared..<trained].contains("alive"))
    }
}
