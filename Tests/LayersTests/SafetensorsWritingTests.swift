import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Tensors
import Testing

@Suite(.computing) struct SafetensorsWritingTests {
    private let folder: TestFolder
    private var path: String { folder.path + "/a.safetensors" }

    init() throws { folder = try TestFolder() }

    private func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

    @Test func whatIsWrittenIsReadBackBitForBit() throws {
        let odd: [Float] = [0, -0.0, .infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3, -1e-30]
        let base = Tensor((0..<24).map { Float($0) }, shape: [6, 4])
        // A view into the middle of its storage, a scalar, and none at all.
        let tensors = [
            "b.weight": Tensor(odd, shape: [2, 4]), "a": base.slice(2..<5), "scalar": Tensor([7], shape: []),
            "ö/€": Tensor(zeros: [0, 5]),
        ]
        let metadata = ["step": "12", "quote\"": "line\nbreak /", "é": "→"]
        try Safetensors.write(tensors, to: path, metadata: metadata)
        let file = try Safetensors(path: path)
        #expect(file.metadata == metadata)
        #expect(file.names == tensors.keys.sorted())
        for (name, tensor) in tensors {
            #expect(try file.tensor(name).shape == tensor.shape && bits(file.tensor(name)) == bits(tensor), "\(name)")
        }
        #expect(try Checkpoint.tensors(path).mapValues(\.shape) == tensors.mapValues(\.shape))
    }

    @Test func halfPrecisionRoundsToTheNearest() throws {
        // Exact; between two halves, ties to even; below the smallest; beyond the largest.
        let values: [Float] = [1, -0.25, 65504, 1 + 0x1p-11, 1 + 0x3p-11, 0x1p-24, 0x1p-26, 1e6, .nan]
        try Safetensors.write(["w": Tensor(values, shape: [9])], to: path, precision: .half)
        let file = try Safetensors(path: path)
        let read = try file.tensor("w").values
        #expect(try file.entry("w").type == .float16 && file.entry("w").contiguousBytes?.count == 18)
        #expect(read.dropLast() == [1, -0.25, 65504, 1, 1 + 0x1p-9, 0x1p-24, 0, .infinity] && read.last!.isNaN)
    }

    @Test func theLayoutIsTheFormats() throws {
        try Safetensors.write(
            ["b": Tensor([3], shape: [1]), "a": Tensor([1, 2], shape: [2])], to: path, metadata: ["k": "v"])
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let json =
            #"""
            {"__metadata__":{"k":"v"},"a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]},"b":{"data_offsets":[8,\#
            12],"dtype":"F32","shape":[1]}}
            """#
        let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
        let data = [1, 2, 3].flatMap { HandmadeSafetensors.littleEndian(Float($0).bitPattern) }
        #expect(bytes == HandmadeSafetensors(padded, data).bytes)
    }

    @Test func aFileIsReplacedWholeOrNotAtAll() throws {
        try Safetensors.write(["w": Tensor([1], shape: [1])], to: path)
        let old = try Safetensors(path: path)
        try Safetensors.write(["w": Tensor([2, 3], shape: [2])], to: path)
        #expect(try Safetensors(path: path).tensor("w").values == [2, 3])
        #expect(try old.tensor("w").values == [1], "who has the old file open keeps it")
        #expect(try folder.contents() == ["a.safetensors"])

        try FileManager.default.createDirectory(atPath: folder.path + "/taken", withIntermediateDirectories: true)
        let taken = try #require(throws: CheckpointError.self) {
            try Safetensors.write(["w": Tensor([1], shape: [1])], to: folder.path + "/taken")
        }
        #expect(taken.path == folder.path + "/taken" && taken.problem.contains("could not be put in place"))
        #expect(try folder.contents() == ["a.safetensors", "taken"], "a failed write leaves nothing behind")
        let missing = try #require(throws: CheckpointError.self) {
            try Safetensors.write([:], to: folder.path + "/no/where")
        }
        #expect(missing.problem == "it could not be created: No such file or directory")
    }
}
