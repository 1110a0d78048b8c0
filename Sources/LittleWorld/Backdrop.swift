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

    private func flat(_ hex: UInt32, shade: Float = 0.1, outline: Float = 0) -> Paint {
        Paint(colour: Colour(hex: hex), shade: shade, outline: outline)
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
        ground(canvas, horizon: horizon, sky: (0x6FC3F0, 0xCDEBF7), land: (0xF0D79A, 0xDDB96E))
        let pen = pen(canvas)
        let sea = horizon * 64
        pen.box(32, sea + 3.5, 33, 4.5, flat(0x2F86C9), corner: 0)
        pen.box(32, sea + 8.3, 33, 0.9, flat(0xF4FBFF, shade: 0), corner: 0)
        pen.circle(10 + 44 * random(2), 8, 4.5, flat(0xFFE27A, shade: 0))
    }

    private func snow(_ canvas: Canvas) {
        ground(canvas, horizon: 0.52, sky: (0xAFC2D6, 0xDCE6F0), land: (0xF7FAFF, 0xDDE8F4))
        let pen = pen(canvas)
        for i in 0..<3 { fir(pen, 6 + Float(i) * 24 + 8 * random(i), 34, 9 + 4 * random(i + 9), 0x5E8C86, snowy: true) }
        for i in 0..<16 { pen.circle(64 * random(i + 20), 60 * random(i + 50), 1.1, flat(0xFFFFFF, shade: 0)) }
    }

    private func fir(_ pen: Pen, _ x: Float, _ base: Float, _ height: Float, _ hex: UInt32, snowy: Bool) {
        pen.polygon([(x - height * 0.4, base), (x, base - height), (x + height * 0.4, base)], flat(hex))
        if snowy {
            pen.polygon(
                [
                    (x - height * 0.17, base - height * 0.58), (x, base - height),
                    (x + height * 0.17, base - height * 0.58),
                ], flat(0xFFFFFF, shade: 0))
        }
    }

    private func jungle(_ canvas: Canvas) {
        ground(canvas, horizon: 0.7, sky: (0x14532B, 0x2F7D3B), land: (0x3B6B2C, 0x274A20))
        let pen = pen(canvas)
        let greens: [UInt32] = [0x1E6B35, 0x2F8F45, 0x49A84F, 0x17562C]
        for i in 0..<11 {
            let x = 64 * random(i)
            let y = 6 + 38 * random(i + 20)
            let angle = (random(i + 40) - 0.5) * 2.6
            pen.ellipse(x, y, 10, 3.4, flat(greens[i % 4], shade: 0.2, outline: 0.7), angle: angle)
        }
        for i in 0..<2 { pen.line(64 * random(i + 70), -2, 64 * random(i + 80), 26, 0.8, flat(0x6B8F3A)) }
    }

    private func nightCity(_ canvas: Canvas) {
        ground(canvas, horizon: 0.78, sky: (0x0A1030, 0x2B2A5C), land: (0x2A2C3A, 0x1B1D28))
        let pen = pen(canvas)
        for i in 0..<5 { pen.circle(64 * random(i), 14 * random(i + 10), 0.8, flat(0xFFFFFF, shade: 0)) }
        pen.circle(8 + 46 * random(30), 8, 4, flat(0xF6F0C8, shade: 0))
        for i in 0..<6 {
            let x = Float(i) * 12 + 2
            let height = 16 + 20 * random(i + 40)
            pen.box(x, 50 - height / 2, 5.4, height / 2, flat(0x161A34), corner: 0)
            for row in stride(from: Float(54 - height), to: 46, by: 6) {
                for column in [-2.4, 2.4] as [Float] where hashNoise(i * 9 + Int(column), Int(row), seed) > 0.4 {
                    pen.box(x + column, row, 1.1, 1.4, flat(0xFFD45E, shade: 0), corner: 0)
                }
            }
        }
    }

    private func water(_ canvas: Canvas) {
        ground(canvas, horizon: 0.36, sky: (0x9FD4F2, 0xDDF2FA), land: (0x3A9BD2, 0x16588F))
        let pen = pen(canvas)
        for i in 0..<7 {
            let y = 27 + 5.4 * Float(i)
            let x = 60 * random(i)
            pen.line(x, y, x + 7 + 4 * random(i + 9), y, 0.7, flat(0xBFE6F7, shade: 0))
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
                let foam = Float(row) - wave < 1.6 * unit
                let colour =
                    foam
                    ? Colour(0.86, 0.95, 0.99)
                    : Colour.mix(Colour(hex: 0x2C86BF), Colour(hex: 0x16588F), Float(row) / Float(size))
                let before = canvas.pixels[row * size + x]
                let alpha = depth * 0.92
                canvas.pixels[row * size + x] = before + (SIMD4(colour, 0) - before) * alpha
            }
        }
    }

    private func woodenFloor(_ canvas: Canvas) {
        ground(canvas, horizon: 0.5, sky: (0xE7DCCB, 0xD9C9B1), land: (0xB47B45, 0xA0662F))
        let pen = pen(canvas)
        let shift = 6 * random(1)
        pen.box(32, 32.6, 33, 1.1, flat(0xF3EADB, shade: 0), corner: 0)
        for i in -5...5 {
            let x = 32 + shift + Float(i) * 7
            pen.line(x, 34, 32 + shift + Float(i) * 15, 66, 0.45, flat(0x6E421C, shade: 0))
        }
        pen.line(-1, 48, 65, 48, 0.4, flat(0x6E421C, shade: 0))
    }

    private func grass(_ canvas: Canvas) {
        ground(canvas, horizon: 0.48, sky: (0x7EC8F2, 0xD8F0FA), land: (0x6CC24A, 0x3E9130))
        let pen = pen(canvas)
        cloud(pen, 8 + 40 * random(1), 9)
        for i in 0..<9 {
            let x = 64 * random(i + 5)
            let y = 36 + 26 * random(i + 25)
            pen.line(x, y, x + 1.5, y - 3.2, 0.6, flat(0x2E7A26, shade: 0))
        }
    }

    private func cloud(_ pen: Pen, _ x: Float, _ y: Float) {
        for (dx, r) in [(0, 4), (5, 5), (10, 3.6)] as [(Float, Float)] {
            pen.circle(x + dx, y, r, flat(0xFFFFFF, shade: 0.04))
        }
    }

    private func dirtRoad(_ canvas: Canvas) {
        ground(canvas, horizon: 0.42, sky: (0x9CC9E8, 0xEAF3F2), land: (0x9DB05A, 0x76903E))
        let pen = pen(canvas)
        let bend = 10 * (random(1) - 0.5)
        pen.polygon([(29 + bend, 27), (35 + bend, 27), (62, 66), (2, 66)], flat(0xB98A5B))
        for i in 0..<8 { pen.circle(14 + 38 * random(i), 46 + 17 * random(i + 30), 1.1, flat(0x8E6640)) }
    }

    private func mountain(_ canvas: Canvas) {
        ground(canvas, horizon: 0.6, sky: (0x8CBBE6, 0xE3EEF7), land: (0x8E9A78, 0x6A7A58))
        let pen = pen(canvas)
        let shift = 14 * (random(1) - 0.5)
        for (x, height, hex) in [(16 + shift, 24, 0x7C8AA5), (46 + shift, 30, 0x6B7896)] as [(Float, Float, UInt32)] {
            pen.polygon([(x - 22, 40), (x, 40 - height), (x + 22, 40)], flat(hex))
            pen.polygon(
                [
                    (x - 7, 40 - height * 0.68), (x, 40 - height), (x + 7, 40 - height * 0.68),
                    (x + 1.5, 40 - height * 0.58),
                ], flat(0xFFFFFF, shade: 0))
        }
    }

    private func city(_ canvas: Canvas) {
        ground(canvas, horizon: 0.74, sky: (0xA9D3EE, 0xEEF5F8), land: (0x9A9DA3, 0x7C7F86))
        let pen = pen(canvas)
        let greys: [UInt32] = [0x8492A6, 0xA7B0BD, 0x6F7C91]
        for i in 0..<6 {
            let x = Float(i) * 12 + 3
            let height = 14 + 22 * random(i)
            pen.box(x, 47 - height / 2, 5.6, height / 2, flat(greys[i % 3]), corner: 0)
            for row in stride(from: Float(51 - height), to: 44, by: 6) {
                for column in [-2.4, 2.4] as [Float] {
                    pen.box(x + column, row, 1.1, 1.4, flat(0xDCEBF5, shade: 0), corner: 0)
                }
            }
        }
    }

    private func picnic(_ canvas: Canvas) {
        ground(canvas, horizon: 0.3, sky: (0x8CCDF0, 0xD8F0FA), land: (0x6CB94A, 0x5BA83E))
        let shift = random(1)
        let size = canvas.size
        for y in Int(0.42 * Float(size))..<size {
            let depth = (Float(y) / Float(size) - 0.3) * 1.5
            for x in 0..<size {
                let u = (Float(x) / Float(size) - 0.5) / depth
                guard abs(u) < 0.62 else { continue }
                let check = (Int(((u + 4 + shift * 0.2) * 7).rounded(.down)) + Int((6 / depth).rounded(.down))) % 2 == 0
                canvas.pixels[y * size + x] = SIMD4(check ? Colour(hex: 0xE25A5A) : Colour(hex: 0xFBF3EE), 0)
            }
        }
    }

    private func desert(_ canvas: Canvas) {
        ground(canvas, horizon: 0.5, sky: (0xF2A65A, 0xFBDDA5), land: (0xE0A458, 0xC4803A))
        let pen = pen(canvas)
        pen.circle(12 + 40 * random(1), 12, 5.5, flat(0xFFF1B8, shade: 0))
        pen.ellipse(10 + 12 * random(2), 36, 26, 7, flat(0xE9B56B))
        pen.ellipse(50 + 10 * random(3), 38, 26, 8, flat(0xD9994C))
        let x = random(4) < 0.5 ? 7 : 57 as Float
        pen.line(x, 36, x, 24, 1.5, flat(0x4F8A45, outline: 0.6))
        pen.line(x, 31, x + 4, 31, 1.1, flat(0x4F8A45))
        pen.line(x + 4, 31, x + 4, 27, 1.1, flat(0x4F8A45))
    }
}

/// Light around a glowing subject.
enum Glow {
    static func paint(_ pen: Pen, _ colour: Colour) {
        let canvas = pen.canvas
        let light = Colour.mix(colour, Colour(1, 1, 0.75), 0.6)
        for y in 0..<canvas.size {
            for x in 0..<canvas.size {
                let distance = length(Point(Float(x) + 0.5, Float(y) + 0.5) - pen.origin) / (pen.scale * 1.75)
                let strength = max(0, 1 - distance)
                let before = canvas.pixels[y * canvas.size + x]
                canvas.pixels[y * canvas.size + x] = before + (SIMD4(light, before.w) - before) * min(1, strength * 1.9)
            }
        }
    }
}
