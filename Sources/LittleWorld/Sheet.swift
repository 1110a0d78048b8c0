import Images

extension LittleWorld {
    /// Every class (rows) in every style (columns), for looking at.
    package static func sheet() -> Picture {
        let styles = Style.allCases
        let pictures = SubjectClass.allCases.flatMap { kind in
            styles.map { style in
                Scene(
                    subject: .training(kind, index: style.rawValue),
                    context: Context(rawValue: (kind.rawValue + style.rawValue) % Context.allCases.count)!,
                    accessory: Accessory(
                        rawValue: (kind.rawValue * 3 + style.rawValue) % (2 * Accessory.allCases.count)) ?? .none,
                    style: style,
                    pose: scene(index: UInt64(kind.rawValue * 100 + style.rawValue), seed: 3, split: .training).pose,
                    phrasing: 0
                ).paint(size: 64)
            }
        }
        return Grid.rows(of: styles.count, pictures)
    }

    /// Scenes of an album, row by row.
    /// - Parameter inManners: whether each is painted in a manner of its own.
    package static func sheet(rows: Int, columns: Int, seed: UInt64, inManners: Bool = false) -> Picture {
        let pictures = (0..<UInt64(rows * columns)).map { index in
            let scene = scene(index: index, seed: seed, split: .training)
            return (inManners ? scene.painted(in: Manner(index: index, seed: seed)) : scene).paint(size: 64)
        }
        return Grid.rows(of: columns, pictures)
    }
}
