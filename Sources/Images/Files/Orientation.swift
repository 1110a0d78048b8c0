/// How a camera was held: what must be done with stored rows so that the picture stands upright (EXIF 2.32, 4.6.4.A).
enum Orientation: Int {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case upsideDownMirrored = 4
    case transposed = 5
    case turnedLeft = 6
    case transversed = 7
    case turnedRight = 8

    /// Whether rows become columns.
    var swapsSides: Bool { rawValue >= 5 }

    /// Reads it from EXIF's TIFF structure, with or without JPEG's mark before it; nil where that says nothing or
    /// nothing that is known.
    init?(exif data: ArraySlice<UInt8>) {
        let mark = Array("Exif\0\0".utf8)
        guard let tiff = TIFFReader(data.starts(with: mark) ? data.dropFirst(mark.count) : data),
            let value = tiff.integer(tag: 0x0112)
        else { return nil }
        self.init(rawValue: value)
    }
}

/// The first directory of a TIFF structure (TIFF 6.0, section 2): every place is held against the data's end.
private struct TIFFReader {
    private let data: ArraySlice<UInt8>
    private let isBig: Bool

    init?(_ data: ArraySlice<UInt8>) {
        let isBig = data.starts(with: [0x4D, 0x4D, 0x00, 0x2A])
        guard isBig || data.starts(with: [0x49, 0x49, 0x2A, 0x00]) else { return nil }
        (self.data, self.isBig) = (data, isBig)
    }

    /// The bytes of a whole number of each type: BYTE, SHORT, LONG. The standard says SHORT; not all programs do.
    private static let sizes = [1: 1, 3: 2, 4: 4]

    /// The first whole number of a tag.
    func integer(tag: Int) -> Int? {
        guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return nil }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let found = number(at: entry, bytes: 2) else { return nil }
            guard found == tag else { continue }
            return number(at: entry + 2, bytes: 2).flatMap { Self.sizes[$0] }.flatMap {
                number(at: entry + 8, bytes: $0)
            }
        }
        return nil
    }

    private func number(at offset: Int, bytes: Int) -> Int? {
        guard offset + bytes <= data.count else { return nil }
        let part = data[data.startIndex + offset..<data.startIndex + offset + bytes]
        return isBig ? part.reduce(0) { $0 << 8 | Int($1) } : part.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension Picture {
    /// The picture as it stands upright.
    func turned(_ orientation: Orientation) -> Picture {
        if orientation == .upright { return self }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        var result = [UInt8](repeating: 0, count: pixels.count)
        // Where the stored place of the new one's first pixel is, and how far each step to the right and down leads.
        let (origin, right, down) = steps(of: orientation)
        pixels.withUnsafeBufferPointer { old in
            result.withUnsafeMutableBufferPointer { new in
                for y in 0..<newHeight {
                    var source = 3 * (origin + y * down)
                    for target in stride(from: 3 * y * newWidth, to: 3 * (y + 1) * newWidth, by: 3) {
                        (new[target], new[target + 1], new[target + 2]) = (
                            old[source], old[source + 1], old[source + 2]
                        )
                        source += 3 * right
                    }
                }
            }
        }
        return Picture(width: newWidth, height: newHeight, pixels: result)
    }

    private func steps(of orientation: Orientation) -> (origin: Int, right: Int, down: Int) {
        let (lastColumn, lastRow) = (width - 1, (height - 1) * width)
        switch orientation {
        case .upright: return (0, 1, width)
        case .mirrored: return (lastColumn, -1, width)
        case .upsideDown: return (lastRow + lastColumn, -1, -width)
        case .upsideDownMirrored: return (lastRow, 1, -width)
        case .transposed: return (0, width, 1)
        case .turnedLeft: return (lastRow, -width, 1)
        case .transversed: return (lastRow + lastColumn, -width, -1)
        case .turnedRight: return (lastColumn, width, -1)
        }
    }
}
