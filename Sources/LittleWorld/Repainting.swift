/// What styles do with a finished canvas.
extension Canvas {
    /// Replaces every pixel by a function of its place (sixty-fourths), colour, edge strength and how much of it is a
    /// figure: styles change the place around figures more than the figures' own colours.
    func repaint(_ body: (Point, Colour, Float, Float) -> Colour) {
        let edges = self.edges
        for y in 0..<size {
            for x in 0..<size {
                let index = y * size + x
                let pixel = pixels[index]
                let place = Point(Float(x) + 0.5, Float(y) + 0.5) / unit
                pixels[index] = SIMD4(
                    body(place, Colour(pixel.x, pixel.y, pixel.z), edges[index], cover[index]), pixel.w)
            }
        }
    }

    /// Outlines and steps of colour, 0…1: what a pen would trace.
    var edges: [Float] {
        var result = [Float](repeating: 0, count: size * size)
        pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<size {
                for x in 0..<size {
                    let a = pixels[y * size + x]
                    let b = pixels[y * size + min(x + 1, size - 1)]
                    let c = pixels[min(y + 1, size - 1) * size + x]
                    let dx = b - a
                    let dy = c - a
                    let step = max(abs(dx.x) + abs(dx.y) + abs(dx.z), abs(dy.x) + abs(dy.y) + abs(dy.z))
                    // Figures have their own outlines; patterns and small parts are not lines.
                    let isFigure = cover[y * size + x] > 0.5
                    result[y * size + x] =
                        a.w < -0.3 ? 0 : min(1, max(a.w, (step - (isFigure ? 0.9 : 0.25)) * 1.6))
                }
            }
        }
        return result
    }

    /// Square cells of one colour, so many sixty-fourths wide; a cell is a figure's or the place's, never a mixture.
    func paintBlocks(of width: Float, colour change: (Colour) -> Colour = { $0 }) {
        let cells = Int((64 / width).rounded(.up))
        func edge(_ cell: Int) -> Int { min(Int(Float(cell) * width * unit), size) }
        for v in 0..<cells {
            for u in 0..<cells {
                let area = (edge(v)..<edge(v + 1)).flatMap { y in (edge(u)..<edge(u + 1)).map { y * size + $0 } }
                let figure = area.filter { cover[$0] > 0.5 }
                let shown = 2 * figure.count >= area.count ? figure : area.filter { cover[$0] <= 0.5 }
                let mean = shown.reduce(SIMD4<Float>()) { sum, index in
                    let pixel = pixels[index]
                    return sum + SIMD4(pixel.x, pixel.y, pixel.z, 1) * (1.05 - pixel.w)
                }
                let colour = change(Colour(mean.x, mean.y, mean.z) / mean.w)
                for index in area { pixels[index] = SIMD4(colour, 0) }
            }
        }
    }
}
