/// Changes how everything is painted: works on the finished colours and on where the outlines are.
struct StylePainter {
    let style: Style
    let seed: UInt32

    func apply(_ canvas: Canvas) {
        switch style {
        case .photo: break
        case .watercolour: watercolour(canvas)
        case .pixelArt: pixelArt(canvas)
        case .lineDrawing: lineDrawing(canvas)
        case .pastel: pastel(canvas)
        case .neon: neon(canvas)
        case .blueprint: blueprint(canvas)
        case .comic: comic(canvas)
        case .crayon: crayon(canvas)
        case .woodcut: woodcut(canvas)
        case .mosaic: mosaic(canvas)
        }
    }

    private func watercolour(_ canvas: Canvas) {
        let paper = Colour(0.99, 0.98, 0.94)
        canvas.repaint { place, colour, edge, figure in
            let blot = smoothNoise(place / 9, seed) * 0.7 + smoothNoise(place / 4, seed &+ 1) * 0.3
            let centre = (place - 32) / 32
            let border = max(abs(centre.x), abs(centre.y)) + 0.3 * (blot - 0.5)
            let thin = figure * 0.34 * blot + (1 - figure) * (0.2 + 0.45 * blot)
            let washed = Colour.mix(colour, paper, thin)
            let wet = Colour.mix(washed, colour * 0.8, edge * 0.3 * figure)
            return Colour.mix(wet, paper, (1 - figure) * min(max((border - 0.78) * 8, 0), 1))
        }
    }

    /// Square cells of few colours, two sixty-fourths wide.
    private func pixelArt(_ canvas: Canvas) {
        canvas.paintBlocks(of: 2) { ($0.saturated(1.15) * 7).rounded(.toNearestOrAwayFromZero) / 7 }
    }

    private func lineDrawing(_ canvas: Canvas) {
        let paper = Colour(0.99, 0.98, 0.95)
        canvas.repaint { _, colour, edge, figure in
            let filled = Colour.mix(paper, colour, 0.1 + 0.7 * figure)
            let line = Colour.mix(Colour(0.55, 0.55, 0.58), Colour(0.08, 0.08, 0.1), figure)
            return Colour.mix(filled, line, min(1, edge * 1.4))
        }
    }

    private func pastel(_ canvas: Canvas) {
        canvas.repaint { place, colour, edge, figure in
            let stroke = smoothNoise(Point((place.x + place.y) / 3.5, (place.x - place.y) / 14), seed)
            let soft = Colour.mix(colour, colour.saturated(0.5) + 0.35, edge * 0.55)
            return Colour.mix(soft, Colour(1, 0.98, 0.96), (1 - figure) * 0.5 + figure * 0.16 + 0.3 * (stroke - 0.5))
        }
    }

    /// The place lies in the dark with faint lines; figures keep their colour between bright tubes that shine around.
    private func neon(_ canvas: Canvas) {
        let edge = canvas.edges
        let halo = shine(canvas)
        for i in canvas.pixels.indices {
            let p = canvas.pixels[i]
            let c = Colour(p.x, p.y, p.z)
            let place = Colour(0.04, 0.03, 0.1) + c.saturated(1.4) * (0.08 + 0.6 * edge[i])
            let tube = Colour.mix(c / max(c.max(), 0.1), Colour(1, 1, 1), 0.3)
            let figure = Colour.mix(c.saturated(1.15) * 0.85, tube, p.w * 0.75)
            canvas.pixels[i] = SIMD4(Colour.mix(place + halo[i] * 0.9, figure, canvas.cover[i]), 0)
        }
    }

    /// The figures' colours, spread over their surroundings.
    private func shine(_ canvas: Canvas) -> [Colour] {
        let reach = Int(3.5 * canvas.unit)
        let channels = (0..<3).map { channel in
            canvas.pixels.indices.map { (0.2 + canvas.pixels[$0][channel]) * canvas.cover[$0] }.blurred(
                reach: reach, size: canvas.size)
        }
        return canvas.pixels.indices.map { Colour(channels[0][$0], channels[1][$0], channels[2][$0]) }
    }

