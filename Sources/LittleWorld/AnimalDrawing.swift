/// Animals: bold silhouettes first, then faces that survive at 64 pixels.
extension SubjectDrawing {
    private var nose: Paint { tone(0x2A1E1E) }

    func dog() -> Anchors {
        let w = 0.52 + 0.07 * stout
        pen.line(-w, 0.45, -w - 0.35, 0.05 - 0.2 * Float(second), 0.1, plain)
        pen.ellipse(0, 0.55, w, 0.46, main)
        for x in [-w * 0.62, w * 0.62] { pen.ellipse(x, 0.9, 0.19, 0.13, plain) }
        pen.ellipse(0, -0.28, 0.54, 0.5, main)
        switch first {
        case 0: for s in [-1, 1] as [Float] { pen.ellipse(s * 0.56, -0.18, 0.17, 0.42, darkPart, angle: -s * 0.2) }
        case 1:
            for s in [-1, 1] as [Float] {
                pen.polygon([(s * 0.2, -0.66), (s * 0.58, -1.02), (s * 0.56, -0.42)], darkPart)
            }
        default: for s in [-1, 1] as [Float] { pen.ellipse(s * 0.52, -0.6, 0.3, 0.15, darkPart, angle: s * 0.7) }
        }
        pen.ellipse(0, -0.08, 0.3, 0.23, accent)
        pen.ellipse(0, -0.2, 0.12, 0.09, nose)
        for s in [-1, 1] as [Float] { pen.eye(s * 0.23, -0.42, 0.115) }
        return Anchors(head: Point(0, -0.74), headWidth: 0.42, neck: Point(0, 0.24))
    }

    func cat() -> Anchors {
        let w = 0.46 + 0.08 * stout
        pen.line(w, 0.7, w + 0.38, 0.25, 0.09, plain)
        pen.line(w + 0.38, 0.25, w + 0.26 + 0.1 * Float(second), -0.1, 0.09, second == 2 ? accent : plain)
        pen.ellipse(0, 0.56, w, 0.45, main)
        for x in [-0.2, 0.2] as [Float] { pen.ellipse(x, 0.92, 0.15, 0.11, plain) }
        for s in [-1, 1] as [Float] {
            let tip: Float = first == 0 ? -1.02 : first == 1 ? -0.86 : -0.95
            pen.polygon([(s * 0.14, -0.6), (s * (first == 2 ? 0.62 : 0.48), tip), (s * 0.54, -0.3)], plain)
            pen.polygon(
                [(s * 0.24, -0.6), (s * (first == 2 ? 0.55 : 0.44), tip + 0.17), (s * 0.46, -0.42)],
                Paint(colour: subject.accent.colour, shade: 0, outline: 0))
        }
        pen.ellipse(0, -0.26, 0.56, 0.45, main)
        for s in [-1, 1] as [Float] {
            pen.ellipse(
                s * 0.24, -0.33, 0.13, 0.14,
                Paint(colour: Colour(hex: 0xBDF07A), shade: 0, outline: 0.5, outlineColour: Colour(0.1, 0.1, 0.1)))
            pen.ellipse(s * 0.24, -0.33, 0.05, 0.13, Paint(colour: Colour(0.05, 0.05, 0.07), shade: 0, outline: 0))
            for k in [-1, 1] as [Float] {
                pen.line(
                    s * 0.3, -0.08, s * 0.74, -0.08 + 0.1 * k, 0.022,
                    Paint(colour: Colour(0.15, 0.15, 0.15), shade: 0, outline: 0))
            }
        }
        pen.polygon([(-0.08, -0.17), (0.08, -0.17), (0, -0.06)], tone(0xE86A8A))
        return Anchors(head: Point(0, -0.68), headWidth: 0.36, neck: Point(0, 0.2))
    }

