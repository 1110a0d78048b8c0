import Glibc

/// Vehicles, food, household things, plants and the robot.
extension SubjectDrawing {
    private func wheel(_ x: Float, _ y: Float, _ r: Float) {
        pen.circle(x, y, r, tone(0x26262C))
        pen.circle(x, y, r * 0.48, tone(0xC9CDD4))
    }

    private var glass: Paint { tone(0xBFE3F5) }

    func car() -> Anchors {
        let roof: Float = first == 0 ? -0.28 : first == 1 ? -0.4 : -0.16
        let sporty: [(Float, Float)] = [(-0.75, 0.3), (-0.3, roof), (0.5, roof + 0.06), (0.85, 0.3)]
        let usual: [(Float, Float)] = [(-0.62, 0.3), (-0.44, roof), (0.38, roof), (0.64, 0.3)]
        pen.polygon(first == 2 ? sporty : usual, plain)
        pen.polygon([(-0.5, 0.24), (-0.36, roof + 0.12), (-0.05, roof + 0.12), (-0.05, 0.24)], glass)
        pen.polygon([(0.04, 0.24), (0.04, roof + 0.12), (0.3, roof + 0.12), (0.5, 0.24)], glass)
        pen.box(0, 0.48, 1.0, 0.26 + 0.04 * stout, main, corner: 0.16)
        pen.box(0, 0.56, 1.0, 0.08, accent, corner: 0.02)
        let r: Float = second == 0 ? 0.22 : second == 1 ? 0.27 : 0.19
        wheel(-0.56, 0.76, r)
        wheel(0.56, 0.76, r)
        pen.ellipse(0.92, 0.4, 0.1, 0.12, tone(0xFFF2B0))
        return Anchors(head: Point(-0.02, roof), headWidth: 0.42, neck: Point(0.85, 0.3))
    }

    func truck() -> Anchors {
        pen.box(-0.32, 0.05 - 0.06 * stout, 0.68, 0.5 + 0.06 * stout, main, corner: 0.06)
        if first == 1 { pen.box(-0.32, 0.05, 0.68, 0.1, accent, corner: 0) }
        if first == 2 { for x in [-0.66, -0.32, 0.02] as [Float] { pen.line(x, -0.34, x, 0.46, 0.06, darkPart) } }
        pen.polygon([(0.4, 0.6), (0.4, -0.1), (0.74, -0.1), (1.0, 0.24), (1.0, 0.6)], accent)
        pen.polygon([(0.52, 0.2), (0.52, 0.0), (0.7, 0.0), (0.86, 0.2)], glass)
        pen.box(0, 0.62, 1.0, 0.1, tone(0x55565E), corner: 0.04)
        let r: Float = second == 0 ? 0.2 : 0.24
        for x in second == 2 ? [-0.72, -0.26, 0.68] as [Float] : [-0.6, 0.66] { wheel(x, 0.78, r) }
        return Anchors(head: Point(-0.3, -0.46), headWidth: 0.45, neck: Point(0.7, 0.36))
    }

    func boat() -> Anchors {
        pen.line(0, 0.45, 0, -0.98, 0.065, tone(0x7A4B24))
        pen.polygon([(0.08, -0.9), (0.8 + 0.08 * stout, 0.3), (0.08, 0.3)], first == 1 ? plain : tone(0xFAF7EE))
        if first != 2 { pen.polygon([(-0.08, -0.7), (-0.62, 0.3), (-0.08, 0.3)], accent) }
        pen.polygon([(-1.0, 0.34), (1.0, 0.34), (0.66, 0.96), (-0.66, 0.96)], main)
        pen.box(0, 0.36, 1.0, 0.08, second == 0 ? tone(0xFAF7EE) : accent, corner: 0.04)
        if second == 2 { for x in [-0.4, 0, 0.4] as [Float] { pen.circle(x, 0.64, 0.12, tone(0xFAF7EE)) } }
        return Anchors(head: Point(0, -0.92), headWidth: 0.3, neck: Point(0.5, 0.62))
    }

