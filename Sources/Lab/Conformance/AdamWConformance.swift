import Autograd
import Backbones
import Layers
import Personalization
import Tensors

/// Twelve optimizer steps on ARBooth's objective.
struct AdamWConformance {
    private let fixture: ConformanceCase
    init(_ fixture: ConformanceCase) { self.fixture = fixture }

    func report() throws -> ConformanceReport {
        let base = try fixture.base()
        let tensors = try fixture.weights()
        var configuration = try InfinityTransformer.Configuration(base, weights: tensors)
        if fixture.configuration["scale_schedule"] != nil { configuration.schedule = try fixture.schedule() }
        let weights = Weights(.checkpoint(tensors))
        let model = InfinityTransformer(configuration, weights)
        try weights.verify()
        return try trajectory(model, weights, configuration)
    }

    /// The scale-weighted cross-entropy. In ours the early scales always have the weight 1; a case's may have another.
    private func subject(_ logits: Variable, _ maps: TokenMaps) throws -> Variable {
        let isWeighted = fixture.configuration["weight_early"] != nil
        let early: Float = try isWeighted ? fixture.float("weight_early") : 1
        guard early > 0 else {
            throw ConformanceError(folder: fixture.folder, problem: "config.weight_early is \(early), not positive")
        }
        var options = ARBoothOptions()
        options.earlyScales = try fixture.integer("early_scales")
        options.lateScaleWeight = try fixture.float("weight_late") / early
        return early * ARBoothLoss.subject(logits, maps: maps, options: options)
    }

    private func trajectory(
        _ model: InfinityTransformer, _ weights: Weights, _ c: InfinityTransformer.Configuration
    ) throws -> ConformanceReport {
        let lengths = try fixture.integers("text_lens")
        let lambda = try fixture.float("lambda_kl")
        let betas = try fixture.floats("betas")
        let text = TextFeatures(values: Variable(try fixture.tensor("text_kv")), lengths: lengths)
        let teacherText = TextFeatures(values: Variable(try fixture.tensor("teacher_text_kv")), lengths: lengths)
        let inputs = try fixture.tensor("x_BLC_wo_prefix")
        let teacherInputs = try fixture.tensor("teacher_x_BLC_wo_prefix")
        let maps = TokenMaps(
            schedule: c.schedule, batch: lengths.count, depth: c.bits, bits: try fixture.bits("bits_BLd"),
            inputs: inputs,
            sum: Tensor(zeros: [1]))
        let teacher = model.logits(teacherText, inputs: teacherInputs).value
        let names: [String] = fixture.description["trained_parameters"] as? [String] ?? []
        weights.train { names.contains($0) }
        let optimizer = AdamW(
            weights.trainable,
            AdamW.Options(
                learningRate: try fixture.float("lr"), beta1: betas[0], beta2: betas[1],
                epsilon: try fixture.float("eps"),
                weightDecay: try fixture.float("weight_decay")))
        var series: [String: [Float]] = [:]
        var report = ConformanceReport()
        for step in 0...(try fixture.integer("steps")) {
            let subject = try subject(model.logits(text, inputs: inputs), maps)
            let kept = ARBoothLoss.distillation(model.logits(teacherText, inputs: teacherInputs), teacher: teacher)
            let total = subject + lambda * kept
            for (name, value) in [("loss_ce", subject), ("loss_kl", kept), ("loss_total", total)] {
                series[name, default: []].append(value.scalar)
            }
            if step == (try fixture.integer("steps")) { break }
            total.backward()
            series["grad_norm", default: []].append(optimizer.update())
            if step == 0 { try compareWeights("after_step1.", weights, &report) }
        }
        try compareWeights("final.", weights, &report)
        for (name, values) in series.sorted(by: { $0.key < $1.key }) {
            report.compare(name, Tensor(values, shape: [values.count]), try fixture.tensor(name), tolerance: 1e-4)
        }
        return report
    }

    private func compareWeights(_ prefix: String, _ weights: Weights, _ report: inout ConformanceReport) throws {
        for name in fixture.recorded.names where name.hasPrefix(prefix) {
            guard let parameter = weights.byName[String(name.dropFirst(prefix.count))] else { continue }
            let recorded = try fixture.tensor(name)
            report.compareNorm(name, parameter.value, recorded, tolerance: 2e-4)
            report.compare(name, parameter.value, recorded, tolerance: 5e-3)
        }
    }
}
