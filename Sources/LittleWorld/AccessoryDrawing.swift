/// Places on a subject, in its pen's units, where things can be put.
struct Anchors {
    /// Top of the head, and half its width there.
    var head: Point
    var headWidth: Float
    /// Where a bow or a scarf sits.
    var neck: Point
}

/// Things worn or carried, in colours of their own; at 64 pixels no part is thinner than two.
struct AccessoryDrawing {
    let accessory: Accessory
    let pen: Pen

    private func paint(_ hex: UInt32, shade: Float = 0.14) -> Paint { Paint(colour: Colour(hex: hex), shade: shade) }

    /// What the subject hides: strings and sticks.
    func paintBehind() {
        switch accessory {
        case .balloon: pen.line(0.5, 0.3, 1.05, -0.85, 0.055, paint(0x4A4A55))
        case .umbrella: pen.line(0.0, 0.2, 0.0, -1.3, 0.065, paint(0x6B4423))
        default: break
        }
    }

    func paint(at anchors: Anchors) {
        let x = anchors.head.x
        let y = anchors.head.y
        let w = max(anchors.headWidth, 0.34) * 1.12
        switch accessory {
        case .none: break
        case .redHat: redHat(x, y, w)
        case .santaHat: santaHat(x, y, w)
        case .wizardHat: wizardHat(x, y, w)
        case .crown: crown(x, y, w)
        case .balloon:
            pen.ellipse(1.05, -1.15, 0.33, 0.4, paint(0xF0306A, shade: 0.25))
            pen.ellipse(
                0.94, -1.28, 0.08, 0.11, Paint(colour: Colour(1, 1, 1), shade: 0, outline: 0, opacity: 0.8), angle: 0.5)
        case .umbrella: umbrella()
        case .bowTie: bow(anchors.neck.x, anchors.neck.y)
        case .scarf: scarf(anchors.neck.x, anchors.neck.y, w)
        }
    }

    private func redHat(_ x: Float, _ y: Float, _ w: Float) {
        pen.box(x, y - 0.26, w * 0.72, 0.26, paint(0xE02030), corner: 0.1)
        pen.box(x, y - 0.12, w * 0.72, 0.07, Paint(colour: Colour(0.14, 0.12, 0.16), shade: 0, outline: 0), corner: 0)
        pen.box(x, y, w * 1.25, 0.1, paint(0xE02030), corner: 0.09)
    }

    private func santaHat(_ x: Float, _ y: Float, _ w: Float) {
        pen.polygon([(x - w * 0.9, y), (x + w * 0.55, y - 0.62), (x + w * 0.9, y)], paint(0xE02030))
        pen.box(x, y, w * 1.1, 0.12, paint(0xFFFFFF, shade: 0.04), corner: 0.11)
        pen.circle(x + w * 0.6, y - 0.6, 0.17, paint(0xFFFFFF, shade: 0.04))
    }

    private func wizardHat(_ x: Float, _ y: Float, _ w: Float) {
        pen.polygon([(x - w * 0.85, y), (x, y - 0.72), (x + w * 0.85, y)], paint(0x7A2FC2))
        pen.circle(x, y - 0.24, 0.11, Paint(colour: Colour(hex: 0xFFE14A), shade: 0, outline: 0))
        pen.box(x, y, w * 1.35, 0.09, paint(0x7A2FC2), corner: 0.08)
    }

    private func crown(_ x: Float, _ y: Float, _ w: Float) {
        pen.polygon(
            [
                (x - w * 0.85, y + 0.06), (x - w, y - 0.44), (x - w * 0.42, y - 0.2), (x, y - 0.54),
                (x + w * 0.42, y - 0.2), (x + w, y - 0.44), (x + w * 0.85, y + 0.06),
            ], paint(0xFFC81E))
        pen.circle(x, y - 0.1, 0.1, Paint(colour: Colour(hex: 0xE0243C), shade: 0, outline: 0))
    }

    private func umbrella() {
        pen.polygon(
            [
                (-1.0, -1.08), (-0.86, -1.34), (-0.5, -1.56), (0, -1.64), (0.5, -1.56), (0.86, -1.34), (1.0, -1.08),
                (0.66, -1.16), (0.33, -1.06), (0, -1.16), (-0.33, -1.06), (-0.66, -1.16),
            ],
            Paint(
                colour: Colour(hex: 0xFFCB2E), shade: 0.1,
                pattern: { Int(($0.x + 4) * 3) % 2 == 0 ? Colour(hex: 0x2A7FD4) : nil }))
    }

    private func bow(_ x: Float, _ y: Float) {
        for side in [-1, 1] as [Float] {
            pen.polygon(
                [(x, y), (x + side * 0.38, y - 0.23), (x + side * 0.38, y + 0.23)], paint(0x22B851))
        }
        pen.circle(x, y, 0.12, paint(0x15853A))
    }

    /// Three broad stripes and a hanging end.
    private func scarf(_ x: Float, _ y: Float, _ w: Float) {
        let colours: [UInt32] = [0xE8323C, 0xFFD23A, 0x2F8FE8]
        let striped = { (p: Point) -> Colour? in Colour(hex: colours[abs(Int((p.x + 4.1) * 5)) % 3]) }
        let hanging = { (p: Point) -> Colour? in Colour(hex: colours[abs(Int((p.y + 4) * 5)) % 3]) }
        pen.box(
            x + w * 0.5, y + 0.26, 0.14, 0.26, Paint(colour: .one, shade: 0.06, pattern: hanging), corner: 0.04)
        pen.box(x, y, w * 1.2, 0.14, Paint(colour: .one, shade: 0.06, pattern: striped), corner: 0.12)
    }
}
