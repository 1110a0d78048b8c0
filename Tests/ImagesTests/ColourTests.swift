import ComputeTesting
import FileTesting
import Foundation
import Images
import Testing

/// What numbers mean is said by profiles and chunks; here all become sRGB.
@Suite(.computing) struct ColourTests {
    /// A PNG of one colour, with chunks that say what it means.
    private func decoded(
        _ colour: [Int], _ chunks: [(type: String, data: [UInt8])], kind: HandmadePNG.Kind = .rgb, depth: Int = 8
    ) throws -> (colour: [UInt8], warnings: [String]) {
        let png = HandmadePNG(kind: kind, depth: depth, width: 3, height: 2, ancillary: chunks) { _, _, c in colour[c] }
        let decoded = try DecodedPicture(png.bytes)
        return (Array(decoded.picture.pixels.prefix(3)), decoded.outline.warnings)
    }

    private func iccp(_ profile: [UInt8]) -> [(type: String, data: [UInt8])] {
        [("iCCP", Array("of a test\0".utf8) + [0] + HandmadePNG.zlib(profile))]
    }

    private func isNear(_ a: [UInt8], _ b: [UInt8], within tolerance: Int = 1) -> Bool {
        DecodingTests.difference([a], [b]) <= tolerance
    }

    @Test func profilesAreConverted() throws {
        let p3 = try decoded([230, 40, 30], iccp(HandmadeProfile.displayP3))
        #expect(isNear(p3.colour, [251, 0, 0]) && p3.warnings.isEmpty)
        let swapped = try decoded([230, 40, 30], iccp(HandmadeProfile.swapped))
        #expect(isNear(swapped.colour, [40, 230, 30]) && swapped.warnings.isEmpty)
        let wide = try decoded([230 * 257, 40 * 257, 30 * 257], iccp(HandmadeProfile.swapped), depth: 16)
        #expect(isNear(wide.colour, [40, 230, 30]))
    }

    @Test func alphaIsNoColour() throws {
        let opaque = try decoded([230, 40, 30, 255], iccp(HandmadeProfile.swapped), kind: .rgba)
        #expect(isNear(opaque.colour, [40, 230, 30]))
        let clear = try decoded([230, 40, 30, 0], iccp(HandmadeProfile.swapped), kind: .rgba)
        #expect(clear.colour == [255, 255, 255])
        let half = try decoded([65_535, 0, 0, 32_768], iccp(HandmadeProfile.swapped), kind: .rgba, depth: 16)
        #expect(isNear(half.colour, [127, 255, 127], within: 2))
    }

    @Test func whatIsSRGBUnderAnotherNameStaysBitForBit() throws {
        for colour in [[1, 2, 3], [17, 99, 200], [254, 128, 7]] {
            #expect(try decoded(colour, iccp(HandmadeProfile.sameAsSRGB)).colour == colour.map(UInt8.init))
        }
    }

    @Test func greysHaveProfilesOfTheirOwn() throws {
        let grey = try decoded([128], iccp(HandmadeProfile.linearGrey), kind: .grey)
        #expect(isNear(grey.colour, [188, 188, 188], within: 2) && grey.warnings.isEmpty)
        let wide = try decoded([0x8000, 0xFFFF], iccp(HandmadeProfile.linearGrey), kind: .greyAlpha, depth: 16)
        #expect(isNear(wide.colour, [188, 188, 188], within: 2))
        // Programs that save a photograph in grey leave its profile for RGB in place.
        let byRGB = try decoded([128], iccp(HandmadeProfile.displayP3), kind: .grey)
        #expect(isNear(byRGB.colour, [128, 128, 128]) && byRGB.warnings.isEmpty, "\(byRGB.warnings)")
    }

