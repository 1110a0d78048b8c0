import ComputeTesting
import Images
import Testing

@testable import LittleWorld

/// What can be told in a picture: subjects stand out everywhere, show the colour they are named for, and wear things
/// without changing.
@Suite(.computing) struct FigureTests {
    private let size = 64
    private let pose = LittleWorld.scene(index: 2, seed: 1, split: .training).pose

    private func scene(
        _ subject: Subject, in context: Context = .grass, _ accessory: Accessory = .none, _ style: Style = .photo
    ) -> Scene {
        Scene(subject: subject, context: context, accessory: accessory, style: style, pose: pose, phrasing: 0)
    }

    private func pen(_ subject: Subject, on layer: Canvas) -> Pen {
        Pen(canvas: layer, origin: Point(32, 38), scale: 20, tilt: 0.03, facing: 1)
    }

    @Test(arguments: SubjectClass.allCases)
    func accessoriesLeaveTheSubjectsColoursAlone(kind: SubjectClass) {
        let subject = Subject.training(kind, index: 1)
        let bare = scene(subject).painted(size: size)
        for accessory in Accessory.allCases.dropFirst() {
            let layer = Canvas(size: size, isLayer: true)
            let anchors = SubjectDrawing(subject: subject, pen: pen(subject, on: Canvas(size: size))).paint()
            AccessoryDrawing(accessory: accessory, pen: pen(subject, on: layer)).paint(at: anchors)
            #expect(layer.cover.count { $0 > 0.5 } > 30, "\(accessory) is large enough to be seen")
            let worn = scene(subject, accessory: accessory)
            let mine = layerOf(worn)
            let own = layerOf(scene(subject))
            let changed = own.pixels.indices.filter { index in
                let isSubject = own.cover[index] > 0.99 && own.pixels[index] != .zero
                return isSubject && mine.things[index] < 0.01 && (mine.pixels[index] - own.pixels[index]).max() > 0.02
            }
            #expect(changed.isEmpty, "\(kind), \(accessory): \(changed.count) pixels")
            #expect(worn.paint(size: size) != bare.picture)
        }
    }

    private func scene(_ subject: Subject, accessory: Accessory) -> Scene { scene(subject, in: .grass, accessory) }

    /// A figure's layer, and where its things in front are.
    private func layerOf(_ scene: Scene) -> (pixels: [SIMD4<Float>], cover: [Float], things: [Float]) {
        let layer = Canvas(size: size, isLayer: true)
        let pen = pen(scene.subject, on: layer)
        Figure(subject: scene.subject, accessory: scene.accessory, finish: .plain, pen: pen).draw(pen)
        let things = Canvas(size: size, isLayer: true)
        let anchors = SubjectDrawing(subject: scene.subject, pen: pen.on(Canvas(size: size))).paint()
        AccessoryDrawing(accessory: scene.accessory, pen: pen.on(things)).paint(at: anchors)
        return (layer.pixels, layer.cover, things.cover)
    }

    /// Between a subject's edge and what is behind it there is a step of luminance of at least 0.23 along nearly all of
    /// the outline, in every place and colour: also black at night, white in the snow, green in the jungle.
    @Test(arguments: Context.allCases)
    func subjectsStandOutFromEveryPlace(context: Context) {
        for colour in SubjectColour.allCases {
            for kind in [.cat, .boat, .tree] as [SubjectClass] {
                let subject = Subject.training(kind, index: 4).painted(colour)
                let contrast = scene(subject, in: context).contrast(size: size)
                #expect(contrast > 0.23, "a \(colour) \(kind) \(context): \(contrast)")
            }
        }
    }

    /// Most of a subject's area is nearest to the colour that its caption names, whatever pattern and style.
    @Test(arguments: Style.allCases.filter(\.keepsColour))
    func theNamedColourIsTheOneMostSeen(style: Style) {
        var right = 0
        var all = 0
        for colour in SubjectColour.allCases {
            for kind in SubjectClass.allCases {
                let subject = Subject.training(kind, index: 10 + colour.rawValue).painted(colour)
                let seen = scene(subject, in: .plain, .none, style).colourMostSeen(size: size)
                all += 1
                if seen == colour { right += 1 }
            }
        }
        #expect(Double(right) / Double(all) >= (style.isHeldOut ? 0.9 : 0.95), "\(style): \(right) of \(all)")
    }
}

extension Scene {
    /// The largest step of luminance between a place on the outline and what lies within three pixels outside, as the
    /// mean of the weakest tenth of the outline.
    fileprivate func contrast(size: Int) -> Float {
        let canvas = painted(size: size)
        func luminance(_ index: Int) -> Float {
            let pixel = canvas.pixels[index]
            return Colour(pixel.x, pixel.y, pixel.z).luminance
        }
        var steps: [Float] = []
        for y in 3..<size - 3 {
            for x in 3..<size - 3 {
                let index = y * size + x
                let isEdge =
                    canvas.cover[index] > 0.7 && [1, -1, size, -size].contains { canvas.cover[index + $0] < 0.7 }
                guard isEdge else { continue }
                let outside = (y - 3...y + 3).flatMap { v in (x - 3...x + 3).map { v * size + $0 } }.filter {
                    canvas.cover[$0] < 0.1
                }
                let line = [0, 1, -1, size, -size].map { index + $0 }.filter { canvas.cover[$0] > 0.4 }.map(luminance)
                let step = outside.map { place in line.map { abs($0 - luminance(place)) }.max()! }.max()
                steps.append(step ?? 1)
            }
        }
        let weakest = steps.sorted().prefix(max(steps.count / 10, 1))
        return weakest.reduce(0, +) / Float(weakest.count)
    }

    /// The named colour that most of the figure's filled pixels are nearest to.
    fileprivate func colourMostSeen(size: Int) -> SubjectColour? {
        let plain = Scene(
            subject: subject, context: context, accessory: .none, style: .photo, pose: pose, phrasing: 0
        ).painted(size: size)
        let picture = painted(size: size)
        var votes: [SubjectColour: Int] = [:]
        for index in plain.pixels.indices where plain.cover[index] > 0.99 && plain.pixels[index].w < 0.2 {
            let pixel = picture.pixels[index]
            votes[.nearest(to: Colour(pixel.x, pixel.y, pixel.z)), default: 0] += 1
        }
        return votes.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
    }
}

extension SubjectColour {
    /// By hue and saturation before lightness, as one names colours.
    fileprivate static func nearest(to colour: Colour) -> SubjectColour {
        allCases.min { distance($0.colour, colour) < distance($1.colour, colour) }!
    }

    private static func distance(_ a: Colour, _ b: Colour) -> Float {
        let lightness = a.luminance - b.luminance
        let chroma = (a - a.luminance) - (b - b.luminance)
        return lightness * lightness * 0.6 + (chroma * chroma).sum()
    }
}
