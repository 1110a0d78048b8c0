import Jobs
import Layers
import Personalization

/// What every method's training leaves open.
protocol TrainingOptions {
    var iterations: Int { get set }
    var batch: Int { get set }
    var learningRate: Float { get set }
    var beta1: Float { get set }
    var beta2: Float { get set }
    var weightDecay: Float { get set }
    var largestZoom: Float { get set }
}

extension TrainingOptions {
    fileprivate mutating func take(_ values: OptionValues) {
        values.integer("iterations") { iterations = $0 }
        values.integer("batch") { batch = $0 }
        values.number("learning_rate") { learningRate = $0 }
        values.number("beta1") { beta1 = $0 }
        values.number("beta2") { beta2 = $0 }
        values.number("weight_decay") { weightDecay = $0 }
        values.number("largest_zoom") { largestZoom = $0 }
    }
}

extension OptionValues {
    /// Assigns how AdamW keeps its moments, where that is said.
    fileprivate func moments(_ assign: (AdamW.Precision) -> Void) {
        text("moments") { if let precision = AdamW.Precision(rawValue: $0) { assign(precision) } }
    }

    /// Assigns the tokens that low-rank changes act on, where that is said.
    fileprivate func actsOn(_ name: String = "acts_on", _ assign: (ActingTokens) -> Void) {
        text(name) { if let tokens = ActingTokens(rawValue: $0) { assign(tokens) } }
    }
}

extension ARBoothOptions: TrainingOptions {}
extension CoAROptions: TrainingOptions {}
extension LoRAOptions: TrainingOptions {}

/// The methods' options as jobs give them.
extension ARBoothOptions {
    /// The method's own values where `values` say nothing.
    init(_ values: OptionValues) {
        self.init()
        take(values)
        values.moments { moments = $0 }
        values.text("tuning") { tuning = Tuning(rawValue: $0) ?? tuning }
        values.flag("scale_weighting") { scaleWeighting = $0 }
        values.integer("early_scales") { earlyScales = $0 }
        values.number("late_scale_weight") { lateScaleWeight = $0 }
        values.flag("distillation") { distillation = $0 }
        values.number("distillation_weight") { distillationWeight = $0 }
        values.integer("distillation_maps") { distillationMaps = $0 }
        values.flag("learns_placeholder") { learnsPlaceholder = $0 }
        values.number("largest_flip_share") { largestFlipShare = $0 }
    }

    /// What holds on the pocket models where a job says nothing else.
    package static var pocket: ARBoothOptions { ARBoothOptions(OptionValues(of: .arbooth)) }
}

extension CoAROptions {
    /// The method's own values where `values` say nothing; layers and prompt then follow from the role.
    init(_ values: OptionValues) {
        self.init()
        take(values)
        values.moments { moments = $0 }
        values.integer("layers") { layers = $0 }
        values.flag("prior_preservation") { priorPreservation = $0 }
        values.integer("prior_pictures") { priorPictures = $0 }
        values.number("prior_weight") { priorWeight = $0 }
        values.number("divergence_weight") { divergenceWeight = $0 }
        values.flag("self_regularization") { selfRegularization = $0 }
        values.number("regularization_weight") { regularizationWeight = $0 }
        values.text("prompt") { prompt = $0 }
    }
}

extension PersonalizeSpec {
    /// What Proxy-Tuning is done with: what the job says, or the two models, or the method itself, whose steps are the
    /// student's for each of several subjects.
    /// - Throws: `JobFailure` listing every unknown option and every value out of range, or moments that the supervisor
    ///   cannot keep so.
    func proxyTuning(of student: ModelDescription, by supervisor: ModelDescription?) throws -> ProxyTuningOptions {
        if let problem = momentsProblem(of: supervisor) { throw JobFailure.options([problem]) }
        let usual = Self.usualTeaching(of: student, by: supervisor, rule: options["supervisor_optimizer"])
        // Of another job's proxies it does not say how many there are.
        let given = options.filter { $0.key != "proxies" || ProxySource($0.value) == nil }
        var made = ProxyTuningOptions(try OptionValues(.object(given), of: .proxyTuning, usual: usual))
        if given["iterations"] == nil { made.student.iterations *= concepts.count }
        return made
    }
}

extension ProxyTuningOptions {
    /// The method's own values where `values` say nothing; each α is twice its rank, and the supervisor's learning rate
    /// its rule's.
    package init(_ values: OptionValues) {
        self.init()
        take(teaching: values)
        values.integer("proxies") { proxies = $0 }
        contexts = values["contexts"]?.array?.compactMap(\.string) ?? []
        dropped = values["filter"]?.double ?? dropped
        values.integer("iterations") { student.iterations = $0 }
        values.integer("batch") { student.batch = $0 }
        values.number("learning_rate") { student.learningRate = $0 }
        values.integer("rank") { student.rank = $0 }
        student.alpha = 2 * Float(student.rank)
        values.number("alpha") { student.alpha = $0 }
        values.actsOn { student.learning = $0 == .prompt ? .lowRankOnWords : .lowRank }
        for stage in [\ProxyTuningOptions.supervisor, \ProxyTuningOptions.student] {
            values.number("beta1") { self[keyPath: stage].beta1 = $0 }
            values.number("beta2") { self[keyPath: stage].beta2 = $0 }
            values.number("weight_decay") { self[keyPath: stage].weightDecay = $0 }
            values.moments { self[keyPath: stage].moments = $0 }
        }
    }

    private mutating func take(teaching values: OptionValues) {
        values.integer("supervisor_iterations") { supervisor.iterations = $0 }
        values.integer("supervisor_batch") { supervisor.batch = $0 }
        values.text("supervisor_optimizer") { supervisor.rule = .init(rawValue: $0) ?? supervisor.rule }
        supervisor.learningRate = supervisor.rule == .prodigy ? 1 : 1e-3
        values.number("supervisor_learning_rate") { supervisor.learningRate = $0 }
        values.integer("supervisor_rank") { supervisor.rank = $0 }
        supervisor.alpha = 2 * Float(supervisor.rank)
        values.number("supervisor_alpha") { supervisor.alpha = $0 }
        values.integer("prior_pictures") { priorPictures = $0 }
        values.flag("prior_preservation") { if !$0 { priorPictures = 0 } }
        values.actsOn("supervisor_acts_on") {
            // Nothing is left to preserve of what does not name the subject.
            if $0 == .prompt { (supervisor.learning, priorPictures) = (.lowRankOnWords, 0) }
        }
        values.number("prior_weight") { supervisor.priorWeight = $0 }
        values.number("largest_zoom") { supervisor.largestZoom = $0 }
    }
}

extension LoRAOptions {
    /// The method's own values where `values` say nothing.
    init(_ values: OptionValues) {
        self.init()
        take(values)
        values.moments { moments = $0 }
        values.integer("rank") { rank = $0 }
        values.number("alpha") { alpha = $0 }
        values.actsOn { actsOn = $0 }
        values.flag("prior_preservation") { priorPreservation = $0 }
        values.integer("prior_pictures") { priorPictures = $0 }
        values.number("prior_weight") { priorWeight = $0 }
    }
}
