import Glibc

/// Draws one individual with a pen: back to front, base at y = 1, top near y = −1.
struct SubjectDrawing {
    let subject: Subject
    let pen: Pen
    let isShiny: Bool

    var first: Int { subject.firstPart }
    var second: Int { subject.secondPart }
    /// −1, 0 or 1: slim, usual, stout.
    var stout: Float { Float(subject.build - 1) }

    /// Paint of the main colour, with the individual's pattern.
    var main: Paint { Paint(colour: subject.colour.colour, shade: isShiny ? 0.34 : 0.18, pattern: pattern) }
    /// The main colour without pattern, for small parts.
    var plain: Paint { Paint(colour: subject.colour.colour, shade: 0.14) }
    var accent: Paint { Paint(colour: subject.accent.colour, shade: 0.14) }
    var darkPart: Paint { Paint(colour: subject.colour.colour * 0.68, shade: 0.1) }
    func tone(_ hex: UInt32) -> Paint { Paint(colour: Colour(hex: hex), shade: 0.12) }

    private var pattern: ((Point) -> Colour?)? {
        let second = Colour.mix(subject.accent.colour, subject.colour.colour, 0.12)
        switch subject.pattern {
        case .plain: return nil
        case .striped:
            return { (($0.x * 0.35 + $0.y + 8) / 0.34).truncatingRemainder(dividingBy: 1) < 0.42 ? second : nil }
        case .chequered:
            return {
                (Int((($0.x + 8) / 0.3).rounded(.down)) + Int((($0.y + 8) / 0.3).rounded(.down))) % 2 == 0
                    ? second : nil
            }
        case .spotted:
            return { p in
                let row = ((p.y + 8) / 0.36).rounded(.down)
                let shift: Float = Int(row) % 2 == 0 ? 0 : 0.21
                let u = ((p.x + 8 + shift) / 0.42).truncatingRemainder(dividingBy: 1) - 0.5
                let v = (p.y + 8) / 0.36 - row - 0.5
                return u * u * 0.18 + v * v * 0.13 < 0.0135 ? second : nil
            }
        }
    }

    /// Paints the individual; says where its head and neck are.
    func paint() -> Anchors {
        let anchors = drawn()
        if isShiny {
            let light = Paint(colour: Colour(1, 1, 1), shade: 0, outline: 0, opacity: 0.9)
            pen.ellipse(-0.3, -0.12, 0.2, 0.09, light, angle: -0.7)
            pen.circle(-0.02, -0.3, 0.07, light)
        }
        return anchors
    }

    private func drawn() -> Anchors {
        switch subject.kind {
        case .dog: dog()
        case .cat: cat()
        case .rabbit: rabbit()
        case .bear: bear()
        case .bird: bird()
        case .fish: fish()
        case .turtle: turtle()
        case .owl: owl()
        case .car: car()
        case .truck: truck()
        case .boat: boat()
        case .rocket: rocket()
        case .apple: apple()
        case .cake: cake()
        case .iceCream: iceCream()
        case .mug: mug()
        case .teapot: teapot()
        case .clock: clock()
        case .lamp: lamp()
        case .vase: vase()
        case .backpack: backpack()
        case .flower: flower()
        case .tree: tree()
        case .cactus: cactus()
        case .mushroom: mushroom()
        case .robot: robot()
        }
    }
}
