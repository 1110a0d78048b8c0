/// The wording of captions and prompts.
struct Caption {
    static let phrasings = 8
    /// Those that leave the colour open, one caption in four: hardly a prompt says one, and a model that never drew
    /// without being told would not settle on any.
    private static let openColour = 6...
    let scene: Scene
    init(_ scene: Scene) { self.scene = scene }

    var text: String {
        let who = Caption.joined([first, joint, second])
        if scene.manner != nil { return Caption.joined(["a", Manner.name, "of", who, scene.context.name]) }
        switch (scene.style, scene.phrasing) {
        case (.photo, 2), (.photo, 7): return Caption.joined([who, scene.context.name])
        case (.photo, 3): return Caption.joined(["a picture of", who, scene.context.name])
        case (.photo, 4): return Caption.joined([scene.context.name, who])
        default: return Caption.joined(["a", scene.style.name, "of", who, scene.context.name])
        }
    }

    /// The first subject with all that is its own, so that what is worn stands beside who wears it.
    private var first: String {
        Caption.joined([Caption.withArticle(naming(scene.subject, finish: scene.finish)), scene.accessory.name])
    }

    private var second: String { scene.second.map { Caption.withArticle(naming($0)) } ?? "" }

    /// What stands between two subjects.
    private var joint: String {
        guard scene.second != nil else { return "" }
        switch scene.phrasing {
        case 1: return "next to"
        case 5: return "beside"
        default: return "and"
        }
    }

    private func naming(_ subject: Subject, finish: Finish = .plain) -> String {
        let pattern = subject.pattern == .plain || !saysColour || scene.phrasing == 1 ? "" : subject.pattern.name
        return Caption.joined([finish.name, saysColour ? subject.colour.name : "", pattern, subject.kind.name])
    }

    /// Two subjects may be told apart by their colours alone.
    private var saysColour: Bool {
        scene.style.keepsColour && (scene.second != nil || !Caption.openColour.contains(scene.phrasing))
    }

    static func prompt(_ prompt: Evaluation.Prompt) -> String {
        let who = withArticle("\(prompt.colour.name) \(prompt.kind.name)")
        return joined(["a", prompt.style.name, "of", who, prompt.accessory.name, prompt.context.name])
    }

    private static func joined(_ words: [String]) -> String { words.filter { !$0.isEmpty }.joined(separator: " ") }
    private static func withArticle(_ noun: String) -> String {
        ("aeiou".contains(noun.first!) ? "an " : "a ") + noun
    }

    /// Every word a caption can hold, plus those of ``unlearnt``; for the text tokenizer.
    static var vocabulary: [String] {
        let names =
            SubjectClass.allCases.map(\.name) + SubjectColour.allCases.map(\.name) + Pattern.allCases.map(\.name)
            + Context.allCases.map(\.name) + Accessory.allCases.map(\.name) + Finish.allCases.map(\.name)
            + Style.allCases.map(\.name)
        return words(names + [Manner.name, "a an of picture and next to beside"] + unlearnt)
    }

    /// Words of the vocabulary that no caption of training holds: of DreamBench's prompts, of styles that training
    /// never shows, and for a subject without a pattern.
    static var unlearnt: [String] {
        let dreamBench = "style two small big from top sleeping riding cube shaped wet rug autumn leaves house forest"
        return words([dreamBench, Pattern.plain.name] + Style.heldOut.map(\.name))
    }

    private static func words(_ texts: [String]) -> [String] {
        Set(texts.flatMap { $0.split(separator: " ").map(String.init) }).sorted()
    }
}

extension LittleWorld {
    /// How captions speak of styles.
    package static let styledPrompt = "a {style} of {subject}"
    /// What they call every style that has no name.
    package static let styleNoun = Manner.name

    /// Every word of captions and of prompts that fit the world, sorted.
    package static var vocabulary: [String] { Caption.vocabulary }
    /// Those of them that no caption of training holds, sorted: a tokenizer has them, and no model learnt them.
    package static var unlearntWords: [String] { Caption.unlearnt }
}
