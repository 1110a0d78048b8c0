import FileTesting
import Images

/// A picture, as jobs bring it.
enum PNGPicture: FuzzTarget {
    private static let limits = PictureLimits(side: 512, pixels: 1 << 16, bytes: 1 << 16)

    /// As it came, and with the checksums made right, so that the search goes on behind them.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        var bytes = Array(bytes)
        if isRead(bytes) { return }
        HandmadePNG.correctChecksums(&bytes)
        _ = isRead(bytes)
    }

    private static func isRead(_ bytes: [UInt8]) -> Bool {
        do throws(PictureError) {
            let picture = try Picture(png: bytes, limits: limits)
            precondition(
                picture.pixels.count == 3 * picture.width * picture.height && picture.width <= limits.side
                    && picture.height <= limits.side)
            if picture.pixels.count <= 3 * 1024 {
                guard try Picture(png: picture.png(), limits: limits) == picture else {
                    fatalError("a picture is another one when it is written and read")
                }
            }
            return true
        } catch {
            precondition(!error.description.isEmpty)
            return false
        }
    }

    static var seeds: [String: [UInt8]] {
        let pictures = HandmadePNG.Kind.allCases.flatMap { kind in
            kind.depths.flatMap { depth in [false, true].map { (kind, depth, $0) } }
        }.map { kind, depth, isInterlaced in
            ("\(kind)-\(depth)\(isInterlaced ? "-interlaced" : "")", png(kind, depth, isInterlaced).bytes)
        }
        let compressed = try! Picture(width: 24, height: 24, filledWith: (200, 30, 60)).png()
        return Dictionary(uniqueKeysWithValues: pictures + [("compressed", compressed)])
    }

    private static func png(_ kind: HandmadePNG.Kind, _ depth: Int, _ isInterlaced: Bool) -> HandmadePNG {
        let largest = 1 << depth - 1
        var ancillary: [(type: String, data: [UInt8])] = [
            ("gAMA", HandmadePNG.number(45455)), ("tEXt", Array("Title\u{0}x".utf8)),
        ]
        if kind == .palette { ancillary += [("PLTE", (0..<3 << depth).map { UInt8($0 % 256) }), ("tRNS", [0, 128])] }
        if kind == .rgba { ancillary += [("cICP", [12, 16, 0, 1]), ("eXIf", HandmadeExif.orientation(5))] }
        if kind == .greyAlpha {
            ancillary.append(("iCCP", Array("x\0\0".utf8) + HandmadePNG.zlib(HandmadeProfile.linearGrey)))
        }
        if kind == .grey { ancillary.append(("tRNS", [0, 1])) }
        if kind == .rgb { ancillary += [("tRNS", [0, 1, 0, 2, 0, 3]), ("sRGB", [0])] }
        return HandmadePNG(
            kind: kind, depth: depth, width: 5, height: 4, isInterlaced: isInterlaced, ancillary: ancillary
        ) { x, y, channel in
            (x * 7919 + y * 104_729 + channel * 1299) % (largest + 1)
        }
    }

    static let words = [
        "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "gAMA", "sRGB", "iCCP", "cHRM", "sBIT", "bKGD", "hIST", "pHYs", "sPLT",
        "tIME", "tEXt", "zTXt", "iTXt", "eXIf", "acTL", "fcTL", "fdAT", "cICP",
    ]
}
