import ComputeTesting
import FileTesting
import Foundation
import Images
import Testing

@Suite(.computing) struct PNGErrorTests {
    static let valid = HandmadePNG(kind: .rgb, width: 20, height: 10) { x, y, c in (x * 11 + y * 7 + c * 90) % 256 }

    private func reason(_ bytes: [UInt8], limits: PictureLimits = PictureLimits()) throws -> String {
        try #require(throws: PictureError.self) { try Picture(png: bytes, limits: limits) }.description
    }

    /// The most memory this process ever held, in bytes.
    private var peakMemory: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }

    @Test func noPictureNoPixels() throws {
        #expect(try reason([]) == "it is not a PNG file: it is empty")
        #expect(
            try reason(Array("Once upon a time".utf8)).contains(
                "it begins with 4F 6E 63 65 20 75 70 6F, a PNG file with 89 50 4E 47 0D 0A 1A 0A"))
        // As a transfer in text mode leaves it.
        let text = HandmadePNG.signature.filter { $0 != 0x0D } + Self.valid.bytes.dropFirst(8)
        #expect(try reason(text).contains("89 50 4E 47 0A 1A 0A"))
        #expect(try reason(Array("\u{1}".utf8) + Self.valid.bytes).hasPrefix("it is not a PNG file"))
    }

    @Test func everyTruncatedFileIsRefused() throws {
        let bytes = Self.valid.bytes
        for count in 1..<bytes.count {
            let reason = try reason(Array(bytes.prefix(count)))
            #expect(
                reason.hasPrefix("it is a damaged PNG file") && reason.contains("ends at byte \(count)"),
                "\(count) bytes: \(reason)")
        }
        #expect(try reason(Array(bytes.prefix(100))).contains("the chunk IDAT at byte 33 claims"))
        #expect(try Picture(png: bytes + [1, 2, 3]).width == 20, "what follows the end of a picture is not part of it")
    }

    @Test(arguments: [(29, "IHDR"), (-13, "IDAT")])
    func aWrongChecksumIsNamedWithItsChunk(at index: Int, chunk: String) throws {
        var bytes = Self.valid.bytes
        bytes[index < 0 ? bytes.count + index : index] ^= 1
        let reason = try reason(bytes)
        #expect(reason.contains(chunk) && reason.contains("CRC"), "\(reason)")
    }

    @Test func aFlippedPixelIsNoticed() throws {
        var bytes = Self.valid.bytes
        bytes[200] ^= 0x10
        #expect(try reason(bytes).contains("IDAT"))
    }

    @Test func impossibleHeadersAreRefused() throws {
        var png = Self.valid
        png.width = 0
        #expect(try reason(png.bytes).contains("IHDR says it is 0×10 pixels"))
        png = Self.valid
        png.depth = 3
        #expect(
            try reason(
                png.file([("IHDR", png.header), ("IDAT", HandmadePNG.zlib(Self.valid.scanlines)), ("IEND", [])])
            ).contains("IHDR"))
        #expect(
            try reason(png.file([("IDAT", []), ("IHDR", png.header)])).contains("begins with a chunk IDAT of 0 bytes"))
        #expect(
            try reason(png.file([("IHDR", Self.valid.header), ("I+AT", [])])).contains(
                "the chunk at byte 33 is named 49 2B 41 54"))
    }

    @Test func aBombCostsNothing() throws {
        let before = peakMemory
        var bomb = HandmadePNG(kind: .rgb, width: 60_000, height: 60_000) { _, _, _ in 0 }
        func file() -> [UInt8] {
            bomb.file([("IHDR", bomb.header), ("IDAT", HandmadePNG.zlib([0, 0])), ("IEND", [])])
        }
        let limits = PictureLimits()
        #expect(throws: PictureError.tooLarge(width: 60_000, height: 60_000, limit: limits)) {
            try Picture(png: file())
        }
        bomb.width = 0x7FFF_FFFF
        bomb.height = 0x7FFF_FFFF
        #expect(throws: PictureError.self) { try Picture(png: file(), limits: PictureLimits(side: .max, pixels: .max)) }
        // Within the limits, but the data cannot be that many pixels.
        (bomb.width, bomb.height) = (8192, 4096)
        #expect(try reason(file()).contains("13 bytes of IDAT cannot hold 8192×4096 pixels of 24 bits"))
        #expect(peakMemory - before < 64 << 20)
    }

    @Test func limitsAreInclusiveAndSayWhatIsAllowed() throws {
        let bytes = Self.valid.bytes
        let exact = PictureLimits(side: 20, pixels: 200, bytes: bytes.count)
        #expect(try Picture(png: bytes, limits: exact).width == 20)
        #expect(
            try reason(bytes, limits: PictureLimits(side: 19, pixels: 200, bytes: bytes.count))
                == "it is 20×10 pixels; at most 19 a side and 200 in all are allowed")
        #expect(
            try reason(bytes, limits: PictureLimits(side: 20, pixels: 199, bytes: bytes.count)).contains("199 in all"))
        #expect(
            try reason(bytes, limits: PictureLimits(side: 20, pixels: 200, bytes: bytes.count - 1))
                == "it has \(bytes.count) bytes; at most \(bytes.count - 1) are allowed")
    }
}

/// Pictures as files.
@Suite(.computing) struct PNGFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "atelier-images-\(UUID().uuidString)"
    ).path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test func aFileGoesOutAndComesBack() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let picture = try Picture(png: PNGErrorTests.valid.bytes)
        try picture.writePNG(folder + "/a.png")
        #expect(try Picture(pngFile: folder + "/a.png") == picture)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"], "a temporary file stayed")
        #expect(throws: (any Error).self) { try picture.writePNG(folder + "/missing/a.png") }
    }

    @Test func whatIsNoFileIsNamedWithItsPath() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: PictureError.unreadable(path: folder, reason: "it is not a regular file")) {
            try Picture(pngFile: folder)
        }
        #expect(throws: PictureError.unreadable(path: "/dev/zero", reason: "it is not a regular file")) {
            try Picture(pngFile: "/dev/zero")
        }
        let missing = folder + "/missing.png"
        #expect(throws: PictureError.unreadable(path: missing, reason: "No such file or directory")) {
            try Picture(pngFile: missing)
        }
    }

    @Test func aHugeFileIsRefusedUnread() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/huge.png"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(truncate(path, 1 << 40) == 0)
        #expect(throws: PictureError.tooManyBytes(1 << 40, limit: PictureLimits().bytes)) { try Picture(pngFile: path) }
    }
}
