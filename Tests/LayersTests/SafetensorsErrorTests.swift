import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Testing

/// A file that is not what it says is refused when it is opened, by name and place, whatever is wrong with it.
@Suite(.computing) struct SafetensorsErrorTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func refusal(_ bytes: [UInt8]) throws -> String {
        let path = try folder.write(bytes)
        let error = try #require(throws: CheckpointError.self) { try Safetensors(path: path) }
        #expect(error.path == path && error.description == "\(path): \(error.problem)")
        return error.problem
    }

    private func refusal(
        _ header: String, _ data: [UInt8] = [UInt8](repeating: 0, count: 16), length: UInt64? = nil
    ) throws -> String {
        try refusal(HandmadeSafetensors(header, data, length: length).bytes)
    }

    private func entry(_ type: String = "F32", shape: String = "[2]", offsets: String = "[0,8]") -> String {
        #"{"w":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    @Test func theHeadersLengthIsHeldAgainstTheFile() throws {
        #expect(try refusal([]) == "it is empty (0 bytes); fetch it again")
        #expect(try refusal([2, 0, 0, 0, 0, 0, 0]).contains("7 bytes are too few"))
        #expect(
            try refusal("{}", [], length: 3)
                == "its header claims 3 bytes; the file has 2 after the length, and at most 100000000 are allowed: "
                + "it is cut short or no safetensors file")
        #expect(try refusal("{}", length: .max).contains("claims \(UInt64.max) bytes"))
        #expect(try refusal("{}", length: 1 << 63).contains("claims 9223372036854775808 bytes"))
    }

    @Test func aHugeHeaderIsRefusedUnread() throws {
        let path = try folder.write(HandmadeSafetensors("{", length: 100_000_001).bytes)
        #expect(truncate(path, 1 << 40) == 0)
        let error = try #require(throws: CheckpointError.self) { try Safetensors(path: path) }
        #expect(
            error.problem.contains("claims 100000001 bytes") && error.problem.contains("at most 100000000 are allowed"))
    }

    @Test(arguments: ["", " ", "null", "[]", "7", "{", #"{"w":}"#, #"{"w":1}{}"#, "\u{0}{}", #"{"\ud800":1}"#])
    func whatIsNoObjectIsRefused(header: String) throws {
        #expect(try refusal(header) == "its header is not a JSON object")
    }

    @Test func aHeaderThatIsNoTextIsRefused() throws {
        #expect(
            try refusal(HandmadeSafetensors.littleEndian(UInt64(4)) + [0x7B, 0xFF, 0xFE, 0x7D])
                == "its header is not a JSON object")
        // The same object in UTF-16.
        #expect(
            try refusal(HandmadeSafetensors.littleEndian(UInt64(4)) + [0x7B, 0, 0x7D, 0])
                == "its header is not a JSON object")
        #expect(try refusal(String(repeating: "[", count: 100_000)).contains("not a JSON object"))
    }

    @Test(arguments: [
        #"{"w":{}}"#, #"{"w":[]}"#, #"{"w":{"shape":[2],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[2]}}"#, #"{"w":{"dtype":4,"shape":[2],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[1e30],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
        #"{"w":{"dtype":"F32","shape":[2],"data_offsets":null}}"#,
    ])
    func whatAnEntryNeedsIsSaid(header: String) throws {
        #expect(try refusal(header) == "w: dtype, shape and two data_offsets are needed")
    }

    @Test func aTypeOfAnotherNameIsRefusedWhereItIsAskedFor() throws {
        let header =
            #"""
            {"used":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\#
            "w":{"dtype":"F4","shape":[2],"data_offsets":[4,5]}}
            """#
        let file = try Safetensors(path: folder.write(HandmadeSafetensors(header, [0, 0, 128, 63, 7]).bytes))
        #expect(try file.names == ["used", "w"] && file.tensor("used").values == [1])
        let error = try #require(throws: CheckpointError.self) { try file.tensor("w") }
        #expect(error.problem.hasPrefix("w is F4, which is not read; it must be one of F64, F32, F16, BF16, F8_E4M3"))
        #expect(throws: CheckpointError.self) { try file.integers("w") }
    }

    @Test func noBytesBelongToNoTensor() throws {
        func one(_ offsets: String) -> String { #"{"w":{"dtype":"U8","shape":[8],"data_offsets":\#(offsets)}}"# }
        #expect(try refusal(one("[0,8]")).hasPrefix("the last 8 of its 77 bytes belong to no tensor"))
        #expect(try refusal(one("[8,16]")).hasPrefix("the 8 bytes before w belong to no tensor"))
        #expect(try refusal("{}", [1]).hasPrefix("the last 1 of its 11 bytes belong to no tensor"))
    }

    @Test func offsetsLieWithinTheData() throws {
        #expect(
            try refusal(entry(offsets: "[16,24]"))
                == "w: data_offsets [16, 24] lie outside the 16 bytes of data: the file is cut short or damaged")
        #expect(try refusal(entry(offsets: "[12,20]")).contains("outside the 16 bytes"))
        #expect(try refusal(entry(offsets: "[-8,0]")).contains("outside"))
        #expect(try refusal(entry(offsets: "[8,0]")).contains("outside"))
        #expect(try refusal(entry(offsets: "[0,9223372036854775807]")).contains("outside"))
        #expect(try refusal(entry(offsets: "[-9223372036854775808,9223372036854775807]")).contains("outside"))
    }

    @Test func theShapeFillsTheOffsets() throws {
        #expect(try refusal(entry(shape: "[3]")) == "w: shape [3] of F32 needs 12 bytes, data_offsets hold 8")
        #expect(try refusal(entry("F16")).contains("shape [2] of F16 needs 4 bytes, data_offsets hold 8"))
        #expect(try refusal(entry(shape: "[]")).contains("needs 4 bytes"))
        #expect(try refusal(entry(shape: "[-2]")).contains("shape [-2] is impossible"))
        #expect(try refusal(entry(shape: "[-1,-2]")).contains("impossible"))
        // Products that wrap around to 8 bytes, and one that only the order hides.
        #expect(try refusal(entry(shape: "[4611686018427387906]")).contains("impossible"))
        #expect(try refusal(entry(shape: "[4294967296,4294967296,0]", offsets: "[0,0]")).contains("impossible"))
    }

    @Test func tensorsDoNotShareBytes() throws {
        func pair(_ a: String, _ b: String) -> String {
            #"""
            {"a":{"dtype":"U8","shape":[8],"data_offsets":\#(a)},"b":{"dtype":"U8","shape":[8],"data_offsets":\#(b)}}
            """#
        }
        #expect(try refusal(pair("[0,8]", "[7,15]")) == "a and b share bytes")
        #expect(try refusal(pair("[8,16]", "[8,16]")).contains("share bytes"))
        #expect(
            try Safetensors(
                path: folder.write(HandmadeSafetensors(pair("[8,16]", "[0,8]"), [UInt8](repeating: 0, count: 16)).bytes)
            ).names == ["a", "b"])
    }

    @Test func aNameStandsOnce() throws {
        let one = #""dtype":"U8","shape":[1],"data_offsets":"#
        #expect(try refusal(#"{"w":{\#(one)[0,1]},"w":{\#(one)[1,2]}}"#) == "its header gives w twice")
        // Written differently, and the same by Unicode.
        #expect(try refusal(#"{"w":{\#(one)[0,1]},"\u0077":{\#(one)[1,2]}}"#) == "its header gives w twice")
        #expect(try refusal(#"{"\u00e9":{\#(one)[0,1]},"e\u0301":{\#(one)[1,2]}}"#).contains("twice"))
        #expect(try refusal(#"{"w":{\#(one)[0,1],"shape":[1]}}"#) == "its header gives shape twice")
        #expect(try refusal(#"{"__metadata__":{"a":"1","a":"2"}}"#) == "its header gives a twice")
        // Values and other objects may say the same again; quotes and braces in names are no structure.
        let fine =
            #"{"__metadata__":{"w":"w","a\"b{":"w"},"w":{\#(one)[0,1]},"a\"b{":{\#(one)[1,2]},"x\\":{\#(one)[2,3]}}"#
        #expect(
            try Safetensors(path: folder.write(HandmadeSafetensors(fine, [1, 2, 3]).bytes)).names == [
                "a\"b{", "w", "x\\",
            ])
    }

    @Test(arguments: ["[]", "null", #"{"a":1}"#, #"{"a":{"b":"c"}}"#])
    func metadataIsStrings(metadata: String) throws {
        #expect(try refusal(#"{"__metadata__":\#(metadata)}"#) == "__metadata__ must be an object of strings")
    }

    @Test func whatIsNoFileIsNamed() throws {
        func problem(_ path: String) throws -> String {
            try #require(throws: CheckpointError.self) { try Safetensors(path: path) }.problem
        }
        #expect(try problem(folder.path) == "it is not a regular file")
        #expect(try problem("/dev/zero") == "it is not a regular file")
        #expect(try problem(folder.path + "/missing") == "No such file or directory")
        #expect(try refusal(Array("Once upon a time there was a text".utf8)).contains("it is text"))
    }

    /// A model that lacks them would be said to lack files; what is not taken is none's business.
    @Test func tensorsOfATypeThatIsNotReadAreNoneThatAreMissing() throws {
        let names = (0..<10).map { "w\($0)" }
        let entries = names.map { #""\#($0)":{"dtype":"F8_E4M3FNUZ","shape":[0],"data_offsets":[0,0]}"# }
        let fine = #""fine":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#
        let bytes = HandmadeSafetensors("{\((entries + [fine]).joined(separator: ","))}", [7]).bytes
        let checkpoint = try Checkpoint.open(folder.write(bytes, "w.safetensors"))
        let copy = folder.path + "/copy.safetensors"
        let error = try #require(throws: CheckpointError.self) {
            try CheckpointConversion(checkpoint, precision: .stored).write(copy)
        }
        #expect(error.path == checkpoint.path && error.problem.hasPrefix("w0 is F8_E4M3FNUZ, which is not read; "))
        #expect(error.problem.hasSuffix("; nor are w1, w2, w3, w4, w5, w6, w7 and 2 more"), "\(error)")
        try CheckpointConversion(checkpoint, precision: .stored) { $0 == "fine" }.write(copy)
        #expect(try Checkpoint.open(copy).names == ["fine"])
    }
}