    /// Adobe's programs write inks the other way round; in a file without their segment 255 is all of an ink. This one
    /// has a square's numbers and 255 for black.
    @Test(arguments: [true, false]) func inksHaveProfilesOfTheirOwn(isAdobe: Bool) throws {
        let written = EncodedPictures.cmykJPEG
        let file = isAdobe ? written : Array(written.prefix(2) + written.dropFirst(18))
        let decoded = try DecodedPicture(EncodedPictures.jpeg(file, profile: HandmadeProfile.inks))
        let expected = EncodedPictures.squares.map { numbers -> [UInt8] in
            let inks = (numbers + [255]).map { isAdobe ? 255 - Int($0) : Int($0) }
            let taken = zip(inks, HandmadeProfile.darkening).reduce(0) { $0 + $1.0 * $1.1 }
            return [UInt8](repeating: grey(ofLightness: 100 * (1 - Double(taken) / (255 * 255))), count: 3)
        }
        #expect(DecodingTests.difference(DecodingTests.squares(decoded.picture), expected) <= 2)
        #expect(decoded.outline.warnings.isEmpty, "\(decoded.outline.warnings)")
    }

    /// sRGB's number of a grey of CIELAB's L*.
    private func grey(ofLightness lightness: Double) -> UInt8 {
        let light = lightness > 8 ? pow((lightness + 16) / 116, 3) : lightness / 903.3
        return UInt8((255 * (light > 0.0031308 ? 1.055 * pow(light, 1 / 2.4) - 0.055 : 12.92 * light)).rounded())
    }

    @Test func jpegAndWebPBringProfilesToo() throws {
        let jpeg = try DecodedPicture(EncodedPictures.jpeg(EncodedPictures.jpeg, profile: HandmadeProfile.swapped))
        let webp = try DecodedPicture(EncodedPictures.webp(EncodedPictures.webp, profile: HandmadeProfile.swapped))
        let expected = EncodedPictures.squares.map { [$0[1], $0[0], $0[2]] }
        for decoded in [jpeg, webp] {
            #expect(DecodingTests.difference(DecodingTests.squares(decoded.picture), expected) <= 9)
            #expect(decoded.outline.warnings.isEmpty)
        }
    }

