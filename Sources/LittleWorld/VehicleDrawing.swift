/// Car, truck, boat and rocket.
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
}
