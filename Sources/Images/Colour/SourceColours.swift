import Foundation

/// What a file says its numbers mean.
enum SourceColours: Equatable {
    /// Also what says nothing: nearly every file that does is sRGB.
    case sRGB
    /// An ICC profile (ICC.1:2010).
    case profile([UInt8])
    /// PNG's cHRM and gAMA: where red, green, blue and white lie, x and y of each; the power of the file's numbers.
    case measured(Primaries, gamma: Double)
    /// The code points of PNG's cICP (ITU-T H.273).
    case coded(CodedColours)
    /// Adobe RGB (1998), as EXIF names it.
    case adobeRGB
}

/// Code points of H.273.
struct CodedColours: Equatable {
    let primaries, transfer, matrix: UInt8
    /// Whether black and white are the least and the largest number.
    let isFullRange: Bool

    /// Whether it is known which colours and which light the numbers are.
    var areKnown: Bool { Primaries.coded(primaries) != nil && TransferFunction(coded: transfer) != nil }

    /// What PNG does not allow, in words: RGB has no matrix, and a range within the numbers is for video.
    var remarks: [String] {
        [
            matrix == 0 ? nil : "its colours are read as RGB, though its cICP names the matrix \(matrix)",
            isFullRange ? nil : "its black and white are taken as they stand, though its cICP says narrow range",
        ].compactMap { $0 }
    }
}

/// Chromaticities: x and y of white, red, green and blue.
struct Primaries: Equatable {
    typealias Point = (x: Double, y: Double)
    let white, red, green, blue: Point

    static func == (a: Primaries, b: Primaries) -> Bool {
        a.white == b.white && a.red == b.red && a.green == b.green && a.blue == b.blue
    }

    /// But for rounding.
    var isSRGB: Bool {
        let (own, standard) = (
            [white, red, green, blue], [Self.sRGB.white, Self.sRGB.red, Self.sRGB.green, Self.sRGB.blue]
        )
        return zip(own, standard).allSatisfy { abs($0.x - $1.x) < 0.002 && abs($0.y - $1.y) < 0.002 }
    }

    static let d65: Point = (0.3127, 0.3290)
    static let adobeRGB = Primaries(white: d65, red: (0.64, 0.33), green: (0.21, 0.71), blue: (0.15, 0.06))
    static let sRGB = Primaries(white: d65, red: (0.64, 0.33), green: (0.30, 0.60), blue: (0.15, 0.06))

    /// By their code point in H.273, table 2; nil for what no picture has.
    static func coded(_ point: UInt8) -> (Primaries, name: String)? {
        switch point {
        case 1: (sRGB, "BT.709")
        case 9: (Primaries(white: d65, red: (0.708, 0.292), green: (0.170, 0.797), blue: (0.131, 0.046)), "BT.2020")
        case 12: (Primaries(white: d65, red: (0.680, 0.320), green: (0.265, 0.690), blue: (0.150, 0.060)), "Display P3")
        default: nil
        }
    }
}

/// From a file's numbers to light, by code points of H.273, table 3: 1 is the white of a page.
enum TransferFunction {
    case sRGB, linear, bt709, pq, hlg
    case power(Double)

    init?(coded point: UInt8) {
        switch point {
        case 1, 6, 14, 15: self = .bt709
        case 4: self = .power(2.2)
        case 5: self = .power(2.8)
        case 8: self = .linear
        case 13: self = .sRGB
        case 16: self = .pq
        case 18: self = .hlg
        default: return nil
        }
    }

    /// Whether it names light that is brighter than a page's white.
    var isHighDynamicRange: Bool {
        switch self {
        case .pq, .hlg: true
        default: false
        }
    }

    var name: String {
        switch self {
        case .sRGB: "sRGB"
        case .linear: "linear light"
        case .bt709: "BT.709"
        case .pq: "PQ"
        case .hlg: "HLG"
        case .power(let exponent): "gamma \(exponent)"
        }
    }

    /// The light of a number from 0 to 1. White of high dynamic range is at 203 cd/m² (ITU-R BT.2408, table 1).
    func light(_ value: Double) -> Double {
        switch self {
        case .sRGB: return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        case .linear: return value
        case .bt709: return value < 0.081 ? value / 4.5 : pow((value + 0.099) / 1.099, 1 / 0.45)
        case .power(let exponent): return pow(value, exponent)
        case .pq:
            let root = pow(value, 32.0 / 2523)
            return 10_000 / 203 * pow(max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root), 8192.0 / 1305)
        case .hlg:
            let scene =
                value <= 0.5 ? value * value / 3 : (exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
            return pow(scene, 1.2) * 1000 / 203
        }
    }
}
