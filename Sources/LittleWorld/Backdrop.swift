import Glibc

/// The place behind and below the subject. `seed` moves details; the place stays recognizable.
struct Backdrop {
    let context: Context
    let seed: UInt32

    /// A number in 0…1 for detail `index`.
    private func random(_ index: Int) -> Float { hashNoise(index, index / 7, seed) }

    func paint(_ canvas: Canvas) {
        switch context {
        case .plain: plain(canvas)
        case .beach: beach(canvas)
        case .snow: snow(canvas)
        case .jungle: jungle(canvas)
        case .nightCity: nightCity(canvas)
        case .water: water(canvas)
        case .woodenFloor: woodenFloor(canvas)
        case .grass: grass(canvas)
        case .dirtRoad: dirtRoad(canvas)
        case .mountain: mountain(canvas)
        case .city: city(canvas)
        case .picnic: picnic(canvas)
        case .desert: desert(canvas)
        }
    }

    private func ground(_ canvas: Canvas, horizon: Float, sky: (UInt32, UInt32), land: (UInt32, UInt32)) {
        let top = Colour(hex: sky.0)
        let low = Colour(hex: sky.1)
        let near = Colour(hex: land.1)
        let far = Colour(hex: land.0)
        canvas.wash { p in
            p.y < horizon ? .mix(top, low, p.y / horizon) : .mix(far, near, (p.y - horizon) / (1 - horizon))
        }
    }

    private func flat(_ hex: UInt32, shade: Float = 0.1) -> Paint {
        Paint(colour: Colour(hex: hex), shade: shade, outline: 0)
    }

    /// A pen in sixty-fourths of the picture.
    private func pen(_ canvas: Canvas) -> Pen {
        Pen(canvas: canvas, origin: .zero, scale: canvas.unit, tilt: 0, facing: 1)
    }

    private func plain(_ canvas: Canvas) {
        let tones: [UInt32] = [0xE9E4DA, 0xDDE6EA, 0xE6DFE9, 0xE2E8DC]
        let tone = Colour(hex: tones[Int(random(1) * 3.99)])
        canvas.wash { p in tone * (1.04 - 0.16 * length(p - Point(0.45, 0.4))) }
    }

    private func beach(_ canvas: Canvas) {
        let horizon = 0.4 + 0.06 * random(1)
        ground(canvas, horizon: horizon, sky: (0x9FDBF7, 0xDDF3FA), land: (0xF7E3B0, 0xEBCB88))
        let pen = pen(canvas)
        let sea = horizon * 64
        pen.box(32, sea + 3.5, 33, 4.5, flat(0x5FB4E4), corner: 0)
        pen.box(32, sea + 8.8, 33, 1.2, flat(0xF8FDFF, shade: 0), corner: 0)
        pen.circle(10 + 44 * random(2), 9, 5, flat(0xFFE98F, shade: 0))
    }

    private func snow(_ canvas: Canvas) {
        ground(canvas, horizon: 0.52, sky: (0xB4CBE2, 0xDCE8F3), land: (0xFBFDFF, 0xE4EEF8))
        let pen = pen(canvas)
        for i in 0..<3 { fir(pen, 6 + Float(i) * 24 + 8 * random(i), 35, 13 + 4 * random(i + 9), 0x84AFA6) }
        for i in 0..<9 { pen.circle(64 * random(i + 20), 30 * random(i + 50), 1.4, flat(0xFFFFFF, shade: 0)) }
    }

    private func fir(_ pen: Pen, _ x: Float, _ base: Float, _ height: Float, _ hex: UInt32) {
        pen.polygon([(x - height * 0.4, base), (x, base - height), (x + height * 0.4, base)], flat(hex))
        pen.polygon(
            [
                (x - height * 0.17, base - height * 0.58), (x, base - height),
                (x + height * 0.17, base - height * 0.58),
            ], flat(0xFFFFFF, shade: 0))
    }

