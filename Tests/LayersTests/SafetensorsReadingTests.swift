import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Testing

@Suite(.computing) struct SafetensorsReadingTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// The numbers 1, −2, 100 and 0.5 (or 0, where it must be whole) as the file holds them.
    private static let encodings: [(type: String, bytes: [UInt8], values: [Float])] = [
        ("F64", [1, -2, 100, 0.5].flatMap { HandmadeSafetensors.littleEndian($0.bitPattern) }, [1, -2, 100, 0.5]),
        (
            "F32", [1, -2, 100, 0.5].flatMap { HandmadeSafetensors.littleEndian(Float($0).bitPattern) },
            [1, -2, 100, 0.5]
        ),
        ("F16", [0x00, 0x3C, 0x00, 0xC0, 0x40, 0x56, 0x00, 0x38], [1, -2, 100, 0.5]),
        ("BF16", [0x80, 0x3F, 0x00, 0xC0, 0xC8, 0x42, 0x00, 0x3F], [1, -2, 100, 0.5]),
        ("I64", [1, -2, 100, 0].flatMap { HandmadeSafetensors.littleEndian(Int64($0)) }, [1, -2, 100, 0]),
        ("I32", [1, -2, 100, 0].flatMap { HandmadeSafetensors.littleEndian(Int32($0)) }, [1, -2, 100, 0]),
        ("I16", [1, -2, 100, 0].flatMap { HandmadeSafetensors.littleEndian(Int16($0)) }, [1, -2, 100, 0]),
        ("I8", [1, 0xFE, 100, 0], [1, -2, 100, 0]),
        ("U8", [1, 254, 100, 0], [1, 254, 100, 0]),
        ("U16", [1, 0, 254, 1, 100, 0, 0, 0], [1, 510, 100, 0]),
        ("U32", [1, 300, 100, 0].flatMap { HandmadeSafetensors.littleEndian(UInt32($0)) }, [1, 300, 100, 0]),
        ("U64", [1, 300, 100, 0].flatMap { HandmadeSafetensors.littleEndian(UInt64($0)) }, [1, 300, 100, 0]),
        ("F8_E4M3", [0x38, 0xC0, 0x6D, 0x30], [1, -2, 104, 0.5]),
        ("F8_E5M2", [0x3C, 0xC0, 0x56, 0x38], [1, -2, 96, 0.5]),
        ("BOOL", [1, 0, 1, 0], [1, 0, 1, 0]),
    ]

    @Test func everyTypeIsReadAtEveryAlignment() throws {
        for (type, bytes, values) in Self.encodings {
            for padding in 0..<8 {
                let header =
                    #"{"a":{"dtype":"\#(type)","shape":[2,2],"data_offsets":[0,\#(bytes.count)]}}"#
                    + String(repeating: " ", count: padding)
                let file = try Safetensors(path: folder.write(HandmadeSafetensors(header, bytes).bytes))
                let tensor = try file.tensor("a")
                #expect(tensor.shape == [2, 2] && tensor.values == values, "\(type), padding \(padding)")
            }
        }
    }

    @Test func wholeNumbersStayExact() throws {
        let large: [Int64] = [Int64.max, Int64.min, 1 << 53 + 1, -1]
        let header =
            #"""
            {"i":{"dtype":"I64","shape":[4],"data_offsets":[0,32]},"f":{"dtype":"F32","shape":[],"data_offsets":[32,\#
            36]}}
            """#
        let data =
            large.flatMap { HandmadeSafetensors.littleEndian($0) }
            + HandmadeSafetensors.littleEndian(Float(7).bitPattern)
        let file = try Safetensors(path: folder.write(HandmadeSafetensors(header, data).bytes))
        #expect(try file.integers("i") == large.map(Int.init))
        #expect(try file.tensor("f").values == [7] && file.tensor("f").shape == [])
        #expect(throws: CheckpointError.self) { try file.integers("f") }
        for (type, bytes, values) in Self.encodings where type.first != "F" && type != "BF16" {
            let header = #"{"a":{"dtype":"\#(type)","shape":[4],"data_offsets":[0,\#(bytes.count)]}}"#
            #expect(
                try Safetensors(path: folder.write(HandmadeSafetensors(header, bytes).bytes)).integers("a")
                    == values.map { Int($0) }, "\(type)")
        }
    }

    @Test func emptyTensorsAndMetadataAreRead() throws {
        let header =
            #"""
            {"__metadata__":{"format":"pt","é":"\u00e9"},"none":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},\#
            "b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}
            """#
        let file = try Safetensors(path: folder.write(HandmadeSafetensors(header, [3]).bytes))
        #expect(file.metadata == ["format": "pt", "é": "é"])
        #expect(file.names == ["b", "none"])
        #expect(
            try file.tensor("none").shape == [0, 3] && file.tensor("none").values.isEmpty
                && file.tensor("b").values == [3])
        #expect(try Safetensors(path: folder.write(HandmadeSafetensors("{}").bytes)).names.isEmpty)
    }

    @Test func aMissingTensorIsNamedBesideWhatIsThere() throws {
        let header = #"{"weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        let path = try folder.write(HandmadeSafetensors(header, [1]).bytes)
        let error = try #require(throws: CheckpointError.self) { try Safetensors(path: path).tensor("bias") }
        #expect(
            error.path == path && error.problem.contains("no tensor named bias") && error.problem.contains("weight"))
    }
}