    func rabbit() -> Anchors {
        for s in [-1, 1] as [Float] {
            let lean = first == 0 ? 0.12 : first == 1 ? 0.32 : 0.02
            pen.ellipse(s * (0.22 + Float(lean)), -0.82, 0.14, 0.42, plain, angle: s * Float(lean))
            pen.ellipse(
                s * (0.22 + Float(lean)), -0.8, 0.06, 0.28, Paint(colour: Colour(hex: 0xF7A9BE), shade: 0, outline: 0),
                angle: s * Float(lean))
        }
        pen.circle(0.5 + 0.06 * stout, 0.72, 0.16, accent)
        pen.ellipse(0, 0.55, 0.48 + 0.08 * stout, 0.46, main)
        pen.ellipse(0, 0.64, 0.26, 0.28, accent)
        for x in [-0.24, 0.24] as [Float] { pen.ellipse(x, 0.93, 0.2, 0.1, plain) }
        pen.ellipse(0, -0.16, 0.46, 0.4, main)
        for s in [-1, 1] as [Float] { second == 0 ? pen.dot(s * 0.2, -0.22, 0.085) : pen.eye(s * 0.2, -0.24, 0.11) }
        pen.ellipse(0, -0.06, 0.08, 0.06, tone(0xE86A8A))
        if second == 2 { pen.box(0, 0.1, 0.08, 0.08, tone(0xFFFFFF), corner: 0.01) }
        return Anchors(head: Point(0, -0.54), headWidth: 0.34, neck: Point(0, 0.22))
    }

    func bear() -> Anchors {
        for s in [-1, 1] as [Float] {
            pen.circle(s * 0.42, -0.68, first == 0 ? 0.2 : first == 1 ? 0.26 : 0.15, plain)
            pen.circle(
                s * 0.42, -0.68, first == 0 ? 0.1 : 0.12, Paint(colour: subject.accent.colour, shade: 0, outline: 0))
            pen.ellipse(s * (0.54 + 0.06 * stout), 0.4, 0.17, 0.34, plain, angle: -s * 0.5)
            pen.ellipse(s * 0.36, 0.86, 0.22, 0.17, plain)
        }
        pen.ellipse(0, 0.48, 0.56 + 0.08 * stout, 0.5, main)
        if second != 1 { pen.ellipse(0, 0.52, 0.3, 0.3, accent) }
        pen.circle(0, -0.3, 0.5, main)
        pen.ellipse(0, -0.16, 0.26, 0.2, accent)
        pen.ellipse(0, -0.26, 0.12, 0.08, nose)
        for s in [-1, 1] as [Float] { pen.dot(s * 0.22, -0.4, 0.085) }
        if second == 2 {
            pen.line(0, -0.2, 0, -0.06, 0.025, Paint(colour: Colour(0.1, 0.08, 0.08), shade: 0, outline: 0))
        }
        return Anchors(head: Point(0, -0.76), headWidth: 0.4, neck: Point(0, 0.2))
    }

    func bird() -> Anchors {
        for x in [-0.12, 0.16] as [Float] { pen.line(x, 0.55, x, 0.96, 0.05, tone(0xF2A33A)) }
        let spread: Float = first == 0 ? 0 : first == 1 ? 0.22 : -0.2
        pen.polygon([(-0.45, 0.2), (-1.0, 0.0 - spread), (-0.95, 0.35 - spread), (-0.4, 0.5)], darkPart)
        pen.ellipse(0, 0.2, 0.56, 0.46 + 0.07 * stout, main)
        pen.ellipse(0.12, 0.34, 0.34, 0.28, accent)
        pen.circle(0.4, -0.4, 0.38, main)
        switch second {
        case 0: pen.polygon([(0.2, -0.72), (0.1, -1.08), (0.36, -0.8), (0.4, -1.12), (0.52, -0.74)], accent)
        case 1: pen.line(0.34, -0.76, 0.12, -1.02, 0.06, accent)
        default: break
        }
        pen.polygon([(0.72, -0.5), (1.12, -0.34), (0.72, -0.22)], tone(0xF5A623))
        pen.eye(0.5, -0.46, 0.12)
        pen.ellipse(-0.12, 0.16, 0.36, 0.2, darkPart, angle: 0.5)
        return Anchors(head: Point(0.38, -0.74), headWidth: 0.32, neck: Point(0.36, -0.04))
    }

