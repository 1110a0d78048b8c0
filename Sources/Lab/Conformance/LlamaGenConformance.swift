import Autograd
import Backbones
import Layers
import Tensors

/// LlamaGen's transformer: teacher-forced with all gradients, and greedy generation under guidance.
struct LlamaGenConformance {
    private let fixture: ConformanceCase
    private let weights: Weights
    private let model: LlamaGenTransformer
    private let captions: Tensor
    /// Real features of each caption.
    private let lengths: [Int]
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        weights = Weights(.checkpoint(try fixture.weights()))
        model = LlamaGenTransformer(
            try fixture.decodedConfiguration(as: LlamaGenTransformer.Configuration.self), weights)
        try weights.verify()
        captions = try fixture.tensor("caption")
        lengths = try fixture.lengths("emb_mask")
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        weights.train { $0 != model.unconditional.name }
        try teacherForced(&report)
        let scale = (try? fixture.float("cfg_scale")) ?? 3
        try generated("gen", guidance: scale, &report)
        try generated("gen_nocfg", guidance: 1, &report)
        for name in generations where name.hasPrefix("gen_interval") {
            let last = Int(name.dropFirst("gen_interval".count))
            try generated(name, guidance: scale, lastGuidedStep: last, &report)
        }
        return report
    }

    /// The names of the recorded generations.
    private var generations: [String] {
        fixture.recorded.names.filter { $0.hasSuffix(".tokens") }.map { String($0.dropLast(".tokens".count)) }
    }

    private func teacherForced(_ report: inout ConformanceReport) throws {
        let codes = try fixture.recorded.integers("idx").map(Int32.init)
        let logits = model.logits(captions: Variable(captions), lengths: lengths, codes: codes)
        report.compare("logits", logits.value, try fixture.tensor("logits"), tolerance: tolerance)
        let each = codes.count / lengths.count
        let counted = try fixture.recorded.integers("valid")
        let targets = codes.enumerated().map { counted[$0.offset / each] > 0 ? $0.element : -1 }
        let loss = CrossEntropy(targets: targets)
            .apply([logits.reshaped([targets.count, logits.value.width])])
        report.compare("loss", loss.value, try fixture.tensor("loss"), tolerance: tolerance)
        loss.backward()
        try report.compareGradients("grad.", of: fixture, tolerance: tolerance) { weights.byName[$0] }
        let plain = model.logits(captions: Variable(captions), codes: codes)
        report.compare(
            "logits_plain_causal", plain.value, try fixture.tensor("logits_plain_causal"), tolerance: tolerance)
    }

    /// Greedy codes, and the logits each was chosen from. Without a mask, as without guidance here, padding is read.
    private func generated(
        _ name: String, guidance: Float, lastGuidedStep: Int? = nil, _ report: inout ConformanceReport
    ) throws {
        guard fixture.has("\(name).tokens") else { return }
        let steps = try fixture.recorded.entry("\(name).tokens").shape[1]
        let length = model.configuration.captionLength
        let prompts = lengths.enumerated().map { sample, real in
            captions.slice(sample..<sample + 1).reshaped([length, captions.width])
                .slice(guidance > 1 ? length - real..<length : 0..<length)
        }
        let greedy = CodeSampling(
            guidance: guidance, topK: 1, temperature: 1, seeds: lengths.map { _ in 0 })
        var seen: [Tensor] = []
        let codes = model.generate(
            prompts, count: steps, sampling: LlamaGenSampling(greedy, lastGuidedStep: lastGuidedStep)
        ) { seen.append($0) }
        report.compareExactly(
            "\(name).tokens", codes.flatMap { $0.map(Int.init) }, try fixture.recorded.integers("\(name).tokens"))
        let rows = lengths.indices.flatMap { sample in seen.map { $0.slice(sample..<sample + 1) } }
        report.compare("\(name).logits", .joined(rows), try fixture.tensor("\(name).logits"), tolerance: tolerance)
    }
}

/// LlamaGen's picture tokenizer, both ways.
struct LlamaGenTokenizerConformance {
    private let fixture: ConformanceCase
    private let tokenizer: LlamaGenTokenizer
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let weights = Weights(.checkpoint(try fixture.weights()))
        tokenizer = LlamaGenTokenizer(
            try fixture.decodedConfiguration(as: LlamaGenTokenizer.Configuration.self), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let features = tokenizer.features(Variable(try fixture.tensor("image")))
        report.compare("pre_quant", features.value, try fixture.tensor("pre_quant"), tolerance: tolerance)
        let indices = tokenizer.indices(features)
        report.compareExactly("indices", indices.map(Int.init), try fixture.recorded.integers("indices"))
        let (batch, height, width) = (features.shape[0], features.shape[2], features.shape[3])
        let quantized = tokenizer.features(indices, batch: batch, height: height, width: width)
        report.compare("quant", quantized.value, try fixture.tensor("quant"), tolerance: tolerance)
        report.compare(
            "decoded_from_quant", tokenizer.decode(quantized).value, try fixture.tensor("decoded_from_quant"),
            tolerance: tolerance)
        let each = height * width
        let codes = (0..<batch).map { Array(indices[$0 * each..<($0 + 1) * each]) }
        try compareDecoding("decode_code", codes, height: height, width: width, &report)
        let free = try fixture.codes("free_indices")
        try compareDecoding("decode_code_free", free.pictures, height: free.height, width: free.width, &report)
        return report
    }

    private func compareDecoding(
        _ name: String, _ codes: [[Int32]], height: Int, width: Int, _ report: inout ConformanceReport
    ) throws {
        let pictures = tokenizer.decode(codes, height: height, width: width)
        report.compare(name, pictures, try fixture.tensor(name), tolerance: tolerance)
    }
}
