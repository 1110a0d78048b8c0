import ComputeTesting
import FileTesting
import Images
import Testing

/// A colour type with a depth and an order of rows.
struct Layout: CustomTestStringConvertible, Sendable {
    let kind: HandmadePNG.Kind, depth: Int, isInterlaced: Bool
    var testDescription: String { "\(kind), \(depth) bit\(isInterlaced ? ", interlaced" : "")" }

    static let all = HandmadePNG.Kind.allCases.flatMap { kind in
        kind.depths.flatMap { depth in [false, true].map { Layout(kind: kind, depth: depth, isInterlaced: $0) } }
    }

    /// A picture in which neighbours differ; alpha, where there is one, is full.
    func png(width: Int, height: Int) -> HandmadePNG {
        let largest = 1 << depth - 1
        let alpha = kind == .greyAlpha ? 1 : 3
        return HandmadePNG(
            kind: kind, depth: depth, width: width, height: height, isInterlaced: isInterlaced,
            ancillary: kind == .palette ? [("PLTE", palette)] : []
        ) { x, y, channel in channel == alpha ? largest : (x * 7919 + y * 104_729 + channel * 1299) % (largest + 1) }
    }

    /// Every colour the depth can name.
    var palette: [UInt8] { (0..<3 << depth).map { UInt8(($0 * 37 + 11) % 256) } }

    /// What 8-bit RGB makes of the raw samples of one pixel.
    func colour(_ samples: [Int]) -> [Int] {
        let largest = 1 << depth - 1
        func scaled(_ sample: Int) -> Int { (sample * 255 + largest / 2) / largest }
        switch kind {
        case .grey, .greyAlpha: return [Int](repeating: scaled(samples[0]), count: 3)
        case .rgb, .rgba: return samples.prefix(3).map(scaled)
        case .palette: return palette[3 * samples[0]..<3 * samples[0] + 3].map(Int.init)
        }
    }
}

@Suite(.computing) struct PNGReadingTests {
    @Test(arguments: Layout.all, [(1, 1), (13, 9), (3, 17)])
    func everyKindIsReadToItsColours(layout: Layout, size: (Int, Int)) throws {
        let png = layout.png(width: size.0, height: size.1)
        let picture = try Picture(png: png.bytes)
        #expect(picture.width == size.0 && picture.height == size.1)
        let expected = (0..<size.1).flatMap { y in
            (0..<size.0).flatMap { x in layout.colour((0..<layout.kind.channels).map { png.sample(x, y, $0) }) }
        }
        #expect(picture.pixels.map(Int.init) == expected)
    }

    @Test(arguments: [1, 2, 4, 8])
    func palettesShowTheBackgroundWhereTheyAreTransparent(depth: Int) throws {
        let layout = Layout(kind: .palette, depth: depth, isInterlaced: false)
        var png = layout.png(width: 8, height: 4)
        png.sample = { x, y, _ in (x + y) % 2 }
        png.ancillary.append(("tRNS", [0]))
        let picture = try Picture(png: png.bytes, background: (1, 2, 3))
        #expect(Array(picture.pixels[0..<3]) == [1, 2, 3])
        #expect(Array(picture.pixels[3..<6]) == Array(layout.palette[3..<6]))
    }

    @Test func oneColourCanBeTransparent() throws {
        let grey = HandmadePNG(kind: .grey, depth: 8, width: 2, height: 1, ancillary: [("tRNS", [0, 80])]) { x, _, _ in
            80 + x
        }
        #expect(try Picture(png: grey.bytes, background: (9, 8, 7)).pixels == [9, 8, 7, 81, 81, 81])
        let rgb = HandmadePNG(kind: .rgb, width: 2, height: 1, ancillary: [("tRNS", [0, 10, 0, 20, 0, 30])]) {
            x, _, c in 10 * (c + 1) + x
        }
        #expect(try Picture(png: rgb.bytes, background: (9, 8, 7)).pixels == [9, 8, 7, 11, 21, 31])
    }

    @Test(arguments: [HandmadePNG.Kind.greyAlpha, .rgba], [8, 16])
    func alphaMixesNumbersAsTheReferenceCodesDo(kind: HandmadePNG.Kind, depth: Int) throws {
        let largest = 1 << depth - 1
        // White at no, half and full opacity, over black.
        let png = HandmadePNG(kind: kind, depth: depth, width: 3, height: 1) { x, _, c in
            c == kind.channels - 1 ? [0, largest / 2 + 1, largest][x] : largest
        }
        let picture = try Picture(png: png.bytes, background: (0, 0, 0))
        #expect(picture.pixels[0..<3].allSatisfy { $0 == 0 } && picture.pixels[6..<9].allSatisfy { $0 == 255 })
        #expect(picture.pixels[3..<6].allSatisfy { $0 == 128 })
    }

    @Test func aFileInLinearLightIsBroughtToSRGB() throws {
        let png = HandmadePNG(kind: .grey, width: 3, height: 1, ancillary: [("gAMA", HandmadePNG.number(100_000))]) {
            x, _, _ in [0, 128, 255][x]
        }
        let pixels = try Picture(png: png.bytes).pixels
        #expect(pixels[0] == 0 && abs(Int(pixels[3]) - 186) <= 1 && pixels[6] == 255)
    }

    @Test func pixelsInManyChunksAreOnePicture() throws {
        let png = HandmadePNG(kind: .rgb, width: 300, height: 90) { x, y, c in (x * 3 + y * 5 + c * 50) % 256 }
        let stream = HandmadePNG.zlib(png.scanlines)
        let parts = stride(from: 0, to: stream.count, by: 1000).map {
            ("IDAT", Array(stream[$0..<min($0 + 1000, stream.count)]))
        }
        let whole = try Picture(png: png.bytes)
        let text = [("tEXt", Array("Title\u{0}x".utf8))]
        #expect(whole == (try Picture(png: png.file([("IHDR", png.header)] + text + parts + [("IEND", [])]))))
        #expect(whole.pixels[3 * (10 * 300 + 20)] == UInt8((20 * 3 + 10 * 5) % 256))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        for (width, height) in [(1, 1), (7, 5), (64, 33)] {
            let picture = Picture(
                width: width, height: height, pixels: (0..<3 * width * height).map { UInt8(($0 * $0 * 31 + $0) % 256) })
            let bytes = try picture.png()
            #expect(try Picture(png: bytes) == picture)
            #expect(try picture.png() == bytes)
        }
    }

    /// The stream's second byte says how hard its writer searched for what repeats.
    @Test func picturesAreWrittenTheQuickWay() throws {
        let bytes = try Picture(width: 64, height: 64, filledWith: (9, 99, 199)).png()
        let name = try #require(bytes.firstRange(of: "IDAT".utf8))
        #expect(bytes[name.upperBound + 1] >> 6 == 0)
        #expect(bytes.count < 1000, "what repeats is found nevertheless")
    }
}
