import Images

/// One picture of the world: who, where, with what, in which style; its caption and its labels.
package struct Scene: Hashable, Sendable {
    /// The one on the left, where there are two.
    package let subject: Subject
    /// Who stands to the right of the subject, if anybody: the caption names from left to right.
    package let second: Subject?
    /// Where they are.
    package let context: Context
    /// What the first subject wears or carries.
    package let accessory: Accessory
    /// The first subject's.
    package let finish: Finish
    /// What the picture is made as.
    package private(set) var style: Style
    /// The subject's; a second one's follows from it.
    package let pose: Pose
    /// How it is painted over, if it is.
    package private(set) var manner: Manner?
    /// Which of the phrasings the caption uses.
    let phrasing: Int

    /// - Parameter phrasing: of the caption, 0 to `Caption.phrasings` less one.
    package init(
        subject: Subject, second: Subject? = nil, context: Context, accessory: Accessory, finish: Finish = .plain,
        style: Style, pose: Pose, phrasing: Int
    ) {
        self.subject = subject
        self.second = second
        self.context = context
        self.accessory = accessory
        self.finish = finish
        self.style = style
        self.pose = pose
        self.phrasing = phrasing
    }

    /// What a classifier should say of the picture.
    package var labels: Labels {
        Labels(
            subject: subject.kind.rawValue, colour: shown(subject.colour), pattern: subject.pattern.rawValue,
            context: context.rawValue, accessory: accessory.rawValue, finish: finish.rawValue, style: style.rawValue,
            secondSubject: second?.kind.rawValue, secondColour: second.flatMap { shown($0.colour) })
    }

    private func shown(_ colour: SubjectColour) -> Int? { style.keepsColour ? colour.rawValue : nil }

    /// Everybody in the picture, from left to right.
    package var subjects: [Subject] { [subject] + (second.map { [$0] } ?? []) }

    /// What a person would type to get this picture.
    package var caption: String { Caption(self).text }

    /// The same in the place and style of another scene, and in its subject's colour if asked for, unless that is kept
    /// from training or would make two subjects one.
    package func moved(to other: Scene, takingColour: Bool) -> Scene {
        let subject = takingColour ? subject.painted(other.subject.colour) : subject
        let scene = Scene(
            subject: subject, second: second, context: other.context, accessory: other.accessory, finish: other.finish,
            style: other.style, pose: pose, phrasing: phrasing)
        let isKept = Evaluation.isReserved(scene) || subject.isHeldOut != self.subject.isHeldOut
        return isKept || subject.isNamed(like: second) ? self : scene
    }

    /// The same in no style that has a name.
    package func painted(in manner: Manner) -> Scene {
        var scene = self
        scene.style = .photo
        scene.manner = manner
        return scene
    }

    /// The picture, `size`×`size`; the same bytes on every run.
    package func paint(size: Int) -> Picture { painted(size: size).picture }

    /// The finished canvas, whose `cover` says where the figures are.
    func painted(size: Int) -> Canvas {
        let canvas = Canvas(size: size)
        Backdrop(context: context, seed: pose.backdrop).paint(canvas)
        let pens = self.pens(canvas)
        if context != .water && context != .plain { for pen in pens { pen.shadow() } }
        for (index, (subject, pen)) in zip(subjects, pens).enumerated() {
            Figure(
                subject: subject, accessory: index == 0 ? accessory : .none, finish: index == 0 ? finish : .plain,
                pen: pen
            ).paint(on: canvas, style: style)
        }
        if context == .water { Backdrop.paintWaterline(canvas, y: pens[0].point(0, 0.72).y, seed: pose.backdrop) }
        StylePainter(style: style, seed: pose.backdrop).apply(canvas)
        manner?.apply(canvas)
        return canvas
    }

    /// One pen a subject, from left to right. Two are smaller, and each turns its own way.
    private func pens(_ canvas: Canvas) -> [Pen] {
        let unit = canvas.unit
        func pen(_ x: Float, size: Float, tilt: Float, facesLeft: Bool) -> Pen {
            Pen(
                canvas: canvas, origin: Point(x, 38 + pose.y) * unit, scale: size * unit, tilt: tilt,
                facing: facesLeft ? -1 : 1)
        }
        guard second != nil else {
            return [pen(32 + pose.x, size: pose.size, tilt: pose.tilt, facesLeft: pose.facesLeft)]
        }
        let size = pose.size * 0.67
        return [
            pen(16.5 + pose.x * 0.25, size: size, tilt: pose.tilt * 0.7, facesLeft: pose.facesLeft),
            pen(47.5 + pose.x * 0.25, size: size, tilt: -pose.tilt * 0.7, facesLeft: pose.backdrop & 1 == 0),
        ]
    }
}
