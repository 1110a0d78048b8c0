/// Animals: bold silhouettes first, then faces that survive at 64 pixels.
extension SubjectDrawing {
    private var nose: Paint { tone(0x2A1E1E) }
    /// A pale tint of the main colour around mouths; of black, a grey.
    private var muzzle: Paint {
        Paint(
            colour: .mix(subject.colour.colour, Colour(1, 0.97, 0.9), subject.colour == .black ? 0.35 : 0.6),
            shade: 0.05)
    }

    /// From the side on four legs, with a snout and a raised tail: nothing else has this outline.
    func dog() -> Anchors {
        let belly = 0.29 + 0.05 * stout
        pen.line(-0.72, 0.12, -1.0, -0.28 - 0.14 * Float(second), 0.11, plain)
        for x in [-0.44, 0.24] as [Float] { pen.line(x, 0.5, x, 0.88, 0.12, darkPart) }
        pen.line(0.32, 0.2, 0.46, -0.2, 0.24, plain)
        pen.box(-0.16, 0.3, 0.66, belly, main, corner: 0.27)
        for x in [-0.66, 0.42] as [Float] {
            pen.line(x, 0.44, x, 0.86, 0.13, plain)
            pen.ellipse(x + 0.06, 0.92, 0.2, 0.1, plain)
        }
        pen.line(0.2, -0.02, 0.56, 0.12, 0.11, accent)
        pen.ellipse(0.84, -0.26, 0.3, 0.2, muzzle)
        pen.ellipse(0.46, -0.42, 0.42, 0.36, plain)
        pen.ellipse(1.06, -0.36, 0.12, 0.1, nose)
        switch first {
        case 0: pen.ellipse(0.18, -0.26, 0.17, 0.42, darkPart, angle: 0.15)
        case 1: pen.polygon([(0.08, -0.6), (0.14, -1.08), (0.48, -0.7)], darkPart)
        default: pen.ellipse(0.12, -0.58, 0.32, 0.17, darkPart, angle: -0.5)
        }
        pen.eye(0.6, -0.5, 0.15)
        return Anchors(head: Point(0.44, -0.76), headWidth: 0.38, neck: Point(0.38, 0.06))
    }

    func cat() -> Anchors {
        let w = 0.46 + 0.08 * stout
        pen.line(w, 0.74, w + 0.4, 0.34, 0.12, plain)
        pen.line(w + 0.4, 0.34, w + 0.26 + 0.08 * Float(second), -0.04, 0.12, second == 2 ? accent : plain)
        pen.ellipse(0, 0.56, w, 0.46, main)
        for x in [-0.2, 0.2] as [Float] { pen.ellipse(x, 0.92, 0.17, 0.11, plain) }
        for s in [-1, 1] as [Float] {
            let tip: Float = first == 0 ? -1.1 : first == 1 ? -0.94 : -1.02
            pen.polygon([(s * 0.06, -0.58), (s * (first == 2 ? 0.68 : 0.5), tip), (s * 0.6, -0.26)], plain)
            pen.polygon(
                [(s * 0.24, -0.58), (s * (first == 2 ? 0.58 : 0.46), tip + 0.24), (s * 0.48, -0.4)],
                Paint(colour: subject.accent.colour, shade: 0, outline: 0))
        }
        pen.ellipse(0, -0.22, 0.62, 0.44, main)
        pen.ellipse(0, -0.04, 0.26, 0.17, muzzle)
        for s in [-1, 1] as [Float] {
            pen.ellipse(
                s * 0.27, -0.32, 0.155, 0.17,
                Paint(colour: Colour(hex: 0xCFF77E), shade: 0, outline: 0.6, outlineColour: Colour(0.1, 0.1, 0.1)))
            pen.ellipse(s * 0.27, -0.32, 0.07, 0.15, Paint(colour: Colour(0.05, 0.05, 0.07), shade: 0, outline: 0))
        }
        pen.polygon([(-0.11, -0.13), (0.11, -0.13), (0, 0.0)], tone(0xF0688E))
        return Anchors(head: Point(0, -0.64), headWidth: 0.36, neck: Point(0, 0.24))
    }

    func rabbit() -> Anchors {
        for s in [-1, 1] as [Float] {
            let lean: Float = first == 0 ? 0.12 : first == 1 ? 0.3 : 0.02
            pen.ellipse(s * (0.22 + lean), -0.78, 0.17, 0.44, plain, angle: s * lean)
            pen.ellipse(
                s * (0.22 + lean), -0.78, 0.08, 0.28, Paint(colour: Colour(hex: 0xFFB3C8), shade: 0, outline: 0),
                angle: s * lean)
        }
        pen.circle(0.54 + 0.06 * stout, 0.72, 0.2, accent)
        pen.ellipse(0, 0.55, 0.48 + 0.08 * stout, 0.46, main)
        pen.ellipse(0, 0.66, 0.2, 0.2, accent)
        for x in [-0.24, 0.24] as [Float] { pen.ellipse(x, 0.93, 0.22, 0.11, plain) }
        pen.ellipse(0, -0.14, 0.5, 0.42, main)
        for s in [-1, 1] as [Float] { second == 0 ? pen.dot(s * 0.22, -0.2, 0.12) : pen.eye(s * 0.22, -0.22, 0.15) }
        pen.ellipse(0, 0.0, 0.11, 0.08, tone(0xF0688E))
        if second == 2 { pen.box(0, 0.16, 0.11, 0.1, tone(0xFFFFFF), corner: 0.01) }
        return Anchors(head: Point(0, -0.52), headWidth: 0.36, neck: Point(0, 0.28))
    }

