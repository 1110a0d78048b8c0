/// Draws one individual with a pen: back to front, base at y = 1, top near y = −1.
struct SubjectDrawing {
    let subject: Subject
    let pen: Pen

    var first: Int { subject.firstPart }
    var second: Int { subject.secondPart }
    /// −1, 0 or 1: slim, usual, stout.
    var stout: Float { Float(subject.build - 1) }

    /// Paint of the main colour, with the individual's pattern.
    var main: Paint { Paint(colour: subject.colour.colour, shade: 0.14, pattern: pattern) }
    /// The main colour without pattern, for small parts.
    var plain: Paint { Paint(colour: subject.colour.colour, shade: 0.12) }
    var accent: Paint { Paint(colour: subject.accent.colour, shade: 0.14) }
    var darkPart: Paint { Paint(colour: subject.colour.colour * 0.82, shade: 0.1) }
    func tone(_ hex: UInt32) -> Paint { Paint(colour: Colour(hex: hex), shade: 0.12) }

    /// Marks at least a token wide (4 of 64 pixels) that leave the main colour most of the surface: spots and stripes
    /// a quarter in the second colour, checks in a darker tone of the main one.
    private var pattern: ((Point) -> Colour?)? {
        let second = subject.accent.colour
        switch subject.pattern {
        case .plain: return nil
        case .striped:
            return { (($0.x * 0.35 + $0.y + 8.1) / 0.6).truncatingRemainder(dividingBy: 1) < 0.27 ? second : nil }
        case .chequered:
            let tone = subject.colour == .black ? Colour(hex: 0x5C5C68) : subject.colour.colour * 0.78
            return {
                (Int((($0.x + 8) / 0.4).rounded(.down)) + Int((($0.y + 8.1) / 0.4).rounded(.down))) % 2 == 0
                    ? tone : nil
            }
        case .spotted:
            return { p in
                let row = ((p.y + 8.1) / 0.44).rounded(.down)
                let shift: Float = Int(row) % 2 == 0 ? 0 : 0.3
                let u = (((p.x + 8 + shift) / 0.6).truncatingRemainder(dividingBy: 1) - 0.5) * 0.6
                let v = ((p.y + 8.1) / 0.44 - row - 0.5) * 0.44
                return u * u + v * v < 0.135 * 0.135 ? second : nil
            }
        }
    }

    /// Paints the individual; says where its head and neck are.
    func paint() -> Anchors {
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
