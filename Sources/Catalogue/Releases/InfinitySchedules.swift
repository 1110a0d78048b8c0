import Jobs

/// The scale schedules Infinity was trained with, by the shape of the picture and its number of pixels
/// (infinity/utils/dynamic_resolution.py).
package enum InfinitySchedules {
    /// A token map's height and width.
    package typealias Side = (height: Int, width: Int)

    /// Numbers of pixels, and how many scales each has.
    package static let sizes = ["0.06M": 7, "0.25M": 10, "0.60M": 12, "1M": 13]

    /// Heights and widths of the scales after 1 × 1 and 2 × 2, by height over width.
    private static let taller: [(ratio: Double, sides: [Side])] = [
        (1.0, square([4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64])),
        (
            1.25,
            [
                (3, 3), (5, 4), (10, 8), (15, 12), (20, 16), (25, 20), (30, 24), (35, 28), (45, 36), (55, 44),
                (70, 56),
            ]
        ),
        (
            1.333,
            [
                (4, 3), (8, 6), (12, 9), (16, 12), (20, 15), (24, 18), (28, 21), (36, 27), (48, 36), (60, 45),
                (72, 54),
            ]
        ),
        (
            1.5,
            [
                (3, 2), (6, 4), (9, 6), (15, 10), (21, 14), (27, 18), (33, 22), (39, 26), (48, 32), (63, 42),
                (78, 52),
            ]
        ),
        (
            1.75,
            [
                (3, 3), (7, 4), (11, 6), (14, 8), (21, 12), (28, 16), (35, 20), (42, 24), (56, 32), (70, 40),
                (84, 48),
            ]
        ),
        (
            2.0,
            [
                (4, 2), (6, 3), (10, 5), (16, 8), (22, 11), (30, 15), (38, 19), (46, 23), (60, 30), (74, 37),
                (90, 45),
            ]
        ),
        (
            2.5,
            [
                (5, 2), (10, 4), (15, 6), (20, 8), (25, 10), (30, 12), (40, 16), (50, 20), (65, 26), (80, 32),
                (100, 40),
            ]
        ),
        (
            3.0,
            [
                (6, 2), (9, 3), (15, 5), (21, 7), (27, 9), (36, 12), (45, 15), (54, 18), (72, 24), (90, 30),
                (111, 37),
            ]
        ),
    ]

    private static func square(_ sides: [Int]) -> [Side] { sides.map { ($0, $0) } }

    /// The scales of every ratio, all thirteen of each.
    private static var all: [(ratio: Double, sides: [Side])] {
        taller
            + taller.dropFirst().map {
                (Double(Int(1000 / $0.ratio)) / 1000, $0.sides.map { ($0.width, $0.height) })
            }
    }

    /// Every last scale of as many scales as a number of pixels has, and fewer; `pixels` itself first.
    package static func lasts(upTo pixels: String) -> [Side] {
        let most = sizes[pixels] ?? sizes["0.60M"]!
        return sizes.values.filter { $0 <= most }.sorted(by: >).flatMap { count in all.map { $0.sides[count - 3] } }
    }

    /// The scales that end with `last`, and the largest of their ratio; nil where none do.
    package static func sides(endingWith last: Side) -> (sides: [Side], largest: Side)? {
        for (_, sides) in all {
            for count in sizes.values where sides[count - 3] == last {
                return ([(1, 1), (2, 2)] + sides.prefix(count - 2), sides.last!)
            }
        }
        return nil
    }

    /// The scales of the ratio nearest to `ratio` (height over width), all thirteen.
    package static func largest(ratio: Double) -> [Side] {
        let nearest = all.min { abs($0.ratio - ratio) < abs($1.ratio - ratio) }!
        return [(1, 1), (2, 2)] + nearest.sides
    }

    /// The scales for a number of pixels; nil for one that is not known (0.6M is 0.60M).
    package static func sides(_ pixels: String, ratio: Double) -> [Side]? {
        (sizes[pixels] ?? (pixels == "0.6M" ? sizes["0.60M"] : nil)).map { Array(largest(ratio: ratio).prefix($0)) }
    }
}