    /// Sitting, broad, with small round ears and arms that stand off.
    func bear() -> Anchors {
        for s in [-1, 1] as [Float] {
            let ear: Float = first == 0 ? 0.22 : first == 1 ? 0.27 : 0.19
            pen.circle(s * 0.42, -0.72, ear, plain)
            pen.circle(s * 0.42, -0.72, ear * 0.5, Paint(colour: subject.accent.colour, shade: 0, outline: 0))
            pen.ellipse(s * (0.62 + 0.05 * stout), 0.3, 0.17, 0.34, plain, angle: -s * 0.6)
            pen.ellipse(s * 0.46, 0.84, 0.27, 0.2, plain)
        }
        pen.ellipse(0, 0.46, 0.58 + 0.07 * stout, 0.5, main)
        if second != 1 { pen.ellipse(0, 0.5, 0.28, 0.27, accent) }
        pen.ellipse(0, -0.32, 0.56, 0.48, main)
        pen.ellipse(0, -0.14, 0.28, 0.21, muzzle)
        pen.ellipse(0, -0.23, 0.14, 0.1, nose)
        for s in [-1, 1] as [Float] { pen.dot(s * 0.25, -0.42, second == 2 ? 0.13 : 0.1) }
        return Anchors(head: Point(0, -0.78), headWidth: 0.4, neck: Point(0, 0.14))
    }

    func bird() -> Anchors {
        for x in [-0.12, 0.16] as [Float] { pen.line(x, 0.55, x, 0.92, 0.075, tone(0xF2A33A)) }
        let spread: Float = first == 0 ? 0 : first == 1 ? 0.22 : -0.2
        pen.polygon([(-0.45, 0.2), (-1.0, 0.0 - spread), (-0.95, 0.35 - spread), (-0.4, 0.5)], darkPart)
        pen.ellipse(0, 0.2, 0.56, 0.46 + 0.07 * stout, main)
        pen.ellipse(0.16, 0.38, 0.3, 0.22, accent)
        pen.circle(0.4, -0.4, 0.38, main)
        switch second {
        case 0: pen.polygon([(0.2, -0.72), (0.1, -1.08), (0.36, -0.8), (0.4, -1.12), (0.52, -0.74)], accent)
        case 1: pen.line(0.34, -0.74, 0.1, -0.98, 0.1, accent)
        default: break
        }
        pen.polygon([(0.72, -0.5), (1.12, -0.34), (0.72, -0.22)], tone(0xF5A623))
        pen.eye(0.48, -0.46, 0.15)
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
        pen.eye(0.46, -0.02, 0.16)
        pen.line(0.62, 0.3, 0.76, 0.24, 0.05, Paint(colour: Colour(0.15, 0.1, 0.1), shade: 0, outline: 0))
        return Anchors(head: Point(0.3, 0.12 - h), headWidth: 0.34, neck: Point(0.2, 0.46))
    }

    func turtle() -> Anchors {
        let skin = tone(first == 0 ? 0x8FBF6A : first == 1 ? 0xC9B27A : 0x6FA08A)
        for x in [-0.5, 0.4] as [Float] { pen.ellipse(x, 0.78, 0.18, 0.2, skin) }
        pen.ellipse(0.84, 0.14, 0.3, 0.27, skin)
        pen.polygon([(-0.75, 0.6), (-1.05, 0.72), (-0.7, 0.74)], skin)
        pen.ellipse(-0.04, 0.36, 0.76, 0.52 + 0.1 * stout, main)
        pen.box(-0.04, 0.72, 0.76, 0.11, accent, corner: 0.12)
        if second != 0 {
            for x in second == 1 ? [-0.04] as [Float] : [-0.36, 0.28] { pen.ellipse(x, 0.24, 0.19, 0.16, accent) }
        }
        pen.eye(0.9, 0.1, 0.13)
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
        pen.ellipse(0, 0.46, 0.26, 0.28, accent)
        for s in [-1, 1] as [Float] {
            pen.ellipse(s * (0.55 + 0.08 * stout), 0.25, 0.17, 0.42, darkPart, angle: s * (second == 1 ? -0.5 : 0.12))
            pen.circle(s * 0.26, -0.34, 0.24, tone(0xFFF6DA))
            pen.circle(s * 0.25, -0.34, second == 2 ? 0.16 : 0.13, tone(0x1A1A1E))
        }
        pen.polygon([(-0.12, -0.2), (0.12, -0.2), (0, 0.06)], tone(0xF5A623))
        return Anchors(head: Point(0, -0.7), headWidth: 0.4, neck: Point(0, 0.08))
    }
}
