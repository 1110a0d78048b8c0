/// Places on a subject, in its pen's units, where things can be put.
struct Anchors {
    /// Top of the head, and half its width there.
    var head: Point
    var headWidth: Float
    /// Where a bow sits.
    var neck: Point
}

/// Things worn or carried.
struct AccessoryDrawing {
    let accessory: Accessory
    let pen: Pen
    let anchors: Anchors

    private func paint(_ hex: UInt32, shade: Float = 0.16) -> Paint { Paint(colour: Colour(hex: hex), shade: shade) }

    func paint() {
        let x = anchors.head.x
        let y = anchors.head.y
        let w = max(anchors.headWidth, 0.3)
        switch accessory {
        case .none, .shiny, .glowing: break
        case .redHat:
            pen.box(x, y - 0.02, w * 1.15, 0.09, paint(0xC81E1E), corner: 0.08)
            pen.box(x, y - 0.26, w * 0.7, 0.24, paint(0xE02626), corner: 0.1)
            pen.box(x, y - 0.1, w * 0.7, 0.06, paint(0x2B2B2B), corner: 0)
        case .santaHat:
            pen.polygon([(x - w * 0.85, y), (x + w * 0.5, y - 0.62), (x + w * 0.85, y)], paint(0xD81F2A))
            pen.box(x, y, w * 1.0, 0.11, paint(0xFFFFFF, shade: 0.05), corner: 0.1)
            pen.circle(x + w * 0.55, y - 0.62, 0.15, paint(0xFFFFFF, shade: 0.05))
        case .crown:
            pen.polygon(
                [
                    (x - w * 0.8, y + 0.04), (x - w * 0.9, y - 0.42), (x - w * 0.4, y - 0.2), (x, y - 0.5),
                    (x + w * 0.4, y - 0.2), (x + w * 0.9, y - 0.42), (x + w * 0.8, y + 0.04),
                ],
                paint(0xFFC928))
            pen.circle(x, y - 0.12, 0.09, paint(0xE0243C))
        case .balloon:
            pen.line(1.0, 0.3, 1.2, -0.75, 0.03, Paint(colour: Colour(0.25, 0.25, 0.3), shade: 0, outline: 0))
            pen.ellipse(1.2, -1.05, 0.34, 0.42, paint(0xF0306A, shade: 0.35))
        case .bowTie:
            let n = anchors.neck
            pen.polygon([(n.x, n.y), (n.x - 0.34, n.y - 0.2), (n.x - 0.34, n.y + 0.2)], paint(0x23B14D))
            pen.polygon([(n.x, n.y), (n.x + 0.34, n.y - 0.2), (n.x + 0.34, n.y + 0.2)], paint(0x23B14D))
            pen.circle(n.x, n.y, 0.1, paint(0x188038))
        case .umbrella:
            pen.line(0.95, 0.5, 0.95, -1.1, 0.05, paint(0x6B4423))
            pen.polygon(
                [
                    (-0.35, -1.0), (-0.1, -1.4), (0.5, -1.66), (0.95, -1.72), (1.4, -1.66), (1.9, -1.4), (2.1, -1.0),
                    (1.5, -1.14), (0.95, -1.02), (0.3, -1.14),
                ],
                Paint(
                    colour: Colour(hex: 0xF2C230),
                    pattern: { Int(($0.x + 4) * 2.6) % 2 == 0 ? Colour(hex: 0x2A7FD4) : nil }))
        }
    }
}