    func fish() -> Anchors {
        let h = 0.46 + 0.09 * stout
        pen.polygon(
            first == 0
                ? [(-0.6, 0.1), (-1.12, -0.38), (-0.98, 0.1), (-1.12, 0.58)]
                : first == 1
                    ? [(-0.6, 0.1), (-1.1, -0.2), (-1.1, 0.4)]
                    : [(-0.55, 0.1), (-1.0, -0.5), (-0.84, 0.1), (-1.0, 0.7)], accent)
        pen.polygon(
            second == 0
                ? [(-0.3, -0.22), (0.05, -0.78), (0.35, -0.2)]
                : second == 1
                    ? [(-0.4, -0.2), (-0.3, -0.62), (0.35, -0.5), (0.4, -0.15)]
                    : [(-0.1, -0.2), (0.3, -0.7), (0.3, -0.2)], darkPart)
        pen.ellipse(0.05, 0.1, 0.76, h, main)
        pen.polygon([(-0.05, 0.25), (-0.38, 0.62), (0.18, 0.42)], darkPart)
        pen.eye(0.46, -0.02, 0.14)
        pen.line(0.62, 0.3, 0.76, 0.24, 0.035, Paint(colour: Colour(0.15, 0.1, 0.1), shade: 0, outline: 0))
        return Anchors(head: Point(0.3, 0.12 - h), headWidth: 0.34, neck: Point(0.2, 0.46))
    }

    func turtle() -> Anchors {
        let skin = tone(first == 0 ? 0x8FBF6A : first == 1 ? 0xC9B27A : 0x6FA08A)
        for x in [-0.5, 0.4] as [Float] { pen.ellipse(x, 0.78, 0.18, 0.2, skin) }
        pen.ellipse(0.82, 0.16, 0.28, 0.24, skin)
        pen.polygon([(-0.75, 0.6), (-1.05, 0.72), (-0.7, 0.74)], skin)
        pen.ellipse(-0.04, 0.36, 0.76, 0.52 + 0.1 * stout, main)
        pen.box(-0.04, 0.68, 0.76, 0.13, accent, corner: 0.12)
        if second != 0 {
            for x in second == 1 ? [-0.04] as [Float] : [-0.36, 0.28] { pen.ellipse(x, 0.26, 0.17, 0.15, accent) }
        }
        pen.eye(0.9, 0.1, 0.1)
        return Anchors(head: Point(0.82, -0.04), headWidth: 0.3, neck: Point(0.62, 0.4))
    }

    func owl() -> Anchors {
        for x in [-0.2, 0.2] as [Float] { pen.ellipse(x, 0.92, 0.15, 0.09, tone(0xF2A33A)) }
        if first != 2 {
            for s in [-1, 1] as [Float] {
                pen.polygon([(s * 0.16, -0.66), (s * (first == 0 ? 0.5 : 0.62), -1.05), (s * 0.56, -0.4)], darkPart)
            }
        }
        pen.ellipse(0, 0.1, 0.58 + 0.08 * stout, 0.8, main)
        pen.ellipse(0, 0.4, 0.36, 0.42, accent)
        for s in [-1, 1] as [Float] {
            pen.ellipse(s * (0.55 + 0.08 * stout), 0.25, 0.17, 0.42, darkPart, angle: s * (second == 1 ? -0.5 : 0.12))
            pen.circle(s * 0.25, -0.34, 0.25, tone(0xFFF6DA))
            pen.circle(s * 0.25, -0.34, second == 2 ? 0.14 : 0.11, tone(0x1A1A1E))
        }
        pen.polygon([(-0.09, -0.22), (0.09, -0.22), (0, 0.02)], tone(0xF5A623))
        return Anchors(head: Point(0, -0.7), headWidth: 0.4, neck: Point(0, 0.08))
    }
}
