extension Picture {
    /// Writes one line in the bitmap font, its dots two pixels wide, the upper left corner of the first letter at
    /// (left, top); what lies outside the picture is cut off.
    package mutating func write(_ text: String, left: Int, top: Int, colour: (UInt8, UInt8, UInt8) = (40, 40, 40)) {
        var dots: [(Int, Int)] = []
        BitmapFont.draw(text) { dots.append(($0, $1)) }
        for (x, y) in dots {
            for i in 0..<2 { for j in 0..<2 { set(left + 2 * x + i, top + 2 * y + j, colour) } }
        }
    }

    /// Colours one pixel, unless it lies outside.
    mutating func set(_ x: Int, _ y: Int, _ colour: (UInt8, UInt8, UInt8)) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        let index = 3 * (y * width + x)
        (pixels[index], pixels[index + 1], pixels[index + 2]) = colour
    }

    /// The picture, three times as large, above lines of text, each broken into as many as fit, at most six in all.
    package func captioned(_ texts: [(text: String, colour: (UInt8, UInt8, UInt8))]) -> Picture {
        let (factor, lines) = (3, 6)
        let side = width * factor
        let lineHeight = 7 * 2
        var result = Picture(width: side, height: height * factor + lines * lineHeight + 4, filledWith: (255, 255, 255))
        result.paste(resized(width: side, height: height * factor), left: 0, top: 0)
        let broken = texts.flatMap { text in
            Picture.lines(of: text.text, columns: (side - 4) / 8).map { ($0, text.colour) }
        }
        for (index, line) in broken.prefix(lines).enumerated() {
            result.write(line.0, left: 1, top: height * factor + 4 + index * lineHeight, colour: line.1)
        }
        return result
    }

    /// Words in lines of at most `columns` letters, and one at least; a longer word is broken.
    package static func lines(of text: String, columns: Int) -> [String] {
        text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] = last + " " + word
            } else {
                let length = max(1, columns)
                lines += stride(from: 0, to: word.count, by: length).map { String(word.dropFirst($0).prefix(length)) }
            }
        }
    }
}
