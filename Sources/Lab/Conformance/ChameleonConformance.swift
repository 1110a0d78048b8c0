import Autograd
import Backbones
import Catalogue
import Layers
import Tensors

extension ChameleonTransformer.Configuration {
    /// The configuration a case records under the reference's keyword names; the weights tell how many rows the head
    /// norms have.
    init(_ fixture: ConformanceCase, weights: [String: Tensor]) throws {
        try fixture.hold(["hidden_act": ["silu"]])
        self.init(
            vocabularySize: try fixture.integer("vocab_size"), width: try fixture.integer("hidden_size"),
            feedForwardWidth: try fixture.integer("intermediate_size"), depth: try fixture.integer("num_hidden_layers"),
            heads: try fixture.integer("num_attention_heads"), keyHeads: try fixture.integer("num_key_value_heads"),
            swinNorm: try fixture.value("swin_norm"), longestSequence: try fixture.integer("max_position_embeddings"))
        epsilon = try fixture.float("rms_norm_eps")
        // Older versions of transformers have the base beside everything else.
        let rotary =
            ["rope_parameters", "rope_scaling"].compactMap { fixture.configuration[$0] as? [String: Any] }.first ?? [:]
        switch (rotary["rope_type"] ?? rotary["type"]) as? String ?? "default" {
        case "default": break
        case "linear": rotaryFactor = (rotary["factor"] as? Double).map(Float.init)
        case let kind:
            throw ConformanceError(
                folder: fixture.folder, problem: "rope_type \(kind) is not built; default and linear are")
        }
        rotaryBase =
            (rotary["rope_theta"] as? Double).map(Float.init) ?? (try? fixture.float("rope_theta")) ?? 10000
        tiesEmbeddings =
            weights["lm_head.weight"] == nil && fixture.configuration["tie_word_embeddings"] as? Bool == true
        attentionBias = (try? fixture.value("attention_bias")) ?? false
        feedForwardBias = (try? fixture.value("mlp_bias")) ?? false
        queryNormRows = weights["model.layers.0.self_attn.q_norm.weight"]?.shape[0]
        keyNormRows = weights["model.layers.0.self_attn.k_norm.weight"]?.shape[0]
    }
}

/// What cases on Chameleon's transformer share: the model, and token ids with their next-token loss.
struct ChameleonCase {
    let model: ChameleonTransformer
    let weights: Weights
    /// [B · T].
    let ids: [Int32]
    let batch: Int

    /// - Parameter base: the case with weights and configuration, where `fixture` only builds on one.
    init(_ fixture: ConformanceCase, base: ConformanceCase? = nil) throws {
        let tensors = try fixture.weights()
        weights = Weights(.checkpoint(tensors))
        model = ChameleonTransformer(try .init(base ?? fixture, weights: tensors), weights)
        try weights.verify()
        ids = try fixture.recorded.integers("input_ids").map(Int32.init)
        batch = try fixture.recorded.entry("input_ids").shape[0]
    }

    var length: Int { ids.count / batch }

    func sample(_ index: Int) -> [Int32] { Array(ids[index * length..<(index + 1) * length]) }

    /// Mean cross-entropy of each position's logits [B, T, V] against the next label; negative labels do not count.
    func loss(_ logits: Variable, labels: [[Int32]]) -> Variable {
        let targets = labels.flatMap { $0.dropFirst() + [-1] }
        return CrossEntropy(targets: targets).apply([logits.reshaped([targets.count, logits.value.width])])
    }
}

