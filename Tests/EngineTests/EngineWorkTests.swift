import Checkpoints
import FileTesting
import Foundation
import Layers
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
}
