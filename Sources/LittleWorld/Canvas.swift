import Images

/// A point or vector in pixels or in a pen's units.
package typealias Point = SIMD2<Float>
/// Red, green, blue in 0…1.
package typealias Colour = SIMD3<Float>

/// What a shape looks like where it covers.
struct Paint {
    var colour: Colour
    /// How much lighter the upper left and darker the lower right is; 0 is flat.
    var shade: Float = 0.16
    /// Width of the darker outline in sixty-fourths of the picture; 0 has none.
    var outline: Float = 1
    var outlineColour: Colour?
    /// Colour at a point in the pen's units, for patterns; nil keeps `colour`.
    var pattern: ((Point) -> Colour?)?
    var opacity: Float = 1
}

/// A picture being painted: linear arrays of colour and ink, anti-aliased by signed distances.
///
/// `ink` remembers where outlines are, for the styles that draw lines.
final class Canvas {
    let size: Int
    /// Red, green, blue, ink (below zero on a rim of light, where no line is to be seen); on a layer multiplied by
    /// `cover`.
    var pixels: [SIMD4<Float>]
    /// How much of each pixel what was painted covers: on a layer its shapes, on a finished picture its figures.
    var cover: [Float]

    /// Whether shapes gather in `cover`, to be laid over a picture later.
    let isLayer: Bool

    init(size: Int, isLayer: Bool = false) {
        self.size = size
        self.isLayer = isLayer
        pixels = Array(repeating: SIMD4(0, 0, 0, 0), count: size * size)
        cover = Array(repeating: 0, count: size * size)
    }

    /// Pixels per sixty-fourth of the picture.
    var unit: Float { Float(size) / 64 }

    /// Covers the shape with the paint. `toPen` maps a pixel to the pen's units, for patterns.
    func fill(_ shape: Shape, _ paint: Paint, toPen: (Point) -> Point = { $0 }) {
        let (low, high) = shape.bounds
        let x0 = max(Int(low.x - 1.5), 0)
        let x1 = min(Int(high.x + 2.5), size)
        let y0 = max(Int(low.y - 1.5), 0)
        let y1 = min(Int(high.y + 2.5), size)
        guard x0 < x1, y0 < y1 else { return }
        let extent = Point(max(high.x - low.x, 1), max(high.y - low.y, 1))
        let outline = paint.outline * unit
        let dark = paint.outlineColour ?? paint.colour * 0.34
        let isLayer = self.isLayer
        cover.withUnsafeMutableBufferPointer { cover in
            pixels.withUnsafeMutableBufferPointer { pixels in
                for y in y0..<y1 {
                    for x in x0..<x1 {
                        let p = Point(Float(x) + 0.5, Float(y) + 0.5)
                        let distance = shape.distance(p)
                        let coverage = min(max(0.5 - distance, 0), 1) * paint.opacity
                        guard coverage > 0 else { continue }
                        let t = (p - low) / extent
                        var colour = paint.pattern?(toPen(p)) ?? paint.colour
                        colour *= 1 + paint.shade * (1.1 - 1.3 * t.y - 0.6 * t.x)
                        let line = outline > 0 ? min(max(distance + outline + 0.5, 0), 1) : 0
                        colour += (dark - colour) * line
                        let index = y * size + x
                        let before = pixels[index]
                        let ink = before.w + (line - before.w) * coverage
                        var result = before + (SIMD4(colour, 0) - before) * coverage
                        result.w = ink
                        pixels[index] = result
                        if isLayer { cover[index] += (1 - cover[index]) * coverage }
                    }
                }
            }
        }
    }

    /// Takes away from a layer what lies within a shape.
    func clear(_ shape: Shape) {
        for y in 0..<size {
            for x in 0..<size {
                let kept = min(max(0.5 + shape.distance(Point(Float(x) + 0.5, Float(y) + 0.5)), 0), 1)
                guard kept < 1 else { continue }
                pixels[y * size + x] *= kept
                cover[y * size + x] *= kept
            }
        }
    }

    /// Sets every pixel from its place, in 0…1 on both axes.
    func wash(_ colour: (Point) -> Colour) {
        for y in 0..<size {
            for x in 0..<size {
                pixels[y * size + x] = SIMD4(
                    colour(Point((Float(x) + 0.5) / Float(size), (Float(y) + 0.5) / Float(size))), 0)
            }
        }
    }

    var picture: Picture {
        var bytes = [UInt8](repeating: 0, count: 3 * size * size)
        for (index, pixel) in pixels.enumerated() {
            let clamped = pixel.clamped(lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: 1)) * 255 + 0.5
            bytes[3 * index] = UInt8(clamped.x)
            bytes[3 * index + 1] = UInt8(clamped.y)
            bytes[3 * index + 2] = UInt8(clamped.z)
        }
        return Picture(width: size, height: size, pixels: bytes)
    }
}

extension Colour {
    static func mix(_ a: Colour, _ b: Colour, _ t: Float) -> Colour { a + (b - a) * t }
    /// Perceived lightness (Rec. 601).
    var luminance: Float { 0.299 * x + 0.587 * y + 0.114 * z }
    /// Further from its grey, or nearer to it below 1.
    func saturated(_ amount: Float) -> Colour {
        let grey = Colour(repeating: luminance)
        return (grey + (self - grey) * amount).clamped(lowerBound: .zero, upperBound: .one)
    }
    init(hex: UInt32) { self.init(Float(hex >> 16 & 255) / 255, Float(hex >> 8 & 255) / 255, Float(hex & 255) / 255) }
}

/// Deterministic noise of a lattice point, in 0…1.
func hashNoise(_ x: Int, _ y: Int, _ seed: UInt32) -> Float {
    var h =
        UInt32(truncatingIfNeeded: x) &* 0x8da6_b343 ^ UInt32(truncatingIfNeeded: y) &* 0xd816_3841 ^ seed
        &* 0xcb1a_b31f
    h ^= h >> 13
    h = h &* 0x5bd1_e995
    h ^= h >> 15
    return Float(h & 0xFFFF) / 65535
}

/// Smooth noise between lattice points, in 0…1.
func smoothNoise(_ p: Point, _ seed: UInt32) -> Float {
    let x = Int(p.x.rounded(.down))
    let y = Int(p.y.rounded(.down))
    let f = p - Point(Float(x), Float(y))
    let s = f * f * (3 - 2 * f)
    let top = hashNoise(x, y, seed) + (hashNoise(x + 1, y, seed) - hashNoise(x, y, seed)) * s.x
    let bottom = hashNoise(x, y + 1, seed) + (hashNoise(x + 1, y + 1, seed) - hashNoise(x, y + 1, seed)) * s.x
    return top + (bottom - top) * s.y
}