    /// Parts are numbered from 1: a part of another number, or one of several alone, is no profile, and that is said.
    @Test(arguments: [[0, 1], [0, 0], [1, 0], [1, 2], [2, 2], [255, 255]] as [[UInt8]])
    func aProfileWhosePartsAreNotAllThereIsDamaged(numbers: [UInt8]) throws {
        let file = EncodedPictures.jpeg(
            EncodedPictures.jpeg, with: 0xE2,
            Array("ICC_PROFILE\0".utf8) + numbers + HandmadeProfile.swapped)
        let plain = try DecodedPicture(EncodedPictures.jpeg)
        let decoded = try DecodedPicture(file)
        #expect(decoded.picture.pixels == plain.picture.pixels)
        #expect(
            decoded.outline.warnings == ["its colours are taken as they stand: its colour profile is damaged"])
    }

    @Test func whatCannotBeAppliedIsSaid() throws {
        let damaged = try decoded([230, 40, 30], [("iCCP", Array("x\0\0no zlib".utf8))])
        #expect(damaged.colour == [230, 40, 30])
        #expect(damaged.warnings == ["its colours are taken as they stand: its colour profile is damaged"])
        let garbled = try DecodedPicture(EncodedPictures.jpeg(EncodedPictures.jpeg, profile: Array("no profile".utf8)))
        #expect(garbled.outline.warnings == damaged.warnings)
        let grey = try DecodedPicture(EncodedPictures.jpeg(EncodedPictures.jpeg, profile: HandmadeProfile.linearGrey))
        #expect(grey.outline.warnings.first?.contains("is for other colours than it has") == true)
        let other = try decoded([230, 40, 30], iccp(HandmadeProfile.linearGrey))
        #expect(other.warnings.first?.contains("is for other colours than it has") == true, "\(other.warnings)")
    }

    @Test func primariesAndGammaOfAPNG() throws {
        // Adobe RGB (1998): a green outside of sRGB. Its gamma is 563/256, ours 2.2.
        let adobe = [31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000].flatMap(HandmadePNG.number)
        let green = try decoded([0, 255, 0], [("gAMA", HandmadePNG.number(45455)), ("cHRM", adobe)])
        #expect(isNear(green.colour, [0, 255, 0], within: 2))
        let red = try decoded([200, 60, 60], [("gAMA", HandmadePNG.number(45455)), ("cHRM", adobe)])
        #expect(red.colour[0] > 225 && isNear(Array(red.colour[1...]), [56, 57], within: 6), "\(red.colour)")
        let usual = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000].flatMap(HandmadePNG.number)
        let plain = try decoded([200, 60, 61], [("gAMA", HandmadePNG.number(45455)), ("cHRM", usual)])
        #expect(plain.colour == [200, 60, 61] && plain.warnings.isEmpty)
        // Primaries alone: sRGB's gamma is meant.
        let wide = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000].flatMap(HandmadePNG.number)
        let alone = try decoded([230, 40, 30], [("cHRM", wide)])
        #expect(isNear(alone.colour, [251, 0, 0], within: 2) && alone.warnings.isEmpty)
        #expect(try decoded([200, 60, 61], [("cHRM", usual)]).colour == [200, 60, 61])
    }

    /// Cameras set to Adobe RGB say so in EXIF and bring no profile.
    @Test func adobeRGBByEXIFAlone() throws {
        let exif = HandmadeExif.adobeRGB
        let png = try decoded([120, 160, 90], [("eXIf", exif)])
        #expect(isNear(png.colour, [98, 162, 85], within: 2) && png.warnings.isEmpty)
        #expect(try decoded([120, 160, 90], [("sRGB", [0]), ("eXIf", exif)]).colour == [120, 160, 90])
        let grey = try decoded([128, 128, 128], [("eXIf", exif)])
        #expect(isNear(grey.colour, [129, 129, 129]))
        for file in [
            EncodedPictures.jpeg(EncodedPictures.jpeg, exif: exif),
            EncodedPictures.webp(EncodedPictures.webp, exif: exif),
        ] {
            let (plain, said) = (EncodedPictures.squares, DecodingTests.squares(try DecodedPicture(file).picture))
            // Reds and greens are stronger than sRGB's of the same numbers; greys stay.
            #expect(DecodingTests.difference(said, plain) > 8)
        }
    }

    @Test func codePointsThatPNGDoesNotAllowAreTold() throws {
        let narrow = try decoded([230, 40, 30], [("cICP", [1, 13, 0, 0])])
        #expect(narrow.colour == [230, 40, 30] && narrow.warnings.count == 1)
        #expect(narrow.warnings.first?.contains("narrow range") == true)
        let coded = try decoded([230, 40, 30], [("cICP", [1, 13, 9, 1])])
        #expect(coded.warnings.count == 1 && coded.warnings.first?.contains("matrix 9") == true)
    }

    @Test func codePointsOfPNG() throws {
        let p3 = try decoded([230, 40, 30], [("cICP", [12, 13, 0, 1])])
        #expect(isNear(p3.colour, [251, 0, 0], within: 2) && p3.warnings.isEmpty)
        // A page's white, 203 cd/m², is at 0.58 of PQ's numbers: 148.
        let pq = try decoded([148, 148, 148], [("cICP", [9, 16, 0, 1])])
        #expect(isNear(pq.colour, [255, 255, 255], within: 3))
        #expect(pq.warnings == ["colours of high dynamic range (BT.2020, PQ) were cut at white"])
        let odd = try decoded([1, 2, 3], [("cICP", [77, 99, 0, 1])])
        #expect(odd.colour == [1, 2, 3] && odd.warnings.first?.contains("77/99") == true)
        let unspecified: [(type: String, data: [UInt8])] = [("cICP", [2, 2, 0, 1])]
        let profiled = try decoded([230, 40, 30], unspecified + iccp(HandmadeProfile.swapped))
        #expect(isNear(profiled.colour, [40, 230, 30]) && profiled.warnings.isEmpty, "\(profiled)")
    }
}

