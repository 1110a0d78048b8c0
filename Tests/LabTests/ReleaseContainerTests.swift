import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Testing

@testable import Lab

/// Weights of stand-ins are read back from every container that releases come in.
@Suite(.computing) struct ReleaseContainerTests {
    private let folder: TestFolder
    /// Of every kind; two have more numbers than are drawn at a time.
    private let weights: [RandomWeight]
    /// Numbers that every precision has.
    private let places = (0..<1 << 21).map { Float($0 & 127) }

    init() throws {
        folder = try TestFolder()
        let planned = Weights(.planned)
        _ = planned.parameter("places", [places.count], .values(places))
        _ = planned.parameter("table.weight", [1025, 1024], .normal(deviation: 1))
        _ = planned.parameter("scalar", [], .constant(0.5))
        _ = planned.parameter("norm.weight", [3], .ones)
        _ = planned.parameter("norm.bias", [3], .zeros)
        weights = RandomWeights().weights(planned)
    }

    private func written(
        _ container: ReleaseContainer, _ name: String, as precision: Safetensors.Precision = .single
    ) throws -> Checkpoint {
        let path = "\(folder.path)/\(name)"
        try container.write(weights, as: precision, to: path)
        return try Checkpoint.open(path)
    }

    private func expectEqual(_ checkpoint: Checkpoint, _ other: Checkpoint) throws {
        #expect(checkpoint.names == weights.map(\.name).sorted() && other.names == checkpoint.names)
        for name in checkpoint.names {
            let (tensor, same) = (try checkpoint.tensor(name), try other.tensor(name))
            let isEqual = try tensor.floats() == same.floats()
            #expect(tensor.shape == same.shape && tensor.type == same.type && isEqual, "\(name)")
        }
    }

    @Test(arguments: [Safetensors.Precision.single, .half, .bfloat16])
    func everyContainerHoldsTheSame(precision: Safetensors.Precision) throws {
        let whole = try written(.safetensors, "whole.safetensors", as: precision)
        #expect(try whole.tensor("table.weight").type == precision.type)
        #expect(try whole.tensor("scalar").floats() == [0.5] && whole.tensor("norm.weight").floats() == [1, 1, 1])
        #expect(try whole.tensor("norm.bias").floats() == [0, 0, 0])
        let isKept = try whole.tensor("places").floats() == places
        #expect(isKept)

        let shards = try written(.shards(2), "model.safetensors", as: precision)
        #expect(shards.report.files == 2)
        try expectEqual(shards, whole)

        let flat = try written(.torchArchive(section: nil), "flat.pth", as: precision)
        #expect(flat.report.container == .torchArchive && flat.report.section == nil)
        try expectEqual(flat, whole)

        let wrapped = try written(.torchArchive(section: "state_dict"), "wrapped.ckpt", as: precision)
        #expect(wrapped.report.section == "state_dict")
        try expectEqual(wrapped, whole)
    }

    /// As torch does it, so that numbers can be mapped.
    @Test func numbersBeginAtMultiplesOf64Bytes() throws {
        let tensor = try written(.torchArchive(section: nil), "flat.pth").tensor("table.weight")
        let first = try #require(tensor.contiguousBytes?.baseAddress)
        #expect(Int(bitPattern: first) % 64 == 0)
    }

    private func archive(_ name: String, _ write: (inout ZipWriter) throws -> Void) throws -> String {
        let path = try folder.write([], name)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var archive = ZipWriter(file)
        try write(&archive)
        try archive.finish()
        return path
    }

    /// The check value of CRC-32 stands before the bytes and in the directory.
    @Test func entriesHaveTheirChecksum() throws {
        let path = try archive("a.zip") {
            try $0.append("a", size: 9) { write in
                try write(Data("1234".utf8))
                try write(Data("56789".utf8))
            }
        }
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let checksum = HandmadeSafetensors.littleEndian(UInt32(0xCBF4_3926))
        #expect(Array(bytes[14..<18]) == checksum)
        let listed = try #require(bytes.indices.last { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
        #expect(Array(bytes[listed + 16..<listed + 20]) == checksum)
    }

    /// Above 4 GiB sizes and places are 64-bit numbers; here most of the file is a hole that takes no disk.
    @Test func archivesMayBeLargerThan4GiB() throws {
        let hole = 5 << 30
        var pickle = PickleWriter()
        pickle.orderedDictionary([
            ("hole", { $0.tensor([hole], [1], 0) { $0.storage("ByteStorage", "0", hole) } }),
            ("w", { $0.tensor([2], [1], 0) { $0.storage("FloatStorage", "1", 2) } }),
        ])
        let path = try archive("large.pth") {
            try $0.append("large/data.pkl", pickle.ended)
            try $0.append("large/data/0", size: hole) { _ in }
            try $0.append("large/data/1", HandmadeTorchArchive.floats([1, 2]))
        }
        let checkpoint = try Checkpoint.open(path)
        #expect(try checkpoint.tensor("w").floats() == [1, 2])
        #expect(try checkpoint.tensor("hole").contiguousBytes?.count == hole)
    }
}
