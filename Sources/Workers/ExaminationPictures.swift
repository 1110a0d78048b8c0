import Images
import Randomness

/// Draws one picture for every prompt and seed.
typealias Painting = (_ prompts: [String], _ seeds: [UInt64]) -> [Picture]

/// What a concept is examined by: of every prompt the same number of pictures, and some of the class prompt.
struct ExaminationPictures {
    /// What is to be drawn.
    struct Plan {
        /// As they are asked for.
        var prompts: [String]
        var perPrompt: Int
        var classPrompt: String
        var classPictures: Int

        var count: Int { prompts.count * perPrompt + classPictures }
    }

    /// For every prompt its pictures.
    let groups: [[Picture]]
    let classPictures: [Picture]

    private static let batch = 8

    /// Pictures of the same plan and seed have the same seeds each, whatever paints them.
    init(_ plan: Plan, seed: UInt64, paint: Painting) { self.init(plan, seed: seed, paint: paint, each: { _ in }) }

    /// - Parameter each: hears how many are drawn, after every few; what it throws ends the drawing.
    init(_ plan: Plan, seed: UInt64, paint: Painting, each: (Int) throws -> Void) rethrows {
        let asked = plan.prompts.flatMap { Array(repeating: $0, count: plan.perPrompt) } + Array(repeating: plan.classPrompt, count: plan.classPictures)
        var drawn: [Picture] = []
        for start in stride(from: 0, to: asked.count, by: ExaminationPictures.batch) {
            let range = start..<min(start + ExaminationPictures.batch, asked.count)
            drawn += paint(Array(asked[range]), range.map { ExaminationPictures.seed(seed, $0) })
            try each(drawn.count)
        }
        groups = plan.prompts.indices.map { Array(drawn[$0 * plan.perPrompt..<($0 + 1) * plan.perPrompt]) }
        classPictures = Array(drawn[(plan.prompts.count * plan.perPrompt)...])
    }

    private static func seed(_ seed: UInt64, _ index: Int) -> UInt64 {
        var generator = Philox(seed: seed, purpose: 0xE7A, index: UInt64(index))
        return generator.next()
    }
}
