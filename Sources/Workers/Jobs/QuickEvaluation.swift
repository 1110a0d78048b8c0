import Evaluation
import Foundation
import Jobs
import Personalization

/// The small evaluation that ends the learning of a subject: a few prompts, and whether the class has drifted towards the subject.
struct QuickEvaluation {
    static let suite = PromptSuite(name: "quick", templates: Array(PromptSuite.littleWorld.templates.prefix(4)))
    private static let perPrompt = 2, classPictures = 16
    /// Shares from which a change is worth a warning (*ours*): half of the way from the class to the subject, half of the diversity.
    static let largestDrift = 0.5, largestLoss = 0.5

    private let concept: Concept
    private let seed: UInt64
    private let examination: ConceptExamination
    /// Of the class, before anything was learned.
    private let before: Drift

    /// Draws what the untouched model makes of the class.
    /// - Parameter models: the folder of all models.
    /// - Returns: nil for a style, and where the encoders are not there: a concept is worth more than its figures.
    init?(_ concept: Concept, on loaded: LoadedModel, models: String, seed: UInt64) throws {
        guard concept.role == .subject, let encoders = try? MetricEncoders(directory: models) else { return nil }
        (self.concept, self.seed) = (concept, seed)
        examination = ConceptExamination(references: concept.squares(of: loaded.pictureSize), by: encoders)
        let painter = try ConceptPainter(loaded, adapters: [:])
        before = Drift(examination, ExaminationPictures(QuickEvaluation.plan([], concept), seed: seed, paint: painter.paint))
    }

    /// What a job's result says of it: the table, the figures by name, and warnings.
    struct Report {
        let row: ConceptRow
        let warnings: [String]
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
        return Report(row: row, warnings: before.warnings(Drift(examination, ofClass), ceiling: ceiling, className: concept.className))
    }

    private static func plan(_ prompts: [String], _ concept: Concept, classPictures: Int = classPictures) -> ExaminationPictures.Plan {
        ExaminationPictures.Plan(prompts: prompts, perPrompt: perPrompt, classPrompts: concept.classPrompts, classPictures: classPictures)
    }

    /// What PRES would be if every one of the class were the subject; of one reference nobody knows.
    private var ceiling: Double { examination.ceiling().first { $0.metric == .dino }?.value ?? 1 }
}

/// How like the subject, and how diverse, pictures of the class are.
struct Drift: Equatable {
    let pres, div: Score

    init(pres: Score, div: Score) { (self.pres, self.div) = (pres, div) }

    init(_ examination: ConceptExamination, _ pictures: ExaminationPictures) {
        pres = examination.pres(pictures.classPictures)[0]
        div = examination.diversity(pictures.classGroups)[0]
    }

    /// What is to be said where this was before learning and `after` is now.
    /// - Parameter ceiling: PRES if every one of the class were the subject.
    func warnings(_ after: Drift, ceiling: Double, className: String) -> [String] {
        var warnings: [String] = []
        let way = (after.pres.value - pres.value) / max(ceiling - pres.value, 1e-6)
        if way > QuickEvaluation.largestDrift {
            warnings.append("\(pres.name) of \"\(className)\" rose from \(pres.value.rounded(digits: 3)) to \(after.pres.value.rounded(digits: 3)): other \(className) pictures drift towards the concept; fewer iterations, a smaller learning rate or more prior preservation keep them apart")
        }
        if after.div.value < (1 - QuickEvaluation.largestLoss) * div.value {
            warnings.append("\(div.name) of \"\(className)\" fell from \(div.value.rounded(digits: 3)) to \(after.div.value.rounded(digits: 3)): pictures of one prompt grow alike; fewer iterations, a smaller learning rate or more prior preservation keep them diverse")
        }
        return warnings
    }
}
