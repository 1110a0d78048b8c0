/// One subject with what it wears: painted on a layer of its own and laid over the picture with an outline all around,
/// and a rim of light where what is behind is dark.
struct Figure {
    let subject: Subject
    let accessory: Accessory
    let finish: Finish
    let pen: Pen

    /// Widths in sixty-fourths of the picture.
    private static let outline: Float = 1.1, rim: Float = 1.5
    /// Backgrounds below this luminance get the rim of light.
    private static let dark: Float = 0.5

    func paint(on canvas: Canvas, style: Style) {
        let layer = Canvas(size: canvas.size, isLayer: true)
        draw(pen.on(layer))
        let outline = layer.cover.widened(by: Figure.outline * canvas.unit, size: canvas.size)
        let rim = layer.cover.widened(by: (Figure.outline + Figure.rim) * canvas.unit, size: canvas.size)
        if finish == .glowing { Glow.paint(canvas, around: layer.cover) }
        let light = rimColour(style, behind: canvas.luminance(where: rim, without: layer.cover))
        let edge = style == .neon ? tubeColour : outlineColour
        for index in canvas.pixels.indices {
            if let light { canvas.lay(light, rim[index], ink: -1, at: index) }
            canvas.lay(edge, outline[index], ink: style == .neon ? 0 : 1, at: index)
            canvas.pixels[index] = canvas.pixels[index] * (1 - layer.cover[index]) + layer.pixels[index]
            canvas.cover[index] = max(canvas.cover[index], outline[index])
        }
    }

    /// Things behind, the subject, things in front: none changes what the subject shows elsewhere.
    func draw(_ pen: Pen) {
        let drawing = SubjectDrawing(subject: subject, pen: pen)
        let things = AccessoryDrawing(accessory: accessory, pen: pen)
        things.paintBehind()
        let anchors = drawing.paint()
        if finish == .shiny { Sparkle.paint(pen) }
        things.paint(at: anchors)
    }

    private var outlineColour: Colour { Colour.mix(subject.colour.colour * 0.2, Colour(0.1, 0.08, 0.13), 0.5) }

    /// Of the neon tube along the outline.
    private var tubeColour: Colour {
        let main = subject.colour == .black ? Colour(0.8, 0.85, 1) : subject.colour.colour
        return Colour.mix(main, Colour(1, 1, 1), 0.35)
    }

    private func rimColour(_ style: Style, behind luminance: Float) -> Colour? {
        switch style {
        case .neon, .blueprint: nil
        default: luminance < Figure.dark ? Colour(1, 0.97, 0.88) : nil
        }
    }
}

/// What tells a shiny subject: a reflection and two twinkles.
enum Sparkle {
    static func paint(_ pen: Pen) {
        let light = Paint(colour: Colour(1, 1, 1), shade: 0, outline: 0)
        pen.ellipse(-0.34, 0.02, 0.1, 0.22, light, angle: 0.5)
        twinkle(pen, 0.62, -0.72, 0.34)
        twinkle(pen, -0.72, 0.62, 0.24)
    }

    private static func twinkle(_ pen: Pen, _ x: Float, _ y: Float, _ r: Float) {
        let corners = (0..<8).map { i -> (Float, Float) in
            let reach: Float = i % 2 == 0 ? r : r * 0.36
            let steps: [(Float, Float)] = [
                (0, -1), (0.707, -0.707), (1, 0), (0.707, 0.707), (0, 1), (-0.707, 0.707), (-1, 0), (-0.707, -0.707),
            ]
            return (x + reach * steps[i].0, y + reach * steps[i].1)
        }
        pen.polygon(
            corners, Paint(colour: Colour(1, 1, 1), shade: 0, outline: 0.6, outlineColour: Colour(0.35, 0.4, 0.5)))
    }
}

/// Light around a glowing subject.
enum Glow {
    static func paint(_ canvas: Canvas, around cover: [Float]) {
        let reach = Int(5 * canvas.unit)
        let halo = cover.blurred(reach: reach, size: canvas.size).blurred(reach: reach, size: canvas.size)
        let light = Colour(1, 0.95, 0.45)
        for index in canvas.pixels.indices { canvas.lay(light, min(1, halo[index] * 2.6), ink: 0, at: index) }
    }
}

extension Canvas {
    /// Lays a colour over a pixel.
    @inline(__always)
    func lay(_ colour: Colour, _ opacity: Float, ink: Float, at index: Int) {
        guard opacity > 0 else { return }
        pixels[index] += (SIMD4(colour, ink) - pixels[index]) * opacity
    }

    /// Mean luminance of the pixels in an area but outside another.
    func luminance(where area: [Float], without other: [Float]) -> Float {
        var sum: Float = 0
        var weight: Float = 1e-6
        for index in pixels.indices {
            let w = max(area[index] - other[index], 0)
            sum += w * Colour(pixels[index].x, pixels[index].y, pixels[index].z).luminance
            weight += w
        }
        return sum / weight
    }
}

extension [Float] {
    /// The coverage of a shape grown by `reach` pixels on all sides, from its own coverage [size × size].
    func widened(by reach: Float, size: Int) -> [Float] {
        let bound = Int((reach + 0.5).rounded(.up))
        var steps: [(x: Int, y: Int, weight: Float)] = []
        for y in -bound...bound {
            for x in -bound...bound {
                let weight = Swift.min(Swift.max(reach + 0.5 - length(Point(Float(x), Float(y))), 0), 1)
                if weight > 0 { steps.append((x, y, weight)) }
            }
        }
        var result = [Float](repeating: 0, count: count)
        withUnsafeBufferPointer { source in
            result.withUnsafeMutableBufferPointer { result in
                for y in 0..<size {
                    for x in 0..<size where source[y * size + x] > 0 {
                        let cover = source[y * size + x]
                        for step in steps {
                            let u = x + step.x
                            let v = y + step.y
                            guard u >= 0, v >= 0, u < size, v < size else { continue }
                            result[v * size + u] = Swift.max(result[v * size + u], cover * step.weight)
                        }
                    }
                }
            }
        }
        return result
    }

    /// The mean over a square of `2 · reach + 1` pixels around each, columns after rows; zero beyond the border.
    func blurred(reach: Int, size: Int) -> [Float] {
        var rows = [Float](repeating: 0, count: count)
        var result = rows
        let share = 1 / Float(2 * reach + 1)
        for y in 0..<size {
            for x in 0..<size {
                var sum: Float = 0
                for u in Swift.max(x - reach, 0)...Swift.min(x + reach, size - 1) { sum += self[y * size + u] }
                rows[y * size + x] = sum * share
            }
        }
        for y in 0..<size {
            for x in 0..<size {
                var sum: Float = 0
                for v in Swift.max(y - reach, 0)...Swift.min(y + reach, size - 1) { sum += rows[v * size + x] }
                result[y * size + x] = sum * share
            }
        }
        return result
    }
}
