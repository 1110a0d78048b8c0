/// The sizes of a picture's token maps, coarse to fine.
package struct ScaleSchedule: Codable, Equatable, Sendable {
    /// The size of one scale's token map.
    package struct Side: Codable, Equatable, Sendable {
        /// Rows and columns of tokens.
        package let height, width: Int
        /// h · w.
        package var tokens: Int { height * width }

        /// In tokens.
        package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
    }

    /// Coarse to fine; published schedules begin with one token.
    package let sides: [Side]

    /// - Precondition: there is at least one scale, and no side is empty.
    package init(_ sides: [Side]) {
        precondition(!sides.isEmpty && sides.allSatisfy { $0.height > 0 && $0.width > 0 })
        self.sides = sides
    }

    /// Maps as high as wide, of these sides.
    package static func square(_ sides: [Int]) -> ScaleSchedule {
        ScaleSchedule(sides.map { Side(height: $0, width: $0) })
    }

    /// Tokens of all scales.
    package var tokens: Int { sides.reduce(0) { $0 + $1.tokens } }
    /// The finest scale, whose size the codes' sum has.
    package var last: Side { sides[sides.count - 1] }

    /// The tokens of each scale among all.
    package var ranges: [Range<Int>] {
        var start = 0
        return sides.map { side in
            defer { start += side.tokens }
            return start..<start + side.tokens
        }
    }
}
