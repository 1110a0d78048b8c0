import Images
import LittleWorld

/// The world's own pictures of one individual, as prompts ask for it: what scores a perfect model of the world would
/// have, which knows the subject and does all that is asked. No score of it is 1: references show other places, and
/// nothing worn, and prompts do not say the subject's colours.
struct SubjectInWorld {
    let subject: Subject
    /// Who stands to the subject's right, if anybody.
    var second: Subject?
    /// Pixels on a side.
    let size: Int

    /// One picture a prompt, in a pose of its seed's.
    func paint(_ prompts: [String], _ seeds: [UInt64]) -> [Picture] {
        zip(prompts, seeds).map { scene($0, seed: $1).paint(size: size) }
    }

    /// What a prompt of Little World's suite says of place, accessory and style; a photo of nothing worn, on plain
    /// ground, where it says nothing.
    func scene(_ prompt: String, seed: UInt64) -> Scene {
        func said<A: Attribute>(_ attribute: A) -> Bool { !attribute.name.isEmpty && prompt.contains(attribute.name) }
        return subject.scene(
            in: Context.allCases.first(where: said) ?? .plain, beside: second,
            accessory: Accessory.allCases.first(where: said) ?? .none,
            style: Style.allCases.first { prompt.hasPrefix("a \($0.name) of ") } ?? .photo,
            number: Int(truncatingIfNeeded: seed & 0x7FFF_FFFF))
    }
}
