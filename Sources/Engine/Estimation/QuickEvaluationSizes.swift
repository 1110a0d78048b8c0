import Jobs

/// The small evaluation before and after a concept is learnt.
struct QuickEvaluationSizes {
    private let learning: Learning
    private let encoders: EncoderSizes
    private let isSubject: Bool
    private let references: Int

    /// Nil where the encoders are not here, or nothing is evaluated.
    init?(
        _ learning: Learning, _ concept: ConceptSpec, of spec: PersonalizeSpec, _ models: InstalledSizes,
        _ sheet: inout CostSheet
    ) {
        let places = spec.places(of: concept).count
        guard places > 0, let encoders = models.encoders(.init(learning.model.description.encoders)) else {
            return nil
        }
        (self.learning, self.encoders) = (learning, encoders)
        (isSubject, references) = (concept.role == .subject, places)
        encoders.load(&sheet)
    }

    private var own: Int { QuickEvaluation.suite.templates.count * QuickEvaluation.perPrompt }

    /// The prompts without the concept, and a subject's class.
    func before(_ sheet: inout CostSheet) {
        encoders.see(references, &sheet)
        measure(&sheet)
    }

    func after(_ sheet: inout CostSheet) {
        measure(&sheet)
        // PRES is among the scores then.
        if isSubject { encoders.seeByDINO(QuickEvaluation.classPictures, &sheet) }
    }

    private func measure(_ sheet: inout CostSheet) {
        let (size, ofClass) = (learning.model.size, QuickEvaluation.classPictures)
        learning.draw(own, each: QuickEvaluation.perPrompt, rounding: false, &sheet)
        encoders.score(own, each: QuickEvaluation.perPrompt, of: size, &sheet)
        guard isSubject else { return }
        // Its prompt has two wordings, which take turns.
        learning.draw(ofClass, each: PictureSeries.batch / 2, rounding: false, &sheet)
        encoders.seeByDINO(ofClass, &sheet)
        encoders.compare(ofClass, each: ofClass / 2, of: size, &sheet)
    }
}
