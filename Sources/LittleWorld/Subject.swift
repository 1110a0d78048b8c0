import Randomness

/// One individual: a class and the parameters it is drawn from.
package struct Subject: Hashable, Sendable {
    /// What it is.
    package let kind: SubjectClass
    /// Its main colour, which captions say.
    package let colour: SubjectColour
    /// A second colour: belly, roof, icing, petals' heart …
    package let accent: SubjectColour
    /// What the main colour is broken by.
    package let pattern: Pattern
    /// Two part variants of three each: ears, tails, handles, leaves …
    let firstPart: Int
    let secondPart: Int
    /// Three body proportions, slim to stout.
    package let build: Int

    /// One in six individuals of every class, by a hash of all parameters, is never seen in training.
    package var isHeldOut: Bool {
        var h = UInt32(kind.rawValue)
        for part in [colour.rawValue, accent.rawValue, pattern.rawValue, firstPart, secondPart, build] {
            h = (h ^ UInt32(part)) &* 0x0100_0193
            h ^= h >> 15
        }
        h = h &* 0x5bd1_e995
        return (h >> 8) % 6 == 0
    }

    /// The same in another colour; where that is the second one already, the two change places.
    func painted(_ colour: SubjectColour) -> Subject {
        Subject(
            kind: kind, colour: colour, accent: colour == accent ? self.colour : accent, pattern: pattern,
            firstPart: firstPart,
            secondPart: secondPart, build: build)
    }

    /// Whether a caption would name both alike.
    func isNamed(like other: Subject?) -> Bool { other.map { $0.kind == kind && $0.colour == colour } ?? false }

    /// The first individual a generator draws that is on the wanted side.
    static func drawn(
        _ generator: inout Philox, kind: SubjectClass? = nil, colour: SubjectColour? = nil, heldOut: Bool
    ) -> Subject {
        var subject = candidate(&generator, kind: kind, colour: colour)
        while subject.isHeldOut != heldOut { subject = candidate(&generator, kind: kind, colour: colour) }
        return subject
    }

    private static func candidate(
        _ generator: inout Philox, kind wanted: SubjectClass?, colour wantedColour: SubjectColour?
    ) -> Subject {
        func pick<A: Attribute>(_ type: A.Type) -> A { A(rawValue: generator.below(A.allCases.count))! }
        let drawn = pick(SubjectClass.self)
        let drawnColour = pick(SubjectColour.self)
        let colour = wantedColour ?? drawnColour
        var accent = generator.below(SubjectColour.allCases.count - 1)
        if accent >= colour.rawValue { accent += 1 }
        let pattern = generator.uniform() < 0.55 ? 0 : 1 + generator.below(3)
        return Subject(
            kind: wanted ?? drawn, colour: colour, accent: SubjectColour(rawValue: accent)!,
            pattern: Pattern(rawValue: pattern)!,
            firstPart: generator.below(3), secondPart: generator.below(3), build: generator.below(3))
    }

    /// The `index`-th individual of a class that training never sees.
    package static func heldOut(_ kind: SubjectClass, index: Int) -> Subject { numbered(kind, index, heldOut: true) }
    /// The `index`-th individual of a class as training sees them.
    package static func training(_ kind: SubjectClass, index: Int) -> Subject { numbered(kind, index, heldOut: false) }

    private static func numbered(_ kind: SubjectClass, _ index: Int, heldOut: Bool) -> Subject {
        var generator = Philox(seed: 0x5B, purpose: UInt64(kind.rawValue), index: UInt64(index))
        return drawn(&generator, kind: kind, heldOut: heldOut)
    }

    /// Scenes of this individual for use as reference pictures: photos in several places and poses.
    package func references(count: Int) -> [Scene] {
        let places: [Context] = [.plain, .grass, .woodenFloor, .beach, .city, .snow, .picnic, .dirtRoad]
        return (0..<count).map { scene(in: places[$0 % places.count], number: $0) }
    }

    /// This individual at a place, alone or with another to its right; the pose is drawn from its number.
    package func scene(
        in place: Context, beside second: Subject? = nil, accessory: Accessory = .none, finish: Finish = .plain,
        style: Style = .photo, number: Int
    ) -> Scene {
        var generator = Philox(seed: 0x4EF, purpose: UInt64(hashed), index: UInt64(number))
        return Scene(
            subject: self, second: second, context: place, accessory: accessory, finish: finish, style: style,
            pose: Pose.drawn(&generator), phrasing: 0)
    }

    private var hashed: Int {
        [kind.rawValue, colour.rawValue, accent.rawValue, pattern.rawValue, firstPart, secondPart, build].reduce(7) {
            $0 * 31 + $1
        }
    }
}

/// Where and how a subject stands in the picture.
package struct Pose: Hashable, Sendable {
    /// Offset of the centre in sixty-fourths.
    let x, y: Float
    /// Half the subject's height in sixty-fourths.
    let size: Float
    let tilt: Float
    let facesLeft: Bool
    /// Seed of the backdrop's details.
    let backdrop: UInt32

    static func drawn(_ generator: inout Philox) -> Pose {
        Pose(
            x: (generator.uniform() - 0.5) * 9, y: (generator.uniform() - 0.5) * 3,
            size: 17.5 + 4 * generator.uniform(), tilt: (generator.uniform() - 0.5) * 0.14,
            facesLeft: generator.uniform() < 0.5,
            backdrop: generator.nextUInt32())
    }
}
