/// Apple, cake and ice cream.
extension SubjectDrawing {
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
}
