import Checkpoints
import ComputeTesting
import FileTesting
import Testing

/// What is no checkpoint is told for what it is, whatever it is called.
@Suite(.computing) struct FileKindTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private static let pointer = """
        version https://git-lfs.github.com/spec/v1
        oid sha256:aaaa
        size 694824

        """

    @Test(arguments: ["model.safetensors", "model.pth", "model.bin"])
    func commonMistakesAreNamed(name: String) throws {
        let tar = [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [UInt8](repeating: 0, count: 250)
        let kinds: [([UInt8], String)] = [
            (Array(Self.pointer.utf8), "it is a git-lfs pointer, not the file of 694824 bytes: run git lfs pull"),
            (Array("<!DOCTYPE html><title>Sign in</title>".utf8), "it is a web page"),
            (Array("\n  <html>".utf8), "it is a web page"),
            ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "it is compressed with gzip: gunzip it first"),
            (tar, "it is a tar archive"), (Array("GGUF\u{3}\u{0}\u{0}\u{0}".utf8), "it is a GGUF file"),
            ([], "it is empty (0 bytes)"), ([0x89] + Array("HDF\r\n".utf8), "it is an HDF5 file"),
            ([8, 8, 0x12, 7] + Array("pytorch".utf8) + [0x1A, 5], "it is an ONNX file"),
            ([0x82, 0xA5] + Array("model".utf8) + [0x81, 0xA6] + Array("kernel".utf8), "it is a msgpack file (Flax)"),
            ([0x1C, 0, 0, 0] + Array("TFL3".utf8) + [0, 0], "it is a TensorFlow Lite file"),
            (Array("Entry not found".utf8), "it is text, not a checkpoint, and begins: Entry not found"),
            (Array("L119547037146038801333356L\n.".utf8), "it is a torch file of pickle protocol 0 or 1"),
        ]
        for (bytes, meaning) in kinds {
            let path = try folder.write(bytes, name)
            let error = try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }
            #expect(error.path == path && error.problem.hasPrefix(meaning), "\(error)")
        }
    }

    @Test func picklesNamedSafetensorsAreRefused() throws {
        let archive = HandmadeTorchArchive(
            [("w", { $0.tensor([1], [1], 0) { $0.storage("FloatStorage", "0", 1) } })],
            [("0", HandmadeTorchArchive.floats([3]))])
        for (bytes, meaning) in [
            (archive.bytes, "it is a zip archive, as PyTorch writes it, not a safetensors file: name it .pth"),
            (archive.legacy(), "it is a pickle, as PyTorch writes it, not a safetensors file: name it .pth"),
        ] {
            let path = try folder.write(bytes, "adapter.safetensors")
            #expect(throws: CheckpointError(path: path, problem: meaning)) { try Checkpoint.open(path) }
        }
    }

    @Test func whatIsUnknownShowsItsFirstBytes() throws {
        let path = try folder.write([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "model.bin")
        let error = try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }
        #expect(error.problem.hasSuffix("its first bytes are 01 02 03 04 05 06 07 08"))
        let bare = try folder.write(PickleWriter().ended, "model.pkl")
        #expect(throws: CheckpointError.self) { try Checkpoint.open(bare) }
    }

    /// The header's length may look like another format's first bytes.
    @Test func aSafetensorsFileIsKnownWhateverItsLength() throws {
        let entry = #"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        for length in [0x0280, 0x0580, 0x8B1F, 0x3C20] {
            let header = entry + String(repeating: " ", count: length - entry.utf8.count)
            let bytes = HandmadeSafetensors(header, [9]).bytes
            for name in ["model.safetensors", "model.bin"] {
                #expect(try Checkpoint.open(folder.write(bytes, name)).tensor("w").integers() == [9])
            }
        }
    }

    private static let cases = sharedFolder("cases")

    @Test(.enabled(if: cases != nil, "the cases (../shared/cases) are not on this machine"))
    func casesFromRealLifeAreNamed() throws {
        let cases = Self.cases!
        for (file, meaning) in [
            ("lfs", "git-lfs pointer"), ("page", "web page"), ("pickle-zip", "zip archive, as PyTorch writes it"),
            ("pickle-legacy", "pickle, as PyTorch writes it"),
        ] {
            let path = "\(cases)/14-not-safetensors/\(file).safetensors"
            let error = try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }
            #expect(error.problem.contains(meaning))
        }
        for file in ["fp8", "u16"] {
            let path = "\(cases)/17-unused-dtypes/\(file).safetensors"
            #expect(try Checkpoint.open(path).tensor("used").floats().count == 2)
        }
        for file in ["hole", "appended"] {
            let path = "\(cases)/17-unused-dtypes/\(file).safetensors"
            let error = try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }
            #expect(error.problem.contains("belong to no tensor"))
        }
    }
}