    private func jungle(_ canvas: Canvas) {
        ground(canvas, horizon: 0.74, sky: (0x1C5E36, 0x2E7A45), land: (0x3A6B34, 0x2C5428))
        let pen = pen(canvas)
        let greens: [UInt32] = [0x27733F, 0x348A4C, 0x206538]
        for i in 0..<8 {
            let left = i % 2 == 0
            let x = (left ? 0 : 64) + (left ? 1 : -1) * 12 * random(i)
            let y = 2 + 11 * Float(i / 2) + 6 * random(i + 20)
            let angle = (left ? 1 : -1) * (0.3 + 0.7 * random(i + 40))
            pen.ellipse(x, y, 13, 4.5, flat(greens[i % 3], shade: 0.15), angle: angle)
        }
        let x = 12 + 40 * random(70)
        pen.line(x, -2, x + 6 * (random(71) - 0.5), 16, 1.2, flat(0x4E9448, shade: 0))
        for y in [5, 14] as [Float] { pen.ellipse(x + 3, y, 3.6, 1.8, flat(0x4E9448, shade: 0), angle: 0.5) }
    }

    private func nightCity(_ canvas: Canvas) {
        ground(canvas, horizon: 0.8, sky: (0x101848, 0x2E2C68), land: (0x34364A, 0x262836))
        let pen = pen(canvas)
        for i in 0..<5 { pen.circle(64 * random(i), 14 * random(i + 10), 1, flat(0xFFFFFF, shade: 0)) }
        pen.circle(8 + 46 * random(30), 9, 5, flat(0xFFF6CC, shade: 0))
        for i in 0..<5 {
            let x = Float(i) * 14 + 4
            let height = 18 + 18 * random(i + 40)
            pen.box(x, 51.5 - height / 2, 6, height / 2, flat(0x1C2148), corner: 0)
            for row in stride(from: Float(55.5 - height), to: 47, by: 8) {
                for column in [-2.6, 2.6] as [Float] where hashNoise(i * 9 + Int(column), Int(row), seed) > 0.45 {
                    pen.box(x + column, row, 1.5, 2, flat(0xE8B94E, shade: 0), corner: 0)
                }
            }
        }
    }

    private func water(_ canvas: Canvas) {
        ground(canvas, horizon: 0.36, sky: (0xBFE4F7, 0xE6F6FC), land: (0x8CD0F0, 0x52A8DC))
        let pen = pen(canvas)
        for i in 0..<6 {
            let y = 27 + 6 * Float(i)
            let x = 60 * random(i)
            pen.line(x, y, x + 7 + 4 * random(i + 9), y, 1, flat(0xD8F1FB, shade: 0))
        }
    }

    /// The water in front of what floats on it.
    static func paintWaterline(_ canvas: Canvas, y: Float, seed: UInt32) {
        let size = canvas.size
        let unit = canvas.unit
        for row in max(Int(y), 0)..<max(size, Int(y)) {
            for x in 0..<size {
                let wave = y + 1.3 * unit * sin(Float(x) / unit * 0.55 + Float(seed % 7))
                let depth = min(max((Float(row) + 0.5 - wave) / unit, 0), 1)
                guard depth > 0 else { continue }
                let foam = Float(row) - wave < 2 * unit
                let colour =
                    foam
                    ? Colour(0.93, 0.98, 1)
                    : Colour.mix(Colour(hex: 0x6FC0EA), Colour(hex: 0x3E97D0), Float(row) / Float(size))
                let before = canvas.pixels[row * size + x]
                let alpha = depth * 0.92
                canvas.pixels[row * size + x] = before + (SIMD4(colour, 0) - before) * alpha
                canvas.cover[row * size + x] *= 1 - alpha
            }
        }
    }

    private func woodenFloor(_ canvas: Canvas) {
        ground(canvas, horizon: 0.5, sky: (0xF1E8DA, 0xE6DACA), land: (0xD6A36B, 0xC68F56))
        let pen = pen(canvas)
        let shift = 6 * random(1)
        pen.box(32, 33, 33, 1.6, flat(0xFBF5EA, shade: 0), corner: 0)
        for i in -4...4 {
            let x = 32 + shift + Float(i) * 10
            pen.line(x, 36.5, 32 + shift + Float(i) * 18, 66, 0.9, flat(0xB07C48, shade: 0))
        }
        pen.box(32, 35.4, 33, 1, flat(0xB07C48, shade: 0), corner: 0)
    }

    private func grass(_ canvas: Canvas) {
        ground(canvas, horizon: 0.48, sky: (0xA4DBF7, 0xE2F4FB), land: (0x9BDB7C, 0x70BF58))
        let pen = pen(canvas)
        cloud(pen, 8 + 40 * random(1), 9)
        for i in 0..<7 {
            let x = 64 * random(i + 5)
            let y = 36 + 26 * random(i + 25)
            pen.line(x, y, x + 1.5, y - 3.2, 1, flat(0x5FAE49, shade: 0))
        }
    }

