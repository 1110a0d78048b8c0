import Randomness

/// The world's entry point.
package enum LittleWorld {
    /// The shares of what training's pictures show. Half of the single subjects wear something (each of the eight
    /// accessories in one picture of sixteen: a quarter was too rare for what a hat is to be learnt beside who wears
    /// it), a fifth are shiny or glowing, drawn apart, so that a tenth is both; one picture in eight has two subjects.
    package enum Share {
        /// Of drawn scenes, of which more pairs than single subjects are reserved for evaluation.
        static let drawnPairs: Float = 0.15
        /// Of pictures whose first subject wears something.
        package static let accessories: Float = 0.5
        /// Of pictures whose first subject is shiny or glowing.
        package static let finishes: Float = 0.2
        /// Of pictures in no other style.
        package static let photos: Float = 0.4
    }

    /// The `index`-th scene of a seed's endless album.
    package static func scene(index: UInt64, seed: UInt64, split: Split) -> Scene {
        var generator = Philox(seed: seed, purpose: split == .training ? 1 : 2, index: index)
        while true {
            let scene = drawn(&generator, split)
            if split == .heldOut || !Evaluation.isReserved(scene) { return scene }
        }
    }

    /// The individuals of a training scene in the same style somewhere else, in another pose; never what is reserved
    /// for evaluation.
    package static func companion(of scene: Scene, index: UInt64, seed: UInt64) -> Scene {
        var generator = Philox(seed: seed, purpose: 5, index: index)
        while true {
            let other = drawn(&generator, .training)
            let companion = Scene(
                subject: scene.subject, second: scene.second, context: other.context, accessory: other.accessory,
                finish: other.finish, style: scene.style, pose: other.pose, phrasing: other.phrasing)
            if !Evaluation.isReserved(companion) { return companion }
        }
    }

    /// The one picture a style is learnt from: always the same rabbit on the grass.
    package static func example(of style: Style) -> Scene {
        Subject.training(.rabbit, index: 0).scene(in: .grass, style: style, number: 0)
    }

    private static func drawn(_ generator: inout Philox, _ split: Split) -> Scene {
        let isHeldOut = split == .heldOut
        let subject = Subject.drawn(&generator, heldOut: isHeldOut)
        var second: Subject?
        if generator.uniform() < Share.drawnPairs {
            repeat { second = Subject.drawn(&generator, heldOut: isHeldOut) } while subject.isNamed(like: second)
        }
        let context = Context(rawValue: generator.below(Context.allCases.count))!
        let accessory: Accessory = other(than: .none, in: Share.accessories, &generator)
        let finish: Finish = other(than: .plain, in: Share.finishes, &generator)
        var style = Style.photo
        if generator.uniform() > Share.photos {
            let styles = Style.allCases.filter { $0 != .photo && (isHeldOut || !$0.isHeldOut) }
            style = styles[generator.below(styles.count)]
        }
        return Scene(
            subject: subject, second: second, context: context, accessory: accessory, finish: finish, style: style,
            pose: Pose.drawn(&generator), phrasing: generator.below(Caption.phrasings))
    }

    /// The usual value, or in `share` of the cases one of the others.
    private static func other<A: Attribute>(than usual: A, in share: Float, _ generator: inout Philox) -> A {
        generator.uniform() >= share ? usual : A(rawValue: 1 + generator.below(A.allCases.count - 1))!
    }
}
