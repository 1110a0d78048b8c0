import ComputeTesting
import FileTesting
import Images
import Randomness
import Testing

/// Damaged files are refused or read, never the end of the program.
@Suite(.computing) struct PNGMutationTests {
    private static let limits = PictureLimits(side: 512, pixels: 1 << 16, bytes: 1 << 16)

    private static let originals = [
        (HandmadePNG.Kind.rgba, 16, true), (.palette, 4, false), (.rgb, 8, false), (.grey, 1, true),
    ].map {
        Layout(kind: $0, depth: $1, isInterlaced: $2).png(width: 19, height: 11)
    }

    @Test(.timeLimit(.minutes(10))) func twoThousandDamagedFilesEndInAPictureOrAnError() throws {
        for png in Self.originals { _ = try Picture(png: png.bytes, limits: Self.limits) }
        var generator = Philox(seed: 2026)
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<2000 {
            do throws(PictureError) {
                let picture = try Picture(png: damaged(&generator), limits: Self.limits)
                #expect(picture.pixels.count == 3 * picture.width * picture.height)
                outcomes.read += 1
            } catch {
                #expect(!error.description.isEmpty)
                outcomes.refused += 1
            }
        }
        #expect(outcomes.read > 200 && outcomes.refused > 500, "\(outcomes): the damage does not reach every depth")
    }

    /// A file with a few bytes changed, cut out or put in: of the file, of the file whose checksums are then made
    /// right, or of what is in the chunks, so that the damage reaches what lies behind the checks.
    private func damaged(_ generator: inout Philox) -> [UInt8] {
        let png = Self.originals[generator.below(Self.originals.count)]
        let layer = generator.below(3)
        if layer == 2 { return rebuilt(png, &generator) }
        var bytes = png.bytes
        for _ in 0...generator.below(4) { damage(&bytes, from: 8, &generator) }
        if layer == 1 { HandmadePNG.correctChecksums(&bytes) }
        return bytes
    }

    private func rebuilt(_ png: HandmadePNG, _ generator: inout Philox) -> [UInt8] {
        var header = png.header
        var palette = png.ancillary.first?.data ?? []
        var transparency: [UInt8] = [0, 1, 2, 3, 4, 5]
        var lines = png.scanlines
        switch generator.below(6) {
        case 0: header[7] ^= 1 << UInt8(generator.below(4))
        case 1: damage(&header, from: 0, &generator)
        case 2: damage(&transparency, from: 0, &generator)
        default: overwrite(&palette, from: 0, &generator)
        }
        for _ in 0...generator.below(4) { overwrite(&lines, from: 0, &generator) }
        let chunks = [("PLTE", palette), ("tRNS", transparency), ("gAMA", Array(transparency.prefix(4)))].filter {
            !$0.1.isEmpty && generator.below(2) == 0
        }
        return png.file([("IHDR", header)] + chunks + [("IDAT", HandmadePNG.zlib(lines)), ("IEND", [])])
    }

    private func damage(_ bytes: inout [UInt8], from start: Int, _ generator: inout Philox) {
        guard bytes.count > start else { return }
        let place = start + generator.below(bytes.count - start)
        let part = place..<min(bytes.count, place + 1 + generator.below(16))
        switch generator.below(4) {
        case 0: bytes.removeSubrange(part)
        case 1: bytes.insert(contentsOf: bytes[part], at: place)
        // The first chunks, where a file says what it is.
        case 2: bytes[start + generator.below(min(32, bytes.count - start))] = UInt8(generator.below(256))
        default: overwrite(&bytes, from: start, &generator)
        }
    }

    private func overwrite(_ bytes: inout [UInt8], from start: Int, _ generator: inout Philox) {
        guard bytes.count > start else { return }
        let place = start + generator.below(bytes.count - start)
        switch generator.below(3) {
        case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
        case 1: bytes[place] = UInt8(generator.below(256))
        default: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][generator.below(5)]
        }
    }
}
