/// Pixels as a file has them, in its own colours, before they are sRGB and upright.
struct Raster {
    /// What a pixel consists of.
    enum Samples { case rgb, rgba, wideRGBA, cmyk, inverseCMYK }

    let width: Int
    let height: Int
    let samples: Samples
    /// Rows from top to bottom; samples of 16 bits in the machine's order.
    var bytes: [UInt8]

    init(width: Int, height: Int, samples: Samples) {
        (self.width, self.height, self.samples) = (width, height, samples)
        bytes = [UInt8](repeating: 0, count: width * height * samples.bytes)
    }

    /// Of colours that are sRGB's already, over a background: numbers are mixed as they stand, as the reference codes
    /// do (`whiten_transparency` of Lumina-mGPT), not the light they stand for.
    consuming func flattened(over background: (UInt8, UInt8, UInt8)) -> Picture {
        precondition(samples == .rgb || samples == .rgba)
        if samples == .rgb { return Picture(width: width, height: height, pixels: bytes) }
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        let under = [Int(background.0), Int(background.1), Int(background.2)]
        for index in 0..<width * height {
            let alpha = Int(bytes[4 * index + 3])
            for c in 0..<3 {
                let mixed = alpha * Int(bytes[4 * index + c]) + (255 - alpha) * under[c]
                pixels[3 * index + c] = UInt8((mixed + 127) / 255)
            }
        }
        return Picture(width: width, height: height, pixels: pixels)
    }
}

extension Raster.Samples {
    /// A pixel's.
    var bytes: Int {
        switch self {
        case .rgb: 3
        case .rgba, .cmyk, .inverseCMYK: 4
        case .wideRGBA: 8
        }
    }
}