    func rocket() -> Anchors {
        let w = 0.4 + 0.06 * stout
        pen.polygon([(-0.24, 0.7), (0, 1.14), (0.24, 0.7)], tone(0xFFB02E))
        for s in [-1, 1] as [Float] {
            let root: Float = s * w * 0.8
            let foot: Float = s * w * 0.7
            let long: [(Float, Float)] = [(root, 0.1), (s * 0.82, 0.55), (s * 0.78, 0.8), (foot, 0.62)]
            let short: [(Float, Float)] = [(root, 0.28), (s * 0.76, 0.84), (foot, 0.72)]
            pen.polygon(first == 1 ? long : short, accent)
        }
        pen.ellipse(0, 0.02, w, 0.84, main)
        pen.polygon([(-w * 0.74, -0.52), (0, -1.06), (w * 0.74, -0.52)], accent)
        for y in second == 2 ? [-0.22, 0.22] as [Float] : [-0.12] {
            pen.circle(0, y, second == 1 ? 0.24 : 0.17, tone(0xF2F2F2))
            pen.circle(0, y, second == 1 ? 0.16 : 0.1, glass)
        }
        return Anchors(head: Point(0, -0.86), headWidth: 0.3, neck: Point(0, 0.4))
    }

    func apple() -> Anchors {
        let w = 0.66 + 0.07 * stout
        for s in [-1, 1] as [Float] { pen.ellipse(s * 0.22, 0.28, w - 0.18, 0.66, main) }
        pen.ellipse(
            0, 0.3, w - 0.1, 0.56, Paint(colour: main.colour, shade: main.shade, outline: 0, pattern: main.pattern))
        pen.line(0, -0.28, first == 0 ? 0.06 : 0.2, -0.66, 0.085, tone(0x6B4423))
        if first != 2 { pen.ellipse(0.32, -0.58, 0.26, 0.13, tone(0x4FA83D), angle: -0.4) }
        if second == 0 {
            pen.ellipse(
                -0.34, 0.02, 0.1, 0.19, Paint(colour: Colour(1, 1, 1), shade: 0, outline: 0, opacity: 0.7), angle: 0.4)
        }
        if second == 1 { pen.box(0.1, 0.38, 0.22, 0.16, accent, corner: 0.05) }
        return Anchors(head: Point(0, -0.34), headWidth: 0.42, neck: Point(0, 0.02))
    }

    func cake() -> Anchors {
        let w = 0.78 + 0.06 * stout
        pen.ellipse(0, 0.88, w + 0.14, 0.13, tone(0xE8E8EE))
        pen.box(0, 0.52, w, 0.36, main, corner: 0.06)
        pen.box(0, 0.2, w, 0.12, accent, corner: 0.1)
        for i in 0..<4 { pen.circle(-w + 0.24 + Float(i) * (w * 2 - 0.48) / 3, 0.34, 0.12, accent) }
        if first != 0 {
            pen.box(0, -0.08, w * 0.62, 0.22, main, corner: 0.05)
            pen.box(0, -0.26, w * 0.62, 0.08, accent, corner: 0.06)
        }
        let top: Float = first == 0 ? 0.1 : -0.32
        for x in second == 0 ? [0] as [Float] : second == 1 ? [-0.24, 0.24] : [-0.32, 0, 0.32] {
            pen.line(x, top, x, top - 0.28, 0.075, tone(0xF7F3E8))
            pen.ellipse(x, top - 0.42, 0.1, 0.14, tone(0xFFB02E))
        }
        return Anchors(head: Point(0, top - 0.06), headWidth: 0.46, neck: Point(0, 0.52))
    }

    func iceCream() -> Anchors {
        if first == 1 {
            pen.box(0, 0.62, 0.4, 0.36, tone(0xE9EEF2), corner: 0.08)
        } else {
            pen.polygon(
                [(-0.42, 0.14), (0.42, 0.14), (0, 1.04)],
                Paint(
                    colour: Colour(hex: 0xE0A458),
                    pattern: { Int(($0.x + $0.y + 8) * 4) % 2 == 0 ? Colour(hex: 0xC98A3C) : nil }))
        }
        pen.circle(0, -0.0, 0.54 + 0.05 * stout, main)
        if second != 0 { pen.circle(0, -0.5, 0.33, accent) }
        let top: Float = second == 0 ? -0.5 : -0.84
        if first == 2 { pen.circle(0.06, top - 0.08, 0.13, tone(0xD81F3A)) }
        if second == 2 { pen.line(0.16, top + 0.1, 0.46, top - 0.28, 0.08, tone(0x8B5A32)) }
        return Anchors(head: Point(0, top), headWidth: 0.32, neck: Point(0, 0.24))
    }

