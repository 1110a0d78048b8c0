import Autograd
import Backbones
import Catalogue
import Checkpoints
import Foundation
import Images
import Jobs
import Layers
import Tensors

/// LlamaGen as it is released: cleaned captions, left-padded features, logits, and greedy pictures under guidance.
struct LlamaGenReleaseConformance {
    private struct Settings: Decodable {
        let tokenizer: LlamaGenTokenizer.Configuration
        let text: T5Encoder.Configuration
        let transformer: LlamaGenTransformer.Configuration
    }

    private let release: ReleaseCase
    private let words: UnigramTokenizer
    private let encoder: T5Encoder
    private let tokenizer: LlamaGenTokenizer
    private let transformer: LlamaGenTransformer

    init(_ release: ReleaseCase) throws {
        self.release = release
        var wishes = ReleaseWishes()
        wishes.heads = release.unwritten("n_head")?.integer
        let scan = ReleaseScan([release.folder])
        guard let found = LlamaGenRelease(scan, wishes) else {
            throw release.problem((scan.problems + ["it holds no transformer of LlamaGen"]).joined(separator: "; "))
        }
        let parts = try found.parts()
        let settings = try JSONDecoder().decode(Settings.self, from: parts.configuration.line)
        words = try UnigramTokenizer(path: parts.vocabulary)
        func weights(_ piece: ReleasePiece) -> Weights { Weights(.stored(piece.checkpoint)) }
        let all = [parts.text, parts.tokenizer, parts.transformer].map(weights)
        encoder = T5Encoder(settings.text, all[0])
        tokenizer = LlamaGenTokenizer(settings.tokenizer, all[1])
        var sizes = settings.transformer
        // In codes; a wish is in pixels, and the tokenizer's own code size turns it into them.
        if let grid = release.unwritten("grid")?.integer { sizes.side = grid }
        transformer = LlamaGenTransformer(sizes, all[2])
        for weights in all { try weights.verify() }
    }

    func run() throws {
        let features = try text()
        try teacherForced(features)
        try greedy(features)
        try encoded()
    }

    /// Each caption's own features [L, D].
    private func text() throws -> [Tensor] {
        let captions = try release.texts("prompts").map(CaptionCleaning.cleaned)
        release.compareSaid("cleaned_captions", captions, try release.texts("cleaned_captions"))
        let ids = captions.map { words.encode($0).cut(to: transformer.configuration.captionLength) }
        for (index, ids) in ids.enumerated() { try release.compareExactly("text.ids.\(index)", ids.map(Int.init)) }
        let features = ids.map { encoder([$0]).values.value }
        let padded = LlamaGenTransformer.padded(features, to: transformer.configuration.captionLength)
        try release.compare("caption", padded)
        let length = transformer.configuration.captionLength
        try release.compareExactly(
            "caption.mask", features.flatMap { f in (0..<length).map { $0 < length - f.rows ? 0 : 1 } })
        return features
    }

    private func teacherForced(_ features: [Tensor]) throws {
        let length = transformer.configuration.captionLength
        let logits = transformer.logits(
            captions: Variable(LlamaGenTransformer.padded([features[0]], to: length)), lengths: [features[0].rows],
            codes: try release.integers("tf.ids").map(Int32.init))
        try release.compare("tf.logits_every4", logits.value.everyRow(4))
    }

    private func greedy(_ features: [Tensor]) throws {
        let sampling = CodeSampling(
            guidance: Float(try release.number("cfg")), topK: 1, temperature: 1, seeds: features.map { _ in 0 })
        var seen: [Tensor] = []
        let count = try release.recorded.entry("greedy.ids").shape[1]
        let codes = transformer.generate(features, count: count, sampling: LlamaGenSampling(sampling)) {
            seen.append($0)
        }
        try release.compareExactly("greedy.ids", codes.flatMap { $0.map(Int.init) })
        try release.compare("greedy.first_guided_logits", seen[0])
        try release.compare("greedy.last_guided_logits", seen[seen.count - 1])
        let side = transformer.configuration.side
        let decoded = tokenizer.decode([codes[0]], height: side, width: side)
        try release.compare("decoded_every4", decoded.everyPlace(4))
        try release.comparePicture("picture", decoded.pictures()[0])
    }

    private func encoded() throws {
        let picture = Variable(.pictures([try release.picture("enc.image_u8")]))
        let features = tokenizer.features(picture)
        try release.compare("enc.z", features.value)
        try release.compareExactly("enc.ids", tokenizer.indices(features).map(Int.init))
    }
}
