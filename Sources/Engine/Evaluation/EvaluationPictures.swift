import Images
import Personalization
import Randomness
import Tensors

/// Draws one picture for every prompt and seed.
package typealias Painting = (_ prompts: [String], _ seeds: [UInt64]) -> [Picture]

/// What a concept is examined by: of every prompt the same number of pictures, and some of the class.
package struct EvaluationPictures {
    /// What is to be drawn.
    package struct Plan {
        /// As they are asked for.
        package var prompts: [String]
        var perPrompt: Int
        /// They take turns.
        package var classPrompts: [String]
        var classPictures: Int

        /// - Parameter perPrompt: pictures, each of a seed of its own.
        package init(prompts: [String], perPrompt: Int, classPrompts: [String], classPictures: Int) {
            (self.prompts, self.perPrompt) = (prompts, perPrompt)
            (self.classPrompts, self.classPictures) = (classPrompts, classPictures)
        }

        /// Pictures in all.
        var count: Int { prompts.count * perPrompt + classPictures }
    }

    /// For every prompt its pictures.
    package let groups: [[Picture]]
    /// For every class prompt its pictures.
    package let classGroups: [[Picture]]
    /// In turns of the class prompts.
    package var classPictures: [Picture] { classGroups.flatMap { $0 } }

    /// Pictures of the same plan and seed have the same seeds each, whatever paints them.
    package init(_ plan: Plan, seed: UInt64, paint: Painting) {
        self.init(plan, seed: seed, paint: paint, each: { _ in })
    }

    /// - Parameter each: is told how many are drawn, after every few.
    package init(_ plan: Plan, seed: UInt64, paint: Painting, each: (Int) -> Void) {
        let asked =
            plan.prompts.flatMap { Array(repeating: $0, count: plan.perPrompt) }
            + (0..<plan.classPictures).map { plan.classPrompts[$0 % plan.classPrompts.count] }
        var drawn: [Picture] = []
        for range in asked.indices.parts(of: PictureSeries.batch) {
            drawn += paint(Array(asked[range]), Philox.seeds(seed, purpose: 0xE7A, range))
            each(drawn.count)
        }
        groups = plan.prompts.indices.map { Array(drawn[$0 * plan.perPrompt..<($0 + 1) * plan.perPrompt]) }
        let first = plan.prompts.count * plan.perPrompt
        classGroups = plan.classPrompts.indices.map { prompt in
            stride(from: first + prompt, to: drawn.count, by: plan.classPrompts.count).map { drawn[$0] }
        }
    }
}

extension Concept {
    /// What PRES is measured by: both wordings that methods preserve the class by, so that none is asked for its own
    /// alone.
    package var classPrompts: [String] { [classPhotoPrompt, anyOfItsClass ?? classPhotoPrompt] }
}