    func mug() -> Anchors {
        let w = 0.52 + 0.08 * stout
        if first == 2 {
            pen.box(w + 0.14, 0.28, 0.24, 0.28, plain, corner: 0.02)
            pen.hole(w + 0.12, 0.28, 0.13)
        } else {
            pen.circle(w + 0.1, 0.28, first == 0 ? 0.38 : 0.32, plain)
            pen.hole(w + 0.1, 0.28, first == 0 ? 0.2 : 0.15)
        }
        pen.box(0, 0.3, w, 0.64, main, corner: 0.12)
        pen.ellipse(0, -0.32, w, 0.16, plain)
        pen.ellipse(0, -0.32, w * 0.82, 0.1, tone(second == 0 ? 0x5B3A22 : second == 1 ? 0xF6EBD8 : 0xC9512E))
        if second == 2 { pen.box(0, 0.36, w, 0.11, accent, corner: 0) }
        if second == 1 { pen.circle(0, 0.34, 0.24, accent) }
        return Anchors(head: Point(0, -0.36), headWidth: 0.44, neck: Point(0, 0.1))
    }

    func teapot() -> Anchors {
        let w = 0.6 + 0.07 * stout
        pen.circle(-w - 0.12, 0.3, 0.36, plain)
        pen.hole(-w - 0.12, 0.3, 0.19)
        let spouts: [[(Float, Float)]] = [
            [(w - 0.12, 0.5), (w + 0.44, -0.12), (w + 0.28, -0.2), (w - 0.2, 0.1)],
            [(w - 0.12, 0.44), (w + 0.4, 0.2), (w + 0.42, 0.02), (w - 0.16, 0.06)],
            [(w - 0.1, 0.6), (w + 0.3, -0.36), (w + 0.14, -0.4), (w - 0.22, 0.2)],
        ]
        pen.polygon(spouts[first], plain)
        pen.ellipse(0, 0.36, w, 0.56, main)
        pen.ellipse(0, -0.14, w * 0.56, 0.14, accent)
        second == 1
            ? pen.box(0, -0.36, 0.12, 0.12, accent, corner: 0.02)
            : pen.circle(0, -0.36, second == 0 ? 0.13 : 0.18, accent)
        pen.box(0, 0.9, w * 0.5, 0.07, darkPart)
        return Anchors(head: Point(0, -0.44), headWidth: 0.34, neck: Point(0, 0.14))
    }

    func clock() -> Anchors {
        let r: Float = 0.72 + 0.06 * stout
        for s in [-1, 1] as [Float] {
            if first == 0 { pen.circle(s * 0.5, -0.58, 0.26, accent) }
            pen.line(s * 0.42, 0.72, s * 0.54, 0.94, 0.1, darkPart)
        }
        first == 2 ? pen.box(0, 0.1, r, r, main, corner: 0.16) : pen.circle(0, 0.1, r, main)
        pen.circle(0, 0.1, r * 0.6, tone(0xFBFAF4))
        let hand = Paint(colour: Colour(0.1, 0.1, 0.14), shade: 0, outline: 0)
        for i in 0..<(second == 1 ? 4 : 0) {
            let a = Float(i) * 2 * .pi / 4
            pen.circle(sin(a) * r * 0.46, 0.1 + cos(a) * r * 0.46, 0.06, hand)
        }
        pen.line(0, 0.1, 0, -0.2, 0.07, hand)
        second == 2 ? pen.line(0, 0.1, -0.2, 0.24, 0.07, hand) : pen.line(0, 0.1, 0.24, 0.18, 0.07, hand)
        return Anchors(head: Point(0, 0.12 - r), headWidth: 0.42, neck: Point(0, 0.8))
    }

    func lamp() -> Anchors {
        first == 2 ? pen.box(0, 0.86, 0.44, 0.12, accent, corner: 0.04) : pen.ellipse(0, 0.88, 0.46, 0.13, accent)
        first == 1 ? pen.ellipse(0, 0.5, 0.2, 0.32, accent) : pen.line(0, 0.85, 0, 0.1, 0.09, accent)
        pen.ellipse(0, 0.16, 0.4, 0.1, tone(0xFFF3B0))
        let top: Float = second == 0 ? 0.3 : second == 1 ? 0.5 : 0.14
        pen.polygon([(-top, -0.8), (top, -0.8), (0.72 + 0.08 * stout, 0.16), (-0.72 - 0.08 * stout, 0.16)], main)
        return Anchors(head: Point(0, -0.78), headWidth: 0.36, neck: Point(0, 0.4))
    }

