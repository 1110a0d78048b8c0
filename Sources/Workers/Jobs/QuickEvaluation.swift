import Evaluation
import Foundation
import Jobs
import Personalization

/// The small evaluation that ends the learning of a subject: a few prompts, and whether the class has drifted towards the subject.
struct QuickEvaluation {
    static let suite = PromptSuite(name: "quick", templates: Array(PromptSuite.littleWorld.templates.prefix(4)))
    private static let perPrompt = 2, classPictures = 16

    private let concept: Concept
    private let seed: UInt64
    private let examination: ConceptExamination
    /// Of the class, before anything was learned.
    private let before: ClassScores

    /// Draws what the untouched model makes of the class.
    /// - Parameter models: the folder of all models.
    /// - Returns: nil for a style, and where the encoders are not there: a concept is worth more than its figures.
    init?(_ concept: Concept, on loaded: LoadedModel, models: String, seed: UInt64) throws {
        guard concept.role == .subject, let encoders = try? MetricEncoders(directory: models) else { return nil }
        (self.concept, self.seed) = (concept, seed)
        examination = ConceptExamination(references: concept.squares(of: loaded.pictureSize), by: encoders)
        let painter = try ConceptPainter(loaded, adapters: [:])
        before = ClassScores(examination, ExaminationPictures(QuickEvaluation.plan([], concept), seed: seed, paint: painter.paint))
    }

    /// What a job's result says of it.
    struct Report {
        let row: ConceptRow
        let drift: Drift
    }

    /// Measures what was learned.
    func report(_ painter: ConceptPainter, _ description: Adapter.Description) -> Report {
        let wording = ConceptWording(method: description.method)
        let prompts = QuickEvaluation.suite.templates.map { PromptSuite.prompts($0, concept: concept.name, className: concept.className) }
        // Apart from each other, so that the class has the seeds it had before.
        let ofClass = ExaminationPictures(QuickEvaluation.plan([], concept), seed: seed, paint: painter.paint)
        let ofSubject = ExaminationPictures(
            QuickEvaluation.plan(prompts.map { wording.asked($0.asked) }, concept, classPictures: 0), seed: seed, paint: painter.paint)
        let scores = examination.subject(ofSubject.groups, prompts: prompts.map(\.described), classPictures: ofClass.classPictures)
        let row = ConceptRow(name: concept.name, description: description, pictures: ofSubject.groups.count * QuickEvaluation.perPrompt, rounds: [scores])
        let drift = Drift(className: concept.className, before: before, after: ClassScores(examination, ofClass), ceiling: ceiling)
        return Report(row: row, drift: drift)
    }

    private static func plan(_ prompts: [String], _ concept: Concept, classPictures: Int = classPictures) -> ExaminationPictures.Plan {
        ExaminationPictures.Plan(prompts: prompts, perPrompt: perPrompt, classPrompts: concept.classPrompts, classPictures: classPictures)
    }

    /// What PRES would be if every one of the class were the subject; of one reference nobody knows.
    private var ceiling: Double { examination.ceiling().first { $0.metric == .dino }?.value ?? 1 }
}

/// How like the subject, and how diverse, pictures of the class are.
struct ClassScores: Equatable {
    let pres, div: Score

    init(pres: Score, div: Score) { (self.pres, self.div) = (pres, div) }

    init(_ examination: ConceptExamination, _ pictures: ExaminationPictures) {
        pres = examination.pres(pictures.classPictures)[0]
        div = examination.diversity(pictures.classGroups)[0]
    }
}

/// What learning did to the class.
struct Drift {
    /// Shares from which a change is worth a warning (*ours*): half of the way from the class to the subject, half of the diversity.
    static let largestApproach = 0.5, largestLoss = 0.5

    private static let shortestWay = 0.05

    let className: String
    let before, after: ClassScores
    /// PRES if every one of the class were the subject.
    let ceiling: Double

    /// The share of the way from the class to the subject that the class has gone; negative where it went away, nil where there is no way to
    /// speak of: a class as like the references as they are to each other.
    var approach: Double? { Drift.approach(from: before.pres.value, to: after.pres.value, ceiling: ceiling) }
    /// The share of the class's diversity that is lost; negative where there is more.
    var loss: Double { before.div.value > 0 ? 1 - after.div.value / before.div.value : 0 }

    static func approach(from before: Double, to after: Double, ceiling: Double) -> Double? {
        ceiling - before < Drift.shortestWay ? nil : (after - before) / (ceiling - before)
    }

    var warnings: [String] {
        let advice = "fewer iterations, a smaller learning rate or more prior preservation keep"
        return [
            approach ?? 0 > Drift.largestApproach ? "\(change(\.pres, "rose")): other \(className) pictures drift towards the concept; \(advice) them apart" : nil,
            loss > Drift.largestLoss ? "\(change(\.div, "fell")): pictures of one prompt grow alike; \(advice) them diverse" : nil,
        ].compactMap { $0 }
    }

    private func change(_ score: KeyPath<ClassScores, Score>, _ verb: String) -> String {
        let (was, now) = (before[keyPath: score], after[keyPath: score])
        return "\(was.name) of \"\(className)\" \(verb) from \(was.value.rounded(digits: 3)) to \(now.value.rounded(digits: 3))"
    }

    /// For a job's result: both scores of the class before and after, by metric and encoder, with the shares that warnings go by.
    var json: JSONValue {
        func row(_ score: KeyPath<ClassScores, Score>, _ share: String, _ value: Double?) -> (String, JSONValue) {
            let (was, now) = (before[keyPath: score], after[keyPath: score])
            return (was.key, .object(["before": .number(was.value), "after": .number(now.value), share: value.map(JSONValue.number) ?? .null]))
        }
        return .object(Dictionary(uniqueKeysWithValues: [row(\.pres, "approach", approach), row(\.div, "loss", loss)]))
    }
}
