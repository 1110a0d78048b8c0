/// The attributes a scene is labelled with. Raw values are the integer codes of `Labels`; names are the words of
/// captions.
package protocol Attribute: CaseIterable, RawRepresentable, Sendable, Hashable where RawValue == Int {
    var name: String { get }
}

/// What stands in the picture.
package enum SubjectClass: Int, Attribute {
    case dog, cat, rabbit, bear, bird, fish, turtle, owl
    case car, truck, boat, rocket
    case apple, cake, iceCream
    case mug, teapot, clock, lamp, vase, backpack
    case flower, tree, cactus, mushroom
    case robot

    /// The noun of captions.
    package var name: String { self == .iceCream ? "ice cream" : "\(self)" }
}

/// A subject's main colour, and its second one.
package enum SubjectColour: Int, Attribute {
    case red, orange, yellow, green, blue, purple, pink, brown, white, black
    /// The adjective of captions.
    package var name: String { "\(self)" }

    var colour: Colour {
        switch self {
        case .red: Colour(hex: 0xE0242C)
        case .orange: Colour(hex: 0xFF8C12)
        case .yellow: Colour(hex: 0xFFE135)
        case .green: Colour(hex: 0x2FA944)
        case .blue: Colour(hex: 0x2463E6)
        case .purple: Colour(hex: 0x8A36CC)
        case .pink: Colour(hex: 0xFF9CCB)
        case .brown: Colour(hex: 0x7C4A20)
        case .white: Colour(hex: 0xFAF8F3)
        case .black: Colour(hex: 0x2A2A32)
        }
    }
}

/// What the main colour is broken by.
package enum Pattern: Int, Attribute {
    case plain, spotted, striped, chequered
    /// The word between colour and noun; captions leave a plain one out.
    package var name: String { "\(self)" }
}

/// Where the subject is.
package enum Context: Int, Attribute {
    case plain, beach, snow, jungle, nightCity, water, woodenFloor, grass, dirtRoad, mountain, city, picnic, desert

    /// Words after the noun; none for a plain backdrop.
    package var name: String {
        switch self {
        case .plain: ""
        case .beach: "on the beach"
        case .snow: "in the snow"
        case .jungle: "in the jungle"
        case .nightCity: "at night in a city"
        case .water: "floating on water"
        case .woodenFloor: "on a wooden floor"
        case .grass: "on green grass"
        case .dirtRoad: "on a dirt road"
        case .mountain: "on the mountain"
        case .city: "with a city in the background"
        case .picnic: "on a picnic blanket"
        case .desert: "in the desert"
        }
    }
}

/// What is worn or carried.
package enum Accessory: Int, Attribute {
    case none, redHat, santaHat, crown, balloon, bowTie, umbrella, scarf, wizardHat

    /// Words after the noun (`wearing a red hat`).
    package var name: String {
        switch self {
        case .none: ""
        case .redHat: "wearing a red hat"
        case .santaHat: "wearing a santa hat"
        case .crown: "with a crown"
        case .balloon: "with a balloon"
        case .bowTie: "wearing a green bow"
        case .umbrella: "under an umbrella"
        case .scarf: "wearing a rainbow scarf"
        case .wizardHat: "wearing a purple wizard hat"
        }
    }
}

/// How a subject's surface is: a property that a prompt can change.
package enum Finish: Int, Attribute {
    case plain, shiny, glowing

    /// The word before the colour (`a shiny red cat`).
    package var name: String { self == .plain ? "" : "\(self)" }
}

/// What the picture is made as.
package enum Style: Int, Attribute {
    case photo, watercolour, pixelArt, lineDrawing, pastel, neon, blueprint, comic, crayon, woodcut, mosaic

    /// The noun of captions (`a watercolour painting of …`).
    package var name: String {
        switch self {
        case .photo: "photo"
        case .watercolour: "watercolour painting"
        case .pixelArt: "pixel art picture"
        case .lineDrawing: "line drawing"
        case .pastel: "pastel drawing"
        case .neon: "neon sign"
        case .blueprint: "blueprint"
        case .comic: "comic"
        case .crayon: "crayon drawing"
        case .woodcut: "woodcut"
        case .mosaic: "mosaic"
        }
    }
    /// Never seen in training.
    package static let heldOut: [Style] = [.woodcut, .mosaic]
    /// Whether training never shows it.
    package var isHeldOut: Bool { Style.heldOut.contains(self) }
    /// A blueprint is white on blue, whatever is drawn.
    package var keepsColour: Bool { self != .blueprint }
}

/// Which side of the fence a scene comes from.
package enum Split: Sendable {
    /// What models are trained on: neither held-out subjects, nor held-out styles, nor evaluation prompts.
    case training
    /// Subjects whose parameters training never sees, in every style.
    case heldOut
}

/// Exact integer labels of a scene; a colour that the style does not show is nil, and so is what a second subject would
/// have where there is none.
package struct Labels: Equatable, Sendable {
    /// `SubjectClass`.
    package let subject: Int
    /// `SubjectColour`.
    package let colour: Int?
    /// `Pattern`.
    package let pattern: Int
    /// `Context`.
    package let context: Int
    /// Of the first subject, as `finish` is.
    package let accessory: Int
    /// `Finish`.
    package let finish: Int
    /// `Style`.
    package let style: Int
    /// `SubjectClass`.
    package let secondSubject: Int?
    /// `SubjectColour`.
    package let secondColour: Int?
}
