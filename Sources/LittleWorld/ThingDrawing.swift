import Glibc

/// Things of a home, and the robot.
extension SubjectDrawing {
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
