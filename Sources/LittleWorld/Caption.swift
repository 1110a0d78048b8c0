/// The wording of captions and prompts.
struct Caption {
    static let phrasings = 4
    let scene: Scene
    init(_ scene: Scene) { self.scene = scene }

    var text: String {
        let subject = scene.subject
        let naming =
            scene.phrasing == 1 || scene.style.keepsColour == false
            ? [
                scene.accessory.precedesNoun ? scene.accessory.name : "",
                scene.style.keepsColour ? subject.colour.name : "", subject.kind.name,
            ]
            : [
                scene.accessory.precedesNoun ? scene.accessory.name : "", subject.colour.name,
                subject.pattern == .plain ? "" : subject.pattern.name, subject.kind.name,
            ]
        let noun = Caption.joined(naming)
        let worn = scene.accessory.precedesNoun ? "" : scene.accessory.name
        let rest = [worn, scene.context.name]
        switch (scene.style, scene.phrasing) {
        case (.photo, 2): return Caption.joined([Caption.article(noun), noun] + rest)
        case (.photo, 3): return Caption.joined(["a picture of", Caption.article(noun), noun] + rest)
        default: return Caption.joined(["a", scene.style.name, "of", Caption.article(noun), noun] + rest)
        }
    }

    static func prompt(kind: SubjectClass, colour: SubjectColour, context: Context, style: Style) -> String {
        let noun = "\(colour.name) \(kind.name)"
        return joined(["a", style.name, "of", article(noun), noun, context.name])
    }

    private static func joined(_ words: [String]) -> String { words.filter { !$0.isEmpty }.joined(separator: " ") }
    private static func article(_ noun: String) -> String { "aeiou".contains(noun.first!) ? "an" : "a" }

    /// Every word a caption can hold, plus those of DreamBench's prompts that fit the world; for the text tokenizer.
    static var vocabulary: [String] {
        let names =
            SubjectClass.allCases.map(\.name) + SubjectColour.allCases.map(\.name) + Pattern.allCases.map(\.name)
            + Context.allCases.map(\.name) + Accessory.allCases.map(\.name) + Style.allCases.map(\.name)
        let other =
            """
            a an the of in on with at picture painting drawing style two small big and to from top sleeping riding \
            cube shaped wet purple rug tree autumn leaves blue house forest
            """
        return Set((names + [other]).flatMap { $0.split(separator: " ").map(String.init) }).sorted()
    }
}

extension LittleWorld {
    /// How captions speak of styles.
    package static let styledPrompt = "a {style} of {subject}"

    /// Every word of captions, sorted.
    package static var vocabulary: [String] { Caption.vocabulary }
}
