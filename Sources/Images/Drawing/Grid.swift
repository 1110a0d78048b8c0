/// Pictures side by side on white, for looking at: a contact sheet.
package enum Grid {
    /// Rows of `columns` pictures of one size, two pixels apart.
    /// - Precondition: there is at least one picture, and all have one size.
    package static func rows(of columns: Int, _ pictures: [Picture], gap: Int = 2) -> Picture {
        let width = pictures[0].width
        let height = pictures[0].height
        let rows = (pictures.count + columns - 1) / columns
        precondition(pictures.allSatisfy { $0.width == width && $0.height == height })
        var sheet = Picture(
            width: columns * (width + gap) + gap, height: rows * (height + gap) + gap, filledWith: (255, 255, 255))
        for (index, picture) in pictures.enumerated() {
            sheet.paste(
                picture, left: gap + index % columns * (width + gap), top: gap + index / columns * (height + gap))
        }
        return sheet
    }

    /// One section below the other, each filled up with white to whole rows of `columns`; empty sections leave no
    /// trace.
    /// - Precondition: there is at least one picture, and all have one size.
    package static func sections(of columns: Int, _ sections: [[Picture]], gap: Int = 2) -> Picture {
        let first = sections.first { !$0.isEmpty }![0]
        let white = Picture(width: first.width, height: first.height, filledWith: (255, 255, 255))
        return rows(
            of: columns,
            sections.flatMap { $0 + Array(repeating: white, count: (columns - $0.count % columns) % columns) }, gap: gap
        )
    }
}

extension Picture {
    /// Copies a picture that lies wholly inside over this one.
    package mutating func paste(_ picture: Picture, left: Int, top: Int) {
        precondition(left >= 0 && top >= 0 && left + picture.width <= width && top + picture.height <= height)
        for y in 0..<picture.height {
            let target = 3 * ((top + y) * width + left)
            pixels.replaceSubrange(
                target..<target + 3 * picture.width,
                with: picture.pixels[3 * y * picture.width..<3 * (y + 1) * picture.width])
        }
    }
}
