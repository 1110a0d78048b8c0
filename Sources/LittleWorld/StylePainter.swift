import Glibc

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

    /// Replaces every pixel by a function of its place (sixty-fourths), colour and edge strength.
    private func map(_ canvas: Canvas, _ body: (Point, Colour, Float) -> Colour) {
        let edges = edges(canvas)
        let size = canvas.size
        for y in 0..<size {
            for x in 0..<size {
                let index = y * size + x
                let pixel = canvas.pixels[index]
                let place = Point(Float(x) + 0.5, Float(y) + 0.5) / canvas.unit
                canvas.pixels[index] = SIMD4(body(place, Colour(pixel.x, pixel.y, pixel.z), edges[index]), pixel.w)
            }
        }
    }

    /// Outlines and steps of colour, 0…1: what a pen would trace.
    private func edges(_ canvas: Canvas) -> [Float] {
        let size = canvas.size
        var result = [Float](repeating: 0, count: size * size)
        canvas.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<size {
                for x in 0..<size {
                    let a = pixels[y * size + x]
                    let b = pixels[y * size + min(x + 1, size - 1)]
                    let c = pixels[min(y + 1, size - 1) * size + x]
                    let dx = b - a
                    let dy = c - a
                    let step = max(abs(dx.x) + abs(dx.y) + abs(dx.z), abs(dy.x) + abs(dy.y) + abs(dy.z))
                    result[y * size + x] = min(1, max(a.w, (step - 0.25) * 1.6))
                }
            }
        }
        return result
    }

    private func saturated(_ c: Colour, _ amount: Float) -> Colour {
        let grey = Colour(repeating: c.luminance)
        return (grey + (c - grey) * amount).clamped(lowerBound: .zero, upperBound: .one)
    }

    private func watercolour(_ canvas: Canvas) {
        map(canvas) { place, colour, edge in
            let blot = smoothNoise(place / 9, seed) * 0.7 + smoothNoise(place / 4, seed &+ 1) * 0.3
            let washed = Colour.mix(colour, Colour(0.98, 0.97, 0.93), 0.22 + 0.42 * blot)
            return Colour.mix(washed, colour * 0.75, edge * 0.35)
        }
    }

    /// 22 × 22 cells of few colours.
    private func pixelArt(_ canvas: Canvas) {
        let size = canvas.size
        let cells = 22
        func edge(_ cell: Int) -> Int { cell * size / cells }
        for v in 0..<cells {
            for u in 0..<cells {
                var sum = SIMD4<Float>()
                var count: Float = 0
                for y in edge(v)..<edge(v + 1) {
                    for x in edge(u)..<edge(u + 1) {
                        sum += canvas.pixels[y * size + x]
                        count += 1
                    }
                }
                let mean = sum / max(count, 1)
                let steps = (saturated(Colour(mean.x, mean.y, mean.z), 1.25) * 6).rounded(.toNearestOrAwayFromZero) / 6
                for y in edge(v)..<edge(v + 1) {
                    for x in edge(u)..<edge(u + 1) { canvas.pixels[y * size + x] = SIMD4(steps, 0) }
                }
            }
        }
    }

    private func lineDrawing(_ canvas: Canvas) {
        map(canvas) { _, colour, edge in
            Colour.mix(Colour.mix(Colour(0.99, 0.98, 0.95), colour, 0.3), Colour(0.08, 0.08, 0.1), min(1, edge * 1.5))
        }
    }

    private func pastel(_ canvas: Canvas) {
        map(canvas) { place, colour, _ in
            let stroke = smoothNoise(Point((place.x + place.y) / 3.5, (place.x - place.y) / 14), seed)
            return Colour.mix(colour, Colour(1, 0.97, 0.95), 0.46 + 0.2 * (stroke - 0.5))
        }
    }

    private func neon(_ canvas: Canvas) {
        let size = canvas.size
        let edge = edges(canvas)
        var lights = [Colour](repeating: .zero, count: size * size)
        for i in lights.indices {
            let p = canvas.pixels[i]
            let c = Colour(p.x, p.y, p.z)
            let top = max(c.x, max(c.y, c.z), 0.15)
            lights[i] = saturated(c / top, 1.5) * edge[i]
        }
        let reach = max(Int(2 * canvas.unit), 1)
        let source = canvas.pixels
        for y in 0..<size {
            for x in 0..<size {
                var halo = Colour.zero
                var count: Float = 0
                for v in max(y - reach, 0)...min(y + reach, size - 1) {
                    for u in max(x - reach, 0)...min(x + reach, size - 1) {
                        halo += lights[v * size + u]
                        count += 1
                    }
                }
                let p = source[y * size + x]
                let c = Colour(p.x, p.y, p.z)
                let glow = Colour(0.03, 0.02, 0.08) + c * 0.16 + halo / count * 0.9 + lights[y * size + x] * 0.9
                canvas.pixels[y * size + x] = SIMD4(glow, 0)
            }
        }
    }

    private func blueprint(_ canvas: Canvas) {
        map(canvas) { place, colour, edge in
            let grid: Float = Int(place.x) % 16 == 0 || Int(place.y) % 16 == 0 ? 0.1 : 0
            return Colour.mix(
                Colour(0.07, 0.22, 0.55), Colour(0.9, 0.95, 1), min(1, edge * 1.2 + grid + colour.luminance * 0.1))
        }
    }

    private func comic(_ canvas: Canvas) {
        map(canvas) { place, colour, edge in
            let flat = (saturated(colour, 1.7) * 3).rounded(.toNearestOrAwayFromZero) / 3
            let u = place.x.truncatingRemainder(dividingBy: 4) - 2
            let v = place.y.truncatingRemainder(dividingBy: 4) - 2
            let dotted = u * u + v * v < 1.7 ? flat * 0.9 : flat
            return Colour.mix(dotted, Colour(0.02, 0.02, 0.03), min(1, edge * 1.7))
        }
    }

    private func crayon(_ canvas: Canvas) {
        map(canvas) { place, colour, edge in
            let stroke = smoothNoise(Point((place.x - place.y) / 2.6, (place.x + place.y) / 16), seed)
            let waxy = Colour.mix(saturated(colour, 1.2), Colour(1, 1, 0.98), stroke > 0.62 ? 0.5 : 0.1)
            return Colour.mix(waxy, saturated(colour, 1.2) * 0.6, edge * 0.5)
        }
    }

    private func woodcut(_ canvas: Canvas) {
        map(canvas) { place, colour, edge in
            let line = (place.y + 1.5 * smoothNoise(place / 11, seed)).truncatingRemainder(dividingBy: 4) / 4
            let dark = edge > 0.45 || line > 0.35 + colour.luminance * 0.75
            return dark ? Colour(0.1, 0.07, 0.06) : Colour.mix(Colour(0.95, 0.88, 0.74), colour, 0.55)
        }
    }

    private func mosaic(_ canvas: Canvas) {
        let source = canvas.pixels
        let size = canvas.size
        let tile: Float = 5
        func centre(_ x: Int, _ y: Int) -> Point {
            Point(
                (Float(x) + 0.3 + 0.4 * hashNoise(x, y, seed)) * tile,
                (Float(y) + 0.3 + 0.4 * hashNoise(x, y, seed &+ 9)) * tile)
        }
        map(canvas) { place, _, _ in
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
            let x = min(max(Int(chosen.x * canvas.unit), 0), size - 1)
            let y = min(max(Int(chosen.y * canvas.unit), 0), size - 1)
            let p = source[y * size + x]
            return second - best < 0.9
                ? Colour(0.22, 0.2, 0.2) : saturated(Colour(p.x, p.y, p.z), 1.15) * (1.1 - 0.05 * best)
        }
    }
}
