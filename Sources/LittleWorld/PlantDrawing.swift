import Glibc

/// Flower, tree, cactus and mushroom.
extension SubjectDrawing {
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
}
