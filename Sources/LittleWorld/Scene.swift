import Images
import Randomness

/// One picture of the world: who, where, with what, in which style; its caption and its labels.
package struct Scene: Hashable, Sendable {
    package let subject: Subject
    package let context: Context
    package let accessory: Accessory
    package let style: Style
    package let pose: Pose
    /// Which of the phrasings the caption uses.
    let phrasing: Int

    package init(subject: Subject, context: Context, accessory: Accessory, style: Style, pose: Pose, phrasing: Int) {
        self.subject = subject
        self.context = context
        self.accessory = accessory
        self.style = style
        self.pose = pose
        self.phrasing = phrasing
    }

    package var labels: Labels {
        Labels(
            subject: subject.kind.rawValue, colour: style.keepsColour ? subject.colour.rawValue : nil,
            pattern: subject.pattern.rawValue,
            context: context.rawValue, accessory: accessory.rawValue, style: style.rawValue)
    }

    /// What a person would type to get this picture.
    package var caption: String { Caption(self).text }

    /// The same in the place and style of another scene, and in its subject's colour if asked for, unless that is kept
    /// from training.
    package func moved(to other: Scene, takingColour: Bool) -> Scene {
        let subject = takingColour ? subject.painted(other.subject.colour) : subject
        let scene = Scene(
            subject: subject, context: other.context, accessory: accessory, style: other.style, pose: pose,
            phrasing: phrasing)
        return Evaluation.isReserved(scene) || subject.isHeldOut != self.subject.isHeldOut ? self : scene
    }

    /// The picture, `size`×`size`; the same bytes on every run.
    package func paint(size: Int) -> Picture {
        let canvas = Canvas(size: size)
        let unit = canvas.unit
        Backdrop(context: context, seed: pose.backdrop).paint(canvas)
        let pen = Pen(
            canvas: canvas, origin: Point(32 + pose.x, 35 + pose.y) * unit, scale: pose.size * unit, tilt: pose.tilt,
            facing: pose.facesLeft ? -1 : 1)
        if accessory == .glowing { Glow.paint(pen, subject.colour.colour) }
        if context != .water && context != .plain {
            pen.ellipse(0, 1, 0.95, 0.16, Paint(colour: Colour(0, 0, 0), shade: 0, outline: 0, opacity: 0.25))
        }
        let anchors = SubjectDrawing(subject: subject, pen: pen, isShiny: accessory == .shiny).paint()
        AccessoryDrawing(accessory: accessory, pen: pen, anchors: anchors).paint()
        if context == .water { Backdrop.paintWaterline(canvas, y: pen.point(0, 0.72).y, seed: pose.backdrop) }
        StylePainter(style: style, seed: pose.backdrop).apply(canvas)
        return canvas.picture
    }
}

/// The world's entry point.
package enum LittleWorld {
    /// The `index`-th scene of a seed's endless album.
    package static func scene(index: UInt64, seed: UInt64, split: Split) -> Scene {
        var generator = Philox(seed: seed, purpose: split == .training ? 1 : 2, index: index)
        while true {
            let scene = drawn(&generator, split)
            if split == .heldOut || !Evaluation.isReserved(scene) { return scene }
        }
    }

    /// The individual of a training scene in the same style somewhere else, in another pose; never what is reserved for
    /// evaluation.
    package static func companion(of scene: Scene, index: UInt64, seed: UInt64) -> Scene {
        var generator = Philox(seed: seed, purpose: 5, index: index)
        while true {
            let other = drawn(&generator, .training)
            let companion = Scene(
                subject: scene.subject, context: other.context, accessory: other.accessory, style: scene.style,
                pose: other.pose,
                phrasing: other.phrasing)
            if !Evaluation.isReserved(companion) { return companion }
        }
    }

    /// The one picture a style is learnt from: always the same rabbit on the grass.
    package static func example(of style: Style) -> Scene {
        Subject.training(.rabbit, index: 0).scene(in: .grass, style: style, number: 0)
    }

    private static func drawn(_ generator: inout Philox, _ split: Split) -> Scene {
        let subject = Subject.drawn(&generator, heldOut: split == .heldOut)
        let context = Context(rawValue: generator.below(Context.allCases.count))!
        let accessory: Accessory =
            generator.uniform() < 0.6 ? .none : Accessory(rawValue: 1 + generator.below(Accessory.allCases.count - 1))!
        var style = Style.photo
        if generator.uniform() > 0.4 {
            let styles = Style.allCases.filter { $0 != .photo && (split == .heldOut || !$0.isHeldOut) }
            style = styles[generator.below(styles.count)]
        }
        return Scene(
            subject: subject, context: context, accessory: accessory, style: style, pose: Pose.drawn(&generator),
            phrasing: generator.below(Caption.phrasings))
    }
}

/// Prompts kept away from training, to score models by.
package enum Evaluation {
    /// What a prompt fixes; phrasing, pose and the rest are free.
    package struct Prompt: Hashable, Sendable {
        package let kind: SubjectClass
        package let colour: SubjectColour
        package let context: Context
        package let style: Style

        package init(kind: SubjectClass, colour: SubjectColour, context: Context, style: Style) {
            (self.kind, self.colour, self.context, self.style) = (kind, colour, context, style)
        }

        /// A picture of the world that the prompt describes: what it leaves open is drawn, nothing is worn, the
        /// individual is one of training's (the combination is not).
        package func scene(index: UInt64) -> Scene {
            var generator = Philox(seed: 500, purpose: 4, index: index)
            return Scene(
                subject: .drawn(&generator, kind: kind, colour: colour, heldOut: false), context: context,
                accessory: .none, style: style,
                pose: .drawn(&generator), phrasing: 1)
        }

        package var text: String { Caption.prompt(kind: kind, colour: colour, context: context, style: style) }
    }

    /// One combination in ten, by a hash, is never painted in training.
    static func isReserved(_ scene: Scene) -> Bool {
        isReserved(
            Prompt(kind: scene.subject.kind, colour: scene.subject.colour, context: scene.context, style: scene.style))
    }

    static func isReserved(_ prompt: Prompt) -> Bool {
        var h: UInt32 = 0x811c_9dc5
        for part in [prompt.kind.rawValue, prompt.colour.rawValue, prompt.context.rawValue, prompt.style.rawValue] {
            h = (h ^ UInt32(part + 1)) &* 0x0100_0193
            h ^= h >> 13
        }
        return ((h &* 0x5bd1_e995) >> 7) % 10 == 0
    }

    /// The first `count` reserved prompts in styles that training knows and that show colour, in a fixed shuffled
    /// order.
    package static func prompts(count: Int = 500) -> [Prompt] {
        var generator = Philox(seed: 500, purpose: 3, index: 0)
        var seen = Set<Prompt>()
        var result: [Prompt] = []
        let styles = Style.allCases.filter { !$0.isHeldOut && $0.keepsColour }
        while result.count < count {
            let prompt = Prompt(
                kind: SubjectClass(rawValue: generator.below(SubjectClass.allCases.count))!,
                colour: SubjectColour(rawValue: generator.below(SubjectColour.allCases.count))!,
                context: Context(rawValue: generator.below(Context.allCases.count))!,
                style: styles[generator.below(styles.count)])
            if isReserved(prompt), seen.insert(prompt).inserted { result.append(prompt) }
        }
        return result
    }
}
