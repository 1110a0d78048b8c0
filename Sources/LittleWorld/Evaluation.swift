import Randomness

/// Prompts kept away from training, to score models by.
package enum Evaluation {
    /// What a prompt fixes; phrasing, pose and the rest are free.
    package struct Prompt: Hashable, Sendable {
        /// What stands in the picture.
        package let kind: SubjectClass
        /// Its main colour; pattern and second colour are free.
        package let colour: SubjectColour
        /// Where it is.
        package let context: Context
        /// One that training knows and that shows colour, of prompts made here.
        package let style: Style
        /// What the subject wears; training may know it, for it is no part of what is reserved.
        package let accessory: Accessory

        /// Any combination, reserved or not.
        package init(
            kind: SubjectClass, colour: SubjectColour, context: Context, style: Style, accessory: Accessory = .none
        ) {
            (self.kind, self.colour, self.context, self.style) = (kind, colour, context, style)
            self.accessory = accessory
        }

        /// A picture of the world that the prompt describes: what it leaves open is drawn, the individual is one of
        /// training's (the combination is not).
        package func scene(index: UInt64) -> Scene {
            var generator = Philox(seed: 500, purpose: 4, index: index)
            return Scene(
                subject: .drawn(&generator, kind: kind, colour: colour, heldOut: false), context: context,
                accessory: accessory, style: style,
                pose: .drawn(&generator), phrasing: 1)
        }

        /// What a model is asked for.
        package var text: String { Caption.prompt(self) }

        /// The same prompt with something worn.
        func wearing(_ accessory: Accessory) -> Prompt {
            Prompt(kind: kind, colour: colour, context: context, style: style, accessory: accessory)
        }
    }

    /// One combination in ten, by a hash, is never painted in training: of a subject with place and style, and of two
    /// subjects with each other.
    static func isReserved(_ scene: Scene) -> Bool {
        let prompts = scene.subjects.map {
            Prompt(kind: $0.kind, colour: $0.colour, context: scene.context, style: scene.style)
        }
        return prompts.contains(where: isReserved) || (prompts.count == 2 && isReserved(prompts[0], prompts[1]))
    }

    /// Whether training never shows these two together, in whatever order, place and style.
    static func isReserved(_ a: Prompt, _ b: Prompt) -> Bool {
        let parts = [a, b].map { $0.kind.rawValue * SubjectColour.allCases.count + $0.colour.rawValue }.sorted()
        return hash(parts) % 10 == 0
    }

    static func isReserved(_ prompt: Prompt) -> Bool {
        hash([prompt.kind.rawValue, prompt.colour.rawValue, prompt.context.rawValue, prompt.style.rawValue]) % 10 == 0
    }

    private static func hash(_ parts: [Int]) -> UInt32 {
        var h: UInt32 = 0x811c_9dc5
        for part in parts {
            h = (h ^ UInt32(part + 1)) &* 0x0100_0193
            h ^= h >> 13
        }
        return (h &* 0x5bd1_e995) >> 7
    }

    /// The first `count` reserved prompts in styles that training knows and that show colour, in a fixed shuffled
    /// order; once there are no more, from the first one again.
    package static func prompts(count: Int = 500) -> [Prompt] {
        let total = reservedCount
        var generator = Philox(seed: 500, purpose: 3, index: 0)
        var seen = Set<Prompt>()
        var result: [Prompt] = []
        while result.count < min(count, total) {
            let prompt = candidate(&generator)
            if isReserved(prompt), seen.insert(prompt).inserted { result.append(prompt) }
        }
        return (0..<count).map { result[$0 % total] }
    }

    /// How many prompts there are to score by.
    static var reservedCount: Int {
        SubjectClass.allCases.reduce(0) { count, kind in
            SubjectColour.allCases.reduce(count) { count, colour in
                Context.allCases.reduce(count) { count, context in
                    count
                        + styles.count {
                            isReserved(Prompt(kind: kind, colour: colour, context: context, style: $0))
                        }
                }
            }
        }
    }

    /// Those that training knows and that show colour.
    private static var styles: [Style] { Style.allCases.filter { !$0.isHeldOut && $0.keepsColour } }

    /// The same prompts, something worn in every second of them: drawn anew where one comes again.
    package static func dressedPrompts(count: Int) -> [Prompt] {
        prompts(count: count).enumerated().map { index, prompt in
            guard index % 2 == 1 else { return prompt }
            var generator = Philox(seed: 500, purpose: 8, index: UInt64(index))
            return prompt.wearing(Accessory(rawValue: 1 + generator.below(Accessory.allCases.count - 1))!)
        }
    }

    /// Pictures of two subjects that training never shows together, each drawn by itself from all such, in styles as
    /// above; the caption is what a model is asked for. In a quarter of them the first subject is shiny, in another it
    /// glows.
    package static func pairs(count: Int) -> [Scene] { (0..<count).map(pair) }

    private static func pair(index: Int) -> Scene {
        var generator = Philox(seed: 500, purpose: 9, index: UInt64(index))
        let finishes: [Finish] = [.plain, .shiny, .plain, .glowing]
        while true {
            let (first, second) = (candidate(&generator), candidate(&generator))
            let isNamedAlike = (first.kind, first.colour) == (second.kind, second.colour)
            guard isReserved(first, second), !isNamedAlike else { continue }
            return Scene(
                subject: unpatterned(first, &generator), second: unpatterned(second, &generator),
                context: first.context, accessory: .none, finish: finishes[index % finishes.count],
                style: first.style, pose: .drawn(&generator), phrasing: 0)
        }
    }

    /// One of training's individuals without a pattern, which the caption would name.
    private static func unpatterned(_ prompt: Prompt, _ generator: inout Philox) -> Subject {
        while true {
            let subject = Subject.drawn(&generator, kind: prompt.kind, colour: prompt.colour, heldOut: false)
            if subject.pattern == .plain { return subject }
        }
    }

    /// Any prompt in a style that training knows and that shows colour.
    private static func candidate(_ generator: inout Philox) -> Prompt {
        let styles = styles
        return Prompt(
            kind: SubjectClass(rawValue: generator.below(SubjectClass.allCases.count))!,
            colour: SubjectColour(rawValue: generator.below(SubjectColour.allCases.count))!,
            context: Context(rawValue: generator.below(Context.allCases.count))!,
            style: styles[generator.below(styles.count)])
    }
}