/// What lies beside the repository as others made it.
@Suite(.computing) struct PictureCaseTests {
    private func file(_ name: String) throws -> [UInt8]? {
        guard let folder = sharedFolder("cases") else { return nil }
        return try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func photographsStandUpright() throws {
        for name in ["photo1.jpg", "photo1.png"] {
            let decoded = try DecodedPicture(try #require(try file("01-exif-orientation/" + name)))
            #expect(decoded.outline.height > decoded.outline.width, "\(decoded.outline.description)")
        }
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func coloursAreConvertedOrSpokenOf() throws {
        func decoded(_ name: String) throws -> DecodedPicture {
            try DecodedPicture(try #require(try file("02-colour-profiles/" + name)))
        }
        #expect(try Array(decoded("icc_p3.png").picture.pixels.prefix(3)) == [251, 0, 0])
        #expect(try Array(decoded("icc_swapped.png").picture.pixels.prefix(3)) == [40, 230, 30])
        #expect(
            DecodingTests.difference([try Array(decoded("cicp_p3.png").picture.pixels.prefix(3))], [[251, 0, 0]]) <= 2)
        #expect(try decoded("cicp_pq2020.png").outline.warnings.first?.contains("BT.2020, PQ") == true)
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func animationsAreSaidToBeSome() throws {
        for name in ["apng2.png", "apng_logo.png"] {
            let outline = try DecodedPicture(try #require(try file("03-apng/" + name))).outline
            #expect(outline.warnings.first?.hasPrefix("an animation of 2 frames") == true, "\(name): \(outline)")
        }
    }

    @Test func anAnimationOfNothingIsNone() throws {
        let none = HandmadePNG(
            kind: .rgb, width: 16, height: 16, ancillary: [("acTL", [UInt8](repeating: 0, count: 8))]
        ) { _, _, _ in 0 }
        #expect(try DecodedPicture(none.bytes).outline.warnings == [])
    }

    @Test func aSingleFrameThatIsThePictureIsNoAnimation() throws {
        func warnings(_ chunks: [(type: String, data: [UInt8])]) throws -> [String] {
            let single: (type: String, data: [UInt8]) = ("acTL", HandmadePNG.number(1) + HandmadePNG.number(0))
            let png = HandmadePNG(kind: .rgb, width: 16, height: 16, ancillary: [single] + chunks) { _, _, _ in 0 }
            return try DecodedPicture(png.bytes).outline.warnings
        }
        #expect(try warnings([("fcTL", [UInt8](repeating: 0, count: 26))]) == [])
        #expect(try warnings([]).first?.hasPrefix("an animation of 1 frame: the picture beside it") == true)
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func wrongFormatsAreNamed() throws {
        let names = [
            "login.png": "a web page", "pointer.png": "a Git LFS pointer", "photo-heic.png": "a HEIC picture",
            "truncated.png": "it is a damaged PNG file",
        ]
        for (name, words) in names {
            let bytes = try #require(try file("04-wrong-formats/" + name))
            let error = try #require(throws: PictureError.self) { try DecodedPicture(bytes) }
            #expect(error.description.hasPrefix(words), "\(name): \(error)")
        }
        for name in ["photo-jpeg.png", "photo-webp.png"] {
            #expect(throws: Never.self) {
                try DecodedPicture(try #require(try file("04-wrong-formats/" + name)), limits: .reference)
            }
        }
    }

    @Test(.enabled(if: sharedFolder("cases") != nil, "../shared/cases is not here"))
    func tinyPicturesAreNoReferences() throws {
        for name in ["1x1", "1x8192", "2x386", "3x3", "8192x1"] {
            let bytes = try #require(try file("08-tiny-pictures/\(name).png"))
            let error = try #require(throws: PictureError.self) { try DecodedPicture(bytes, limits: .reference) }
            #expect(error.description.hasSuffix("at least 16 a side are needed"), "\(name): \(error)")
        }
    }
}