    private func blueprint(_ canvas: Canvas) {
        canvas.repaint { place, colour, edge, figure in
            let grid: Float = (Int(place.x) % 16 == 0 || Int(place.y) % 16 == 0) ? 0.12 * (1 - figure) : 0
            let line = edge * (0.35 + 0.9 * figure)
            return Colour.mix(
                Colour(0.07, 0.22, 0.55), Colour(0.93, 0.97, 1), min(1, line + grid + colour.luminance * 0.12 * figure))
        }
    }

    private func comic(_ canvas: Canvas) {
        canvas.repaint { place, colour, edge, figure in
            let flat = (colour.saturated(1.5) * 4).rounded(.toNearestOrAwayFromZero) / 4
            let u = place.x.truncatingRemainder(dividingBy: 4) - 2
            let v = place.y.truncatingRemainder(dividingBy: 4) - 2
            let dotted = u * u + v * v < 1.8 ? flat * 0.8 : flat
            let filled = Colour.mix(dotted, colour.saturated(1.25), figure)
            return Colour.mix(filled, Colour(0.02, 0.02, 0.03), min(1, edge * (0.75 + 0.25 * figure)))
        }
    }

    private func crayon(_ canvas: Canvas) {
        canvas.repaint { place, colour, edge, figure in
            let stroke = smoothNoise(Point((place.x - place.y) / 2.6, (place.x + place.y) / 16), seed)
            let gap = min(max((stroke - 0.52) * 6, 0), 1)
            let waxy = Colour.mix(
                colour.saturated(1.2), Colour(1, 1, 0.98), 0.08 + gap * (0.55 - 0.2 * figure) + 0.12 * (1 - figure))
            return Colour.mix(waxy, colour.saturated(1.2) * 0.55, edge * 0.6 * figure)
        }
    }

    private func woodcut(_ canvas: Canvas) {
        canvas.repaint { place, colour, edge, figure in
            let line = (place.y + 1.5 * smoothNoise(place / 11, seed)).truncatingRemainder(dividingBy: 5) / 5
            let light = figure > 0.5 ? 0.8 + colour.luminance * 0.2 : 0.3 + colour.luminance * 0.6
            let dark = edge > 0.5 || line > light
            let printed = Colour.mix(Colour(0.95, 0.88, 0.74), colour, 0.4 + 0.5 * figure)
            return dark ? Colour(0.13, 0.09, 0.08) : printed
        }
    }

    private func mosaic(_ canvas: Canvas) {
        let source = canvas.pixels
        let size = canvas.size
        let tile: Float = 4
        let reach = Int(canvas.unit.rounded())
        /// A stone is a figure's or the place's, and shows little of the lines in it.
        func colour(_ place: Point) -> SIMD4<Float> {
            let x = min(max(Int(place.x * canvas.unit), 0), size - 1)
            let y = min(max(Int(place.y * canvas.unit), 0), size - 1)
            let isFigure = canvas.cover[y * size + x] > 0.5
            var sum = SIMD4<Float>.zero
            for v in max(y - reach, 0)...min(y + reach, size - 1) {
                for u in max(x - reach, 0)...min(x + reach, size - 1)
                where (canvas.cover[v * size + u] > 0.5) == isFigure {
                    let pixel = source[v * size + u]
                    sum += SIMD4(pixel.x, pixel.y, pixel.z, 1) * (1.1 - pixel.w)
                }
            }
            return sum / sum.w
        }
        func centre(_ x: Int, _ y: Int) -> Point {
            Point(
                (Float(x) + 0.3 + 0.4 * hashNoise(x, y, seed)) * tile,
                (Float(y) + 0.3 + 0.4 * hashNoise(x, y, seed &+ 9)) * tile)
        }
        canvas.repaint { place, _, _, _ in
            let cx = Int(place.x / tile)
            let cy = Int(place.y / tile)
            var best: Float = 1e9
            var second: Float = 1e9
            var chosen = Point.zero
            for y in cy - 1...cy + 1 {
                for x in cx - 1...cx + 1 {
                    let c = centre(x, y)
                    let d = length(place - c)
                    if d < best { (second, best, chosen) = (best, d, c) } else if d < second { second = d }
                }
            }
            let p = colour(chosen)
            return second - best < 0.55
                ? Colour(p.x, p.y, p.z).saturated(0.9) * 0.55
                : Colour(p.x, p.y, p.z).saturated(1.15) * (1.06 - 0.04 * best)
        }
    }
}
