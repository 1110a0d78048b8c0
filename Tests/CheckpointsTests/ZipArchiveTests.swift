import Checkpoints
import ComputeTesting
import FileTesting
import Testing

/// A zip archive is read where it is one that torch could have written.
@Suite(.computing) struct ZipArchiveTests {
    private let folder: TestFolder
    private let archive = HandmadeTorchArchive(
        [("w", { $0.tensor([2], [1], 0) { $0.storage("FloatStorage", "0", 2) } })],
        [("0", HandmadeTorchArchive.floats([1, 2]))])

    init() throws { folder = try TestFolder() }

    private func refusal(_ bytes: [UInt8]) throws -> String {
        let path = try folder.write(bytes)
        return try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }.problem
    }

    private func refusal(_ change: (inout HandmadeZip) -> Void) throws -> String {
        var zip = archive.zip
        change(&zip)
        return try refusal(zip.bytes)
    }

    private func values(_ zip: HandmadeZip) throws -> [Float] {
        try Checkpoint.open(folder.write(zip.bytes)).tensor("w").floats()
    }

    @Test func both32And64BitDirectoriesAreRead() throws {
        var zip = archive.zip
        #expect(try values(zip) == [1, 2])
        zip.isWide = true
        #expect(try values(zip) == [1, 2])
        zip.comment = "PK\u{5}\u{6} is no end"
        #expect(try values(zip) == [1, 2])
    }

    @Test func compressedAndEncryptedEntriesAreRefused() throws {
        #expect(try refusal { $0.entries[2].method = 8 }.contains("a/data/0 is compressed, and torch.save"))
        #expect(try refusal { $0.entries[2].innerMethod = 8 }.contains("its two headers differ"))
        #expect(try refusal { $0.entries[0].flags = 1 }.contains("a/data.pkl is encrypted"))
    }

    @Test func entriesLieApart() throws {
        // Two names for one entry's bytes, and an entry that reaches into the next.
        #expect(
            try refusal {
                var other = $0.entries[2]
                other.header = 0
                other.innerName = nil
                other.name = "a/data.pkl2"
                $0.entries.append(other)
            }.contains("another name in its own header"))
        #expect(try refusal { $0.entries[0].size = $0.entries[0].data.count + 8 }.contains("overlap"))
        #expect(try refusal { $0.entries.append($0.entries[2]) }.contains("a/data/0 is there twice"))
    }

    @Test func everyPlaceLiesInTheFile() throws {
        #expect(try refusal { $0.entries[2].size = 1 << 30 }.contains("a/data/0 lies outside the file"))
        #expect(try refusal { $0.entries[2].header = 1 << 30 }.contains("a/data/0 lies outside the file"))
        #expect(
            try refusal {
                $0.isWide = true
                $0.entries[2].size = Int.max
            }.contains("a/data/0 lies outside the file"))
        #expect(
            try refusal {
                $0.isWide = true
                $0.entries[2].header = Int.min
            }.contains("64-bit"))
        #expect(try refusal { $0.count = 60_000 }.contains("does not fit the file"))
        #expect(try refusal { $0.count = 5 }.contains("zip directory"))
        let bytes = archive.bytes
        for cut in 1..<bytes.count {
            #expect(throws: CheckpointError.self, "\(cut)") {
                try Checkpoint.open(folder.write(Array(bytes.dropLast(cut))))
            }
        }
        #expect(try refusal(Array(bytes.dropLast(1))).contains("it is cut short"))
    }

    @Test func whatIsNoStateDictIsToldForWhatItIs() throws {
        #expect(try refusal(HandmadeZip([.init("a/x", [1])]).bytes).contains("a zip archive without data.pkl"))
        #expect(try refusal(HandmadeZip([.init("w.npy", [1])]).bytes).contains("NumPy archive"))
        #expect(try refusal(HandmadeZip([.init("model.weights.h5", [1])]).bytes).contains("Keras archive"))
        #expect(try refusal(HandmadeZip([]).bytes).contains("a zip archive with nothing in it"))
        #expect(
            try refusal {
                $0.entries += [.init("a/constants.pkl", [1]), .init("a/code/__torch__.py", [1])]
                // torch compresses the code of its programs.
                $0.entries[$0.entries.count - 1].method = 8
            }.contains("TorchScript archive"))
        #expect(try refusal { $0.entries.append(.init("b/data.pkl", [1])) }.contains("it has 2 data.pkl"))
        #expect(try refusal { $0.entries[1].data = Array("big".utf8) }.contains("big-endian"))
    }
}
