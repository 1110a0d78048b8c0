import Images

extension LittleWorld {
    /// Every class (rows) in every style (columns), for looking at.
    package static func sheet(size: Int = 64) -> Picture {
        let styles = Style.allCases
        let pictures = SubjectClass.allCases.flatMap { kind in
            styles.map { style in
                Scene(
                    subject: .training(kind, index: style.rawValue), context: Context(rawValue: (kind.rawValue + style.rawValue) % Context.allCases.count)!,
                    accessory: Accessory(rawValue: (kind.rawValue * 3 + style.rawValue) % (2 * Accessory.allCases.count)) ?? .none, style: style,
                    pose: scene(index: UInt64(kind.rawValue * 100 + style.rawValue), seed: 3, split: .training).pose, phrasing: 0
                ).paint(size: size)
            }
        }
        return mounted(pictures, columns: styles.count)
    }

    /// Scenes of an album, row by row.
    package static func sheet(rows: Int, columns: Int, seed: UInt64, split: Split = .training, size: Int = 64) -> Picture {
        mounted((0..<rows * columns).map { scene(index: UInt64($0), seed: seed, split: split).paint(size: size) }, columns: columns)
    }

    private static func mounted(_ pictures: [Picture], columns: Int) -> Picture {
        let side = pictures[0].width, rows = (pictures.count + columns - 1) / columns
        var sheet = Picture(width: columns * (side + 2) + 2, height: rows * (side + 2) + 2, filledWith: (255, 255, 255))
        for (index, picture) in pictures.enumerated() {
            let left = 2 + index % columns * (side + 2), top = 2 + index / columns * (side + 2)
            for y in 0..<side {
                let target = 3 * ((top + y) * sheet.width + left)
                sheet.pixels.replaceSubrange(target..<target + 3 * side, with: picture.pixels[3 * y * side..<3 * (y + 1) * side])
            }
        }
        return sheet
    }
}
