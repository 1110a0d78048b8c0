import Foundation
import Randomness

/// A way of painting that has no name: paper, ink, a pattern that shades the place, outlines, blocks.
///
/// Captions only say "a painting of …". Models of people's pictures have seen how much styles can differ before they
/// meet one that is new to them; a model of the eleven styles with names has not, and cannot be led to a twelfth by
/// a few vectors. Nothing here is a held-out style: lines that thicken where it is dark never lie level as a woodcut's
/// do, and stones are in straight courses, not uneven as a mosaic's are.
package struct Manner: Hashable, Sendable {
    /// What captions call all of them.
    static let name = "painting"

    private enum Pattern: CaseIterable {
        case none, lines, hatching, dots, checks, bricks
    }

    private let pattern: Pattern
    /// The pattern's first axis, of length 1, in the picture's.
    private let axis: Point
    /// Of the pattern, in sixty-fourths of the picture, as `wave` is.
    private let period: Float
    /// How far the pattern is bent.
    private let wave: Float
    /// How much of the place is inked.
    private let inked: Float
    /// Whether dark parts get more of it.
    private let followsTone: Bool
    /// How much less of it figures get.
    private let figureShare: Float
    private let ink: Colour
    /// How much ink covers.
    private let strength: Float
    private let paper: Colour
    /// How much of the place's colours is paper.
    private let faded: Float
    private let saturation: Float
    /// From where on a line is inked; above one none is.
    private let outlinesFrom: Float
    /// Sixty-fourths on a side of blocks of one colour; nil has none.
    private let block: Int?
    private let seed: UInt32

    /// The `index`-th of a seed.
    package init(index: UInt64, seed: UInt64) {
        var generator = Philox(seed: seed, purpose: 6, index: index)
        func between(_ low: Float, _ high: Float) -> Float { low + (high - low) * generator.uniform() }
        func happens(_ share: Float) -> Bool { generator.uniform() < share }
        let pattern = Pattern.allCases[generator.below(Pattern.allCases.count)]
        let degrees: Float
        switch pattern {
        case .none, .lines: degrees = between(-90, 90)
        case .hatching: degrees = between(20, 70)
        case .dots: degrees = between(0, 90)
        case .checks, .bricks: degrees = between(-12, 12)
        }
        self.pattern = pattern
        let angle = degrees * .pi / 180
        axis = Point(cos(angle), sin(angle))
        period = between(3, 9)
        wave = happens(0.5) ? between(0.5, 3) : 0
        inked = between(0.2, 0.6)
        followsTone = happens(0.6) && !(pattern == .lines && abs(degrees) > 70)
        figureShare = happens(0.6) ? between(0, 0.3) : between(0.3, 1)
        let tint = Colour(between(0, 1), between(0, 1), between(0, 1))
        ink = happens(0.7) ? tint * 0.18 : happens(0.5) ? Colour.mix(tint, Colour(1, 1, 1), 0.85) : tint * 0.7
        strength = between(0.45, 1)
        let shade = Colour(between(0, 1), between(0, 1), between(0, 1))
        paper = Colour.mix(Colour(1, 1, 1), shade, between(0, 0.35))
        faded = between(0, 0.7)
        saturation = between(0.5, 1.6)
        outlinesFrom = happens(0.6) ? 0.5 : 2
        block = happens(0.25) ? 3 + generator.below(3) : nil
        self.seed = UInt32(truncatingIfNeeded: generator.below(1 << 30))
    }

    /// Works on finished colours, as named styles do.
    func apply(_ canvas: Canvas) {
        if let block { canvas.paintBlocks(of: Float(block)) }
        canvas.repaint { place, colour, edge, figure in
            let printed = Colour.mix(colour.saturated(saturation), paper, faded * (1 - 0.8 * figure))
            let share = inked * (followsTone ? 1.5 * (1 - colour.luminance) : 1)
            let isInked = edge > outlinesFrom || darkness(place) > 1 - share * (1 - (1 - figureShare) * figure)
            return isInked ? Colour.mix(printed, ink, strength) : printed
        }
    }

    /// What the pattern is at a place, 0…1: the darkest of it is inked first.
    private func darkness(_ place: Point) -> Float {
        let bent = place + wave * Point(smoothNoise(place / 11, seed), smoothNoise(place / 11, seed &+ 1))
        let u = (bent.x * axis.x + bent.y * axis.y) / period
        let v = (bent.y * axis.x - bent.x * axis.y) / period
        func part(_ x: Float) -> Float { x - x.rounded(.down) }
        switch pattern {
        case .none: return 0
        case .lines: return part(u)
        case .hatching: return max(part(u), part(v))
        case .dots: return 1 - 1.4 * length(Point(part(u) - 0.5, part(v) - 0.5))
        case .checks: return (part(u) < 0.5) == (part(v) < 0.5) ? 0.8 : 0
        case .bricks:
            let row = v.rounded(.down)
            let along = part(u / 2 + (row.truncatingRemainder(dividingBy: 2) == 0 ? 0 : 0.5))
            return max(part(v) > 0.82 ? 1 : 0, along > 0.91 ? 1 : 0)
        }
    }
}
