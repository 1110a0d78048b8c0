import Evaluation
import Foundation
import Jobs
import Personalization

/// The small evaluation that ends the learning of a concept: a few prompts, beside the untouched model's pictures of
/// them, and of a subject whether its class has drifted towards it.
struct QuickEvaluation {
    static let suite = PromptSuite(name: "quick", templates: Array(PromptSuite.littleWorld.templates.prefix(4)))
    static let perPrompt = 2, classPictures = 16

    private let concept: Concept
    private let seed: UInt64
    private let metrics: ConceptMetrics
    /// Of a subject's class, before anything was learned.
    private let before: ClassScores?
    /// What the untouched model's pictures of the prompts score, with the class noun in a subject's place, and nothing
    /// in a style's.
    private let untuned: [Score]
    /// What is to be said of its prompts.
    private let remarks: [String]

    /// Draws what the untouched model makes of the prompts, and of a subject's class.
    /// - Parameters:
    ///   - models: the folder of all models.
    ///   - report: is told how many pictures of how many are drawn.
    /// - Throws: what says that an encoder is not there, or that its files are damaged.
    init(
        _ concept: Concept, on loaded: LoadedModel, models: String, seed: UInt64,
        report: (_ drawn: Int, _ all: Int) -> Void = { _, _ in }
    ) throws {
        try QuickEvaluation.verifyPrompts(of: concept, on: loaded)
        let encoders = try MetricEncoders(directory: models, .init(loaded.description.encoders))
        metrics = ConceptMetrics(references: concept.references, by: encoders)
        (self.concept, self.seed) = (concept, seed)
        let isSubject = concept.role == .subject
        let painter = try ConceptPainter(loaded, adapters: [:])
        let described = ConceptWording(method: .arbooth).prompts(QuickEvaluation.suite, for: concept).map(\.described)
        let ofClass = isSubject ? QuickEvaluation.classPictures : 0
        let all = ofClass + described.count * QuickEvaluation.perPrompt
        before =
            isSubject ? ClassScores(metrics, QuickEvaluation.ofClass(concept, seed, painter) { report($0, all) }) : nil
        let pictures = QuickEvaluation.pictures(of: described, seed, painter) { report(ofClass + $0, all) }
        untuned = metrics.scores(of: concept.role, pictures, prompts: described)
        remarks = encoders.remarks(on: described, of: concept.role)
    }

    /// Prompts that the model does not read whole: of a class noun of many words.
    private struct TooLong: Error, CustomStringConvertible {
        let model: String
        let problem: Problem

        var description: String {
            "its prompts are too long for \(model): one has \(problem.found), allowed are \(problem.allowed)"
        }
    }

    /// Holds what it draws against what the model can read; ARBooth's wording is the longest.
    private static func verifyPrompts(of concept: Concept, on loaded: LoadedModel) throws {
        let wording = ConceptWording(method: .arbooth)
        let prompts = wording.prompts(suite, for: concept).flatMap { [$0.asked, $0.described] } + concept.classPrompts
        let problems = loaded.tooLong(
            prompts.map { ("/concept/class", $0) }, concepts: [concept.name], spelled: ConceptSpellings(of: concept))
        if let problem = problems.first { throw TooLong(model: loaded.description.name, problem: problem) }
    }

    private static func pictures(
        of prompts: [String], _ seed: UInt64, _ painter: ConceptPainter, each: (Int) -> Void
    ) -> EvaluationPictures {
        EvaluationPictures(
            .init(prompts: prompts, perPrompt: perPrompt, classPrompts: [], classPictures: 0), seed: seed,
            paint: painter.paint, each: each)
    }

    /// What a job's result says of it.
    struct Report {
        let row: ConceptRow
        /// Nil of a style, which has no class to change.
        let drift: Drift?
        let likeness: Likeness
        /// What is to be said of the prompts.
        let remarks: [String]

        var warnings: [String] { likeness.warnings + row.warnings + (drift?.warnings ?? []) + remarks }
    }

    /// Measures what was learned.
    /// - Parameters:
    ///   - others: of subjects that were learned with this one, from which it is to be kept apart.
    ///   - progress: is told how many pictures of how many are drawn.
    func report(
        _ painter: ConceptPainter, _ adapter: Adapter, besides others: [QuickEvaluation] = [],
        progress: (_ drawn: Int, _ all: Int) -> Void = { _, _ in }
    ) -> Report {
        let description = adapter.description(usedAs: concept.name)
        let prompts = ConceptWording(method: description.method).prompts(QuickEvaluation.suite, for: concept)
        let described = prompts.map(\.described)
        let own = prompts.count * QuickEvaluation.perPrompt
        let all = own + (before == nil ? 0 : QuickEvaluation.classPictures)
        let pictures = QuickEvaluation.pictures(of: prompts.map(\.asked), seed, painter) { progress($0, all) }
        func report(_ scores: [Score], _ drift: Drift?, among references: [Score]) -> Report {
            Report(
                row: ConceptRow(
                    name: concept.name, description: description, suite: QuickEvaluation.suite.name, pictures: own,
                    rounds: [scores]), drift: drift,
                likeness: Likeness(learnt: scores, untuned: untuned, references: references), remarks: remarks)
        }
        guard let before else {
            // Pictures of one style may show anything: how like each other they are is no way that is to be gone.
            return report(metrics.style(pictures.groups, prompts: described), nil, among: [])
        }
        // Apart from the subject's pictures, so that the class has the seeds it had before.
        let ofClass = QuickEvaluation.ofClass(concept, seed, painter) { progress(own + $0, all) }
        let scores = metrics.subject(
            pictures.groups, prompts: described, classPictures: ofClass.classPictures,
            besides: others.map(\.metrics))
        return report(
            scores,
            Drift(
                className: concept.className, before: before, after: ClassScores(metrics, ofClass), ceiling: ceiling),
            among: metrics.ceiling())
    }

    private static func ofClass(
        _ concept: Concept, _ seed: UInt64, _ painter: ConceptPainter, each: (Int) -> Void
    ) -> EvaluationPictures {
        EvaluationPictures(
            .init(prompts: [], perPrompt: perPrompt, classPrompts: concept.classPrompts, classPictures: classPictures),
            seed: seed, paint: painter.paint, each: each)
    }

    /// What PRES would be if every one of the class were the subject; of one reference nobody knows.
    private var ceiling: Double { metrics.ceiling().first { $0.metric == .dino }?.value ?? 1 }
}
