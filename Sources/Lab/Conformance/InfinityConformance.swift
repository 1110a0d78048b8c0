import Autograd
import Backbones
import Layers
import Tensors

extension InfinityTransformer.Configuration {
    /// The configuration a case records under the reference's keyword names; its weights tell the chunking, the
    /// levels, and the feed-forward's width: where the reference's rounding to 256 leaves none, it is the model's.
    init(_ fixture: ConformanceCase, weights: [String: Tensor]) throws {
        let chunked = weights.keys.filter { $0.hasPrefix("block_chunks.") }
        let chunks = Set(chunked.map { $0.split(separator: ".")[1] }).count
        let patch = (try? fixture.integer("apply_spatial_patchify")) == 1 ? 2 : 1
        self.init(
            width: try fixture.integer("embed_dim"), depth: try fixture.integer("depth"),
            heads: try fixture.integer("num_heads"),
            textWidth: try fixture.integer("text_channels"), textLength: try fixture.integer("text_maxlen"),
            bits: try fixture.integer("d_vae") * patch * patch,
            blockChunks: max(chunks, 1), schedule: try fixture.schedule())
        if patch > 1 { codePatch = patch }
        if (try? fixture.integer("add_lvl_embeding_only_first_block")) == 0 { addsLevelsToEveryChunk = true }
        feedForwardRows = weights.first { $0.key.hasSuffix(".ffn.fc1.weight") }?.value.shape[0]
        if let epsilon = try? fixture.float("norm_eps") { self.epsilon = epsilon }
        if let reference: [[Int]] = try? fixture.value("rope_reference_schedule_1M"), let last = reference.last {
            rotaryReference = ScaleSchedule.Side(height: last[last.count - 2], width: last[last.count - 1])
        }
        levels = weights["lvl_embed.weight"]?.shape[0] ?? levels
    }
}

/// Infinity's transformer: teacher-forced with all gradients, dropped text, and generation.
struct InfinityConformance {
    private let fixture: ConformanceCase
    private let weights: Weights
    private let model: InfinityTransformer
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let tensors = try fixture.weights()
        weights = Weights(.checkpoint(tensors))
        model = InfinityTransformer(try .init(fixture, weights: tensors), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        try teacherForced(&report)
        try dropped(&report)
        try generated("ar", negative: nil, &report)
        if fixture.has("neg_text_kv") {
            let text = TextFeatures(
                values: Variable(try fixture.tensor("neg_text_kv")), lengths: try fixture.integers("negative_text_lens")
            )
            try generated("ar_neg", negative: text, &report)
        }
        return report
    }

    private func text() throws -> TextFeatures {
        TextFeatures(values: Variable(try fixture.tensor("text_kv")), lengths: try fixture.integers("text_lens"))
    }

    private func meanLoss(_ logits: Variable, weights tokenWeights: [Float]? = nil) throws -> Variable {
        let bits = try fixture.bits("bits_BLd")
        let tokens = bits.count / model.configuration.bits
        return BitCrossEntropy(
            bits: bits, weights: tokenWeights ?? [Float](repeating: 1 / Float(bits.count), count: tokens)
        ).apply([logits])
    }

    private func teacherForced(_ report: inout ConformanceReport) throws {
        weights.train { _ in true }
        let inputs = try fixture.tensor("x_BLC_wo_prefix")
        let condition = model.conditionForInspection(try text())
        report.compare("cond_BD", condition.pooled, try fixture.tensor("cond_BD"), tolerance: tolerance)
        report.compare("ca_kv", condition.text, try fixture.tensor("ca_kv"), tolerance: tolerance)
        report.compare("shared_ada", condition.ada, try fixture.tensor("shared_ada"), tolerance: tolerance)
        report.compare(
            "rope_cos_sin", .joined([model.rotary.cosine, model.rotary.sine]), try fixture.tensor("rope_cos_sin"),
            tolerance: tolerance)
        let logits = model.logits(try text(), inputs: inputs)
        report.compare("logits", logits.value, try fixture.tensor("logits"), tolerance: tolerance)
        let loss = try meanLoss(logits)
        report.compare("loss", loss.value, try fixture.tensor("loss"), tolerance: tolerance)
        try losses(logits, &report)
        loss.backward()
        try report.compareGradients("grad.", of: fixture, tolerance: tolerance) { weights.byName[$0] }
    }

    private func losses(_ logits: Variable, _ report: inout ConformanceReport) throws {
        let schedule = model.configuration.schedule
        let bits = model.configuration.bits
        let batch = logits.shape[0]
        var values: [Float] = []
        for scale in schedule.sides.indices {
            let share = 1 / Float(batch * schedule.sides[scale].tokens * bits)
            let perToken = schedule.ranges.enumerated().flatMap {
                [Float](repeating: $0 == scale ? share : 0, count: $1.count)
            }
            values.append(try meanLoss(logits, weights: Array(repeating: perToken, count: batch).flatMap { $0 }).scalar)
        }
        report.compare(
            "loss_per_scale", Tensor(values, shape: [values.count]), try fixture.tensor("loss_per_scale"),
            tolerance: tolerance)
        let reweighted = try meanLoss(logits, weights: schedule.tokenWeights(batch: batch, bits: bits))
        report.compare(
            "loss_reweighted_by_scale", reweighted.value, try fixture.tensor("loss_reweighted_by_scale"),
            tolerance: tolerance)
    }

    private func dropped(_ report: inout ConformanceReport) throws {
        guard fixture.has("dropped0.logits") else { return }
        let logits = model.logits(try text(), inputs: try fixture.tensor("x_BLC_wo_prefix"), droppingTextOf: [0])
        report.compare("dropped0.logits", logits.value, try fixture.tensor("dropped0.logits"), tolerance: tolerance)
        try meanLoss(logits).backward()
        let gradient = weights.byName["cfg_uncond"]!.gradient!
        report.compare(
            "dropped0.grad.cfg_uncond", gradient, try fixture.tensor("dropped0.grad.cfg_uncond"), tolerance: tolerance)
        for parameter in weights.parameters { parameter.clearGradient() }
    }

    private func generated(_ name: String, negative: TextFeatures?, _ report: inout ConformanceReport) throws {
        let sampling = Sampling(
            guidance: try fixture.floats("cfg_list"), temperature: try fixture.floats("tau_list"), isGreedy: true,
            seeds: [])
        var logits: [Tensor] = []
        let maps = model.generate(try text(), negative: negative, sampling: sampling) { logits.append($1) }
        for scale in maps.schedule.sides.indices {
            report.compare(
                "\(name).logits.\(scale)", logits[scale], try fixture.tensor("\(name).logits.\(scale)"),
                tolerance: tolerance)
            report.compareExactly(
                "\(name).bits.\(scale)", maps.bits(ofScale: scale), try fixture.bits("\(name).bits.\(scale)"))
        }
        report.compare(
            "\(name).summed_codes", maps.sum, try fixture.tensor("\(name).summed_codes"), tolerance: tolerance)
    }
}