    private func cloud(_ pen: Pen, _ x: Float, _ y: Float) {
        for (dx, r) in [(0, 4), (5, 5), (10, 3.6)] as [(Float, Float)] {
            pen.circle(x + dx, y, r, flat(0xFFFFFF, shade: 0.04))
        }
    }

    private func dirtRoad(_ canvas: Canvas) {
        ground(canvas, horizon: 0.42, sky: (0xB4DAF2, 0xF0F6F4), land: (0xBFD184, 0xA3BD68))
        let pen = pen(canvas)
        let bend = 10 * (random(1) - 0.5)
        pen.polygon([(29 + bend, 27), (35 + bend, 27), (62, 66), (2, 66)], flat(0xDDB384))
        for i in 0..<6 { pen.circle(14 + 38 * random(i), 46 + 17 * random(i + 30), 1.5, flat(0xC0915F)) }
    }

    private func mountain(_ canvas: Canvas) {
        ground(canvas, horizon: 0.6, sky: (0xAAD0F0, 0xE9F3FA), land: (0xBCC9A4, 0xA2B389))
        let pen = pen(canvas)
        let shift = 14 * (random(1) - 0.5)
        for (x, height, hex) in [(16 + shift, 26, 0xA9B6CE), (46 + shift, 32, 0x98A7C4)] as [(Float, Float, UInt32)] {
            pen.polygon([(x - 22, 40), (x, 40 - height), (x + 22, 40)], flat(hex))
            pen.polygon(
                [
                    (x - 7, 40 - height * 0.68), (x, 40 - height), (x + 7, 40 - height * 0.68),
                    (x + 1.5, 40 - height * 0.58),
                ], flat(0xFFFFFF, shade: 0))
        }
    }

    private func city(_ canvas: Canvas) {
        ground(canvas, horizon: 0.74, sky: (0xBCDFF4, 0xF2F8FA), land: (0xC2C5CB, 0xA9ADB5))
        let pen = pen(canvas)
        let greys: [UInt32] = [0xAAB6C8, 0xBFC8D4, 0x9CA9BD]
        for i in 0..<5 {
            let x = Float(i) * 14 + 4
            let height = 16 + 20 * random(i)
            pen.box(x, 47.5 - height / 2, 6.2, height / 2, flat(greys[i % 3]), corner: 0)
            for row in stride(from: Float(52 - height), to: 44, by: 8) {
                for column in [-2.6, 2.6] as [Float] {
                    pen.box(x + column, row, 1.5, 2, flat(0xE3EFF7, shade: 0), corner: 0)
                }
            }
        }
    }

    private func picnic(_ canvas: Canvas) {
        ground(canvas, horizon: 0.3, sky: (0xA9DCF6, 0xE2F4FB), land: (0x98D67A, 0x86CB68))
        let shift = random(1)
        let size = canvas.size
        for y in Int(0.42 * Float(size))..<size {
            let depth = (Float(y) / Float(size) - 0.3) * 1.5
            for x in 0..<size {
                let u = (Float(x) / Float(size) - 0.5) / depth
                guard abs(u) < 0.62 else { continue }
                let check =
                    (Int(((u + 4 + shift * 0.2) * 5).rounded(.down)) + Int((4.4 / depth).rounded(.down))) % 2 == 0
                canvas.pixels[y * size + x] = SIMD4(check ? Colour(hex: 0xF2A2A0) : Colour(hex: 0xFFF8F3), 0)
            }
        }
    }

    private func desert(_ canvas: Canvas) {
        ground(canvas, horizon: 0.5, sky: (0xFBCB8E, 0xFDE9C4), land: (0xEFC488, 0xDDA868))
        let pen = pen(canvas)
        pen.circle(12 + 40 * random(1), 12, 5.5, flat(0xFFF8D8, shade: 0))
        pen.ellipse(10 + 12 * random(2), 36, 26, 7, flat(0xF1CC94))
        pen.ellipse(50 + 10 * random(3), 38, 26, 8, flat(0xE6B878))
        let x = random(4) < 0.5 ? 7 : 57 as Float
        pen.line(x, 37, x, 23, 2, flat(0x7FB074))
        let side: Float = x < 32 ? 5 : -5
        pen.line(x, 32, x + side, 32, 1.5, flat(0x7FB074))
        pen.line(x + side, 32, x + side, 27, 1.5, flat(0x7FB074))
    }
}