/// Chameleon's transformer: teacher-forced with all gradients, cached greedy decoding, and both with CoAR's context
/// vectors.
struct ChameleonConformance {
    private let fixture: ConformanceCase
    private let subject: ChameleonCase
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        subject = try ChameleonCase(fixture)
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        subject.weights.train { _ in true }
        try teacherForced(&report)
        try greedy(&report)
        if fixture.has("text_ctx") { try withContext(&report) }
        return report
    }

    private func teacherForced(_ report: inout ConformanceReport) throws {
        let logits = subject.model.logits(subject.ids, batch: subject.batch)
        report.compare("logits", logits.value, try fixture.tensor("logits"), tolerance: tolerance)
        let loss = subject.loss(logits, labels: (0..<subject.batch).map(subject.sample))
        report.compare("loss", loss.value, try fixture.tensor("loss"), tolerance: tolerance)
        loss.backward()
        try report.compareGradients("grad.", of: fixture, tolerance: tolerance) { subject.weights.byName[$0] }
    }

    // MARK: Greedy decoding

    /// A prompt and what stands in it.
    private typealias Prompt = (ids: [Int32], contexts: [LayerContext])

    private var promptLength: Int { fixture.description["prompt_len"] as? Int ?? 1 }

    private func greedy(_ report: inout ConformanceReport) throws {
        let prompts: [Prompt] = (0..<subject.batch).map { (Array(subject.sample($0).prefix(promptLength)), []) }
        try compareDecoding("greedy", prompts, &report)
        guard fixture.has("greedy_masked.tokens") else { return }
        let pictures: [String: Int] = try fixture.value("vocabulary_map")
        let hidden = pictures.filter { $0.key.hasPrefix("IMGIMG") }.map(\.value)
        let steps = try fixture.recorded.entry("greedy_masked.tokens").shape[1]
        let masked = decoded(prompts, steps: steps, hiding: hidden)
        report.compareExactly(
            "greedy_masked.tokens", masked.tokens, try fixture.recorded.integers("greedy_masked.tokens"))
    }

    private func compareDecoding(_ name: String, _ prompts: [Prompt], _ report: inout ConformanceReport) throws {
        let result = decoded(prompts, steps: try fixture.recorded.entry("\(name).tokens").shape[1], hiding: [])
        report.compareExactly("\(name).tokens", result.tokens, try fixture.recorded.integers("\(name).tokens"))
        report.compare("\(name).logits", result.logits, try fixture.tensor("\(name).logits"), tolerance: tolerance)
    }

    /// The likeliest token, `steps` times; tokens [B · steps] and the logits they were taken from [B, steps, V].
    private func decoded(_ prompts: [Prompt], steps: Int, hiding hidden: [Int]) -> (tokens: [Int], logits: Tensor) {
        let decoder = ChameleonDecoder(
            subject.model, sequences: prompts.count, capacity: (prompts.map(\.ids.count).max() ?? 0) + steps)
        var logits = Tensor.joined(
            prompts.enumerated().map { decoder.read($1.ids, sequence: $0, contexts: $1.contexts) })
        var tokens: [[Int]] = []
        var seen: [Tensor] = []
        for step in 0..<steps {
            if step > 0 { logits = decoder.advance(tokens.last!.map(Int32.init)) }
            seen.append(logits)
            tokens.append((0..<prompts.count).map { likeliest(logits.slice($0..<$0 + 1).values, hiding: hidden) })
        }
        let rows = prompts.indices.flatMap { sample in seen.map { $0.slice(sample..<sample + 1) } }
        return (prompts.indices.flatMap { sample in tokens.map { $0[sample] } }, .joined(rows))
    }

    private func likeliest(_ logits: [Float], hiding hidden: [Int]) -> Int {
        var logits = logits
        for id in hidden { logits[id] = -.infinity }
        return logits.indices.max { logits[$0] < logits[$1] }!
    }

    // MARK: Context vectors

    private func withContext(_ report: inout ConformanceReport) throws {
        let names = try fixture.recorded.integers("v_pos")
        let slots = try fixture.recorded.integers("img_pos")
        let text = Parameter(name: "text_ctx", value: try fixture.tensor("text_ctx"))
        let image = Parameter(name: "img_ctx", value: try fixture.tensor("img_ctx"))
        for parameter in [text, image] { parameter.isTrainable = true }
        // The slot's own id does not matter: it is overwritten before the first layer.
        let extended = (0..<subject.batch).map { index in
            let sample = subject.sample(index)
            return Array(sample[..<slots[index]] + [0] + sample[slots[index]...])
        }
        var labels = extended
        for index in extended.indices { for place in [names[index], slots[index]] { labels[index][place] = -100 } }
        report.compareExactly(
            "ctx.targets", labels.flatMap { $0.map(Int.init) }, try fixture.recorded.integers("ctx.targets"))
        let contexts = [LayerContext(text.variable, positions: names), LayerContext(image.variable, positions: slots)]
        let logits = subject.model.logits(extended.flatMap { $0 }, batch: subject.batch, contexts: contexts)
        report.compare("ctx.logits", logits.value, try fixture.tensor("ctx.logits"), tolerance: tolerance)
        let loss = subject.loss(logits, labels: labels)
        report.compare("ctx.loss", loss.value, try fixture.tensor("ctx.loss"), tolerance: tolerance)
        loss.backward()
        try report.compareGradients("ctx.grad.", of: fixture, tolerance: tolerance) {
            ["text_ctx": text, "img_ctx": image][$0] ?? subject.weights.byName[$0]
        }
        let prompts: [Prompt] = (0..<subject.batch).map { index in
            let placed = [
                LayerContext(text.variable, positions: [names[index]]),
                LayerContext(image.variable, positions: [promptLength]),
            ]
            return (Array(subject.sample(index).prefix(promptLength) + [0]), placed)
        }
        try compareDecoding("ctx.greedy", prompts, &report)
    }
}