    func vase() -> Anchors {
        for (i, x) in ([-0.3, 0.02, 0.32] as [Float]).enumerated() where first != 0 || i == 1 {
            pen.line(x * 0.4, -0.1, x, -0.62, 0.07, tone(0x3F8F3A))
            pen.circle(x, -0.72, 0.2, accent)
            pen.circle(x, -0.72, 0.08, tone(0xFFD94A))
        }
        let w = 0.5 + 0.08 * stout
        switch second {
        case 0: pen.polygon([(-0.3, -0.2), (0.3, -0.2), (w, 0.4), (0.34, 0.96), (-0.34, 0.96), (-w, 0.4)], main)
        case 1:
            pen.ellipse(0, 0.46, w + 0.06, 0.5, main)
            pen.box(0, -0.06, 0.22, 0.18, plain, corner: 0.03)
        default: pen.polygon([(-w, -0.2), (w, -0.2), (0.28, 0.96), (-0.28, 0.96)], main)
        }
        pen.ellipse(0, -0.2, second == 2 ? w : 0.3, 0.08, darkPart)
        if first == 2 { pen.box(0, 0.44, 0.36, 0.07, accent, corner: 0.02) }
        return Anchors(head: Point(0, -0.88), headWidth: 0.34, neck: Point(0, 0.14))
    }

    func backpack() -> Anchors {
        let w = 0.58 + 0.07 * stout
        pen.circle(0, -0.66, 0.22, darkPart)
        pen.hole(0, -0.66, 0.11)
        for s in [-1, 1] as [Float] {
            pen.box(s * (w + 0.08), 0.4, 0.15, 0.34, darkPart, corner: 0.08)
        }
        pen.box(0, 0.14, w, 0.78, main, corner: 0.32)
        pen.box(0, 0.54, w * 0.66, 0.26, accent, corner: 0.1)
        pen.line(-w * 0.5, 0.46, w * 0.5, 0.46, 0.05, Paint(colour: Colour(0.2, 0.2, 0.22), shade: 0, outline: 0))
        switch second {
        case 0:
            pen.line(
                -w * 0.7, -0.14, w * 0.7, -0.14, 0.055, Paint(colour: Colour(0.2, 0.2, 0.22), shade: 0, outline: 0))
        case 1: for s in [-1, 1] as [Float] { pen.eye(s * 0.22, -0.18, 0.16) }
        default: pen.polygon([(-0.2, -0.02), (0, -0.4), (0.2, -0.02)], accent)
        }
        if first == 2 { pen.box(0, 0.5, 0.1, 0.1, tone(0xF3D24A), corner: 0.02) }
        return Anchors(head: Point(0, -0.62), headWidth: 0.44, neck: Point(0, 0.1))
    }

    func flower() -> Anchors {
        pen.line(0, 0.0, 0, 0.92, 0.09, tone(0x3F8F3A))
        for s in first == 0 ? [-1, 1] as [Float] : first == 1 ? [1] : [-1] {
            pen.ellipse(s * 0.32, 0.62, 0.32, 0.16, tone(0x4FA83D), angle: -s * 0.5)
        }
        let petals = 5 + second
        let r: Float = 0.3 + 0.04 * stout
        for i in 0..<petals {
            let a = Float(i) * 2 * .pi / Float(petals)
            pen.ellipse(sin(a) * 0.42, -0.34 - cos(a) * 0.42, r, r, main)
        }
        pen.circle(0, -0.34, 0.25, accent)
        return Anchors(head: Point(0, -0.94), headWidth: 0.36, neck: Point(0, 0.3))
    }

    func tree() -> Anchors {
        pen.box(0, 0.66, 0.13 + 0.04 * stout, 0.32, tone(0x7A4B24), corner: 0.03)
        switch first {
        case 0:
            for (x, y, r) in [(-0.36, 0.05, 0.4), (0.36, 0.05, 0.4), (0, -0.38, 0.48)] as [(Float, Float, Float)] {
                pen.circle(x, y, r, main)
            }
        case 1:
            for (y, w) in [(0.4, 0.74), (0.02, 0.58), (-0.34, 0.42)] as [(Float, Float)] {
                pen.polygon([(-w, y), (0, y - 0.6), (w, y)], main)
            }
        default: pen.ellipse(0, -0.18, 0.6, 0.72, main)
        }
        if second != 0 {
            for (x, y) in [(-0.26, 0.1), (0.28, 0.02), (0.02, -0.4), (-0.06, 0.26)] as [(Float, Float)] {
                pen.circle(x, y, second == 1 ? 0.11 : 0.14, accent)
            }
        }
        return Anchors(head: Point(0, -0.84), headWidth: 0.34, neck: Point(0, 0.4))
    }

