/// The attributes a scene is labelled with. Raw values are the integer codes of `Labels`; names are the words of
/// captions.
package protocol Attribute: CaseIterable, RawRepresentable, Sendable, Hashable where RawValue == Int {
    var name: String { get }
}

package enum SubjectClass: Int, Attribute {
    case dog, cat, rabbit, bear, bird, fish, turtle, owl
    case car, truck, boat, rocket
    case apple, cake, iceCream
    case mug, teapot, clock, lamp, vase, backpack
    case flower, tree, cactus, mushroom
    case robot

    package var name: String { self == .iceCream ? "ice cream" : "\(self)" }
    /// Living subjects can wear things on their heads in captions as people would say it.
    package var isAnimal: Bool { rawValue <= SubjectClass.owl.rawValue }
}

package enum SubjectColour: Int, Attribute {
    case red, orange, yellow, green, blue, purple, pink, brown, white, black
    package var name: String { "\(self)" }

    var colour: Colour {
        switch self {
        case .red: Colour(hex: 0xD8242A)
        case .orange: Colour(hex: 0xF58A1F)
        case .yellow: Colour(hex: 0xF7D52E)
        case .green: Colour(hex: 0x37A845)
        case .blue: Colour(hex: 0x2B62D9)
        case .purple: Colour(hex: 0x8A3FC0)
        case .pink: Colour(hex: 0xF58BB8)
        case .brown: Colour(hex: 0x8B5A32)
        case .white: Colour(hex: 0xF4F2EC)
        case .black: Colour(hex: 0x34343C)
        }
    }
}

package enum Pattern: Int, Attribute {
    case plain, spotted, striped, chequered
    package var name: String { "\(self)" }
}

package enum Context: Int, Attribute {
    case plain, beach, snow, jungle, nightCity, water, woodenFloor, grass, dirtRoad, mountain, city, picnic, desert

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

package enum Accessory: Int, Attribute {
    case none, redHat, santaHat, crown, balloon, bowTie, umbrella, shiny, glowing

    /// Words before the noun (`shiny`) or after it (`wearing a red hat`).
    package var name: String {
        switch self {
        case .none: ""
        case .redHat: "wearing a red hat"
        case .santaHat: "wearing a santa hat"
        case .crown: "with a crown"
        case .balloon: "with a balloon"
        case .bowTie: "wearing a green bow"
        case .umbrella: "under an umbrella"
        case .shiny: "shiny"
        case .glowing: "glowing"
        }
    }
    var precedesNoun: Bool { self == .shiny || self == .glowing }
}

package enum Style: Int, Attribute {
    case photo, watercolour, pixelArt, lineDrawing, pastel, neon, blueprint, comic, crayon, woodcut, mosaic

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

/// Exact integer labels of a scene; a colour that the style does not show is nil.
package struct Labels: Equatable, Sendable {
    package let subject: Int
    package let colour: Int?
    package let pattern: Int
    package let context: Int
    package let accessory: Int
    package let style: Int
}