    func cactus() -> Anchors {
        let w = 0.26 + 0.06 * stout
        if first != 1 {
            pen.line(-0.2, 0.14, -0.62, 0.14, 0.13, plain)
            pen.line(-0.62, 0.14, -0.62, -0.24, 0.13, plain)
        }
        if first != 2 {
            pen.line(0.2, -0.06, 0.62, -0.06, 0.13, plain)
            pen.line(0.62, -0.06, 0.62, -0.46, 0.13, plain)
        }
        pen.box(0, 0.02, w, 0.82, main, corner: w)
        pen.polygon([(-0.5, 0.56), (0.5, 0.56), (0.38, 0.98), (-0.38, 0.98)], second == 1 ? accent : tone(0xC8663A))
        pen.box(0, 0.56, 0.54, 0.08, second == 1 ? accent : tone(0xB3552C), corner: 0.03)
        if second != 0 { pen.circle(0, -0.82, 0.16, accent) }
        return Anchors(head: Point(0, -0.78), headWidth: 0.32, neck: Point(0, 0.3))
    }

    func mushroom() -> Anchors {
        let stem = 0.26 + 0.06 * stout
        pen.box(0, 0.56, stem, 0.42, tone(0xF3E7D0), corner: 0.16)
        switch first {
        case 0:
            pen.polygon(
                (0...12).map {
                    let a = Float.pi * Float($0) / 12
                    return (-cos(a) * 0.86, 0.2 - sin(a) * 0.88)
                }, main)
        case 1: pen.polygon([(-0.86, 0.24), (-0.5, -0.2), (0, -0.8), (0.5, -0.2), (0.86, 0.24)], main)
        default: pen.ellipse(0, -0.06, 0.9, 0.42, main)
        }
        for (x, y, r) in [(-0.4, -0.04, 0.14), (0.36, 0.0, 0.16), (0.0, -0.3, 0.13)] as [(Float, Float, Float)] {
            pen.circle(x, y, r, accent)
        }
        if second != 0 { for s in [-1, 1] as [Float] { pen.dot(s * 0.14, 0.48, 0.09) } }
        if second == 2 { pen.line(-0.08, 0.7, 0.08, 0.7, 0.05, tone(0x7A3030)) }
        return Anchors(head: Point(0, first == 2 ? -0.42 : -0.66), headWidth: 0.38, neck: Point(0, 0.34))
    }

    func robot() -> Anchors {
        for s in [-1, 1] as [Float] {
            pen.line(s * 0.22, 0.6, s * 0.24, 0.9, 0.13, darkPart)
            pen.line(s * 0.5, 0.2, s * 0.8, 0.46 - 0.4 * (second == 1 && s > 0 ? 1 : 0), 0.12, darkPart)
        }
        pen.box(0, 0.36, 0.5 + 0.07 * stout, 0.38, main, corner: 0.06)
        pen.box(0, 0.36, 0.22, 0.16, accent, corner: 0.03)
        first == 1
            ? pen.ellipse(0, -0.42, 0.46, 0.36, main)
            : pen.box(0, -0.42, 0.46, 0.34, main, corner: first == 0 ? 0.05 : 0.18)
        pen.line(0, -0.72, 0, -0.92, 0.06, darkPart)
        pen.circle(0, -0.96, 0.14, accent)
        if second == 2 { pen.box(0, -0.46, 0.34, 0.13, tone(0x1D2430), corner: 0.06) }
        for s in [-1, 1] as [Float] {
            pen.circle(s * 0.2, -0.46, 0.15, tone(0xFFF0A0))
            pen.dot(s * 0.2, -0.46, 0.075)
        }
        pen.line(-0.16, -0.2, 0.16, -0.2, 0.055, Paint(colour: Colour(0.1, 0.1, 0.12), shade: 0, outline: 0))
        return Anchors(head: Point(0, -0.76), headWidth: 0.4, neck: Point(0, 0.02))
    }
}
