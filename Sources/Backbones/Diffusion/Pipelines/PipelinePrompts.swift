import Autograd
import Checkpoints
import Foundation
import Layers
import Tensors

/// How a pipeline reads prompts: which encoders, and how their outputs are put together.
package struct PipelinePrompts {
    enum Kind: Equatable {
        case sdxl, sd3
        /// - words: tokens that T5 reads of a prompt.
        case flux(words: Int)

        init(_ network: DiffusionPipeline.Network) {
            switch network {
            case .unet: self = .sdxl
            case .mmdit: self = .sd3
            case .flux(let flux): self = .flux(words: flux.configuration.textLength)
            }
        }

        /// Tokens T5 reads of a prompt, unless told otherwise; nil where there is no T5.
        var wordLength: Int? {
            switch self {
            case .sdxl: nil
            case .sd3: PromptLength.sd3
            case .flux(let words): words
            }
        }

        /// Whether the network's text is T5's alone.
        var readsWordsAlone: Bool { if case .flux = self { true } else { false } }
    }

    private let kind: Kind
    private let towers: [(tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder)]
    private let words: (tokenizer: UnigramTokenizer, encoder: T5Encoder)?
    /// Tokens T5 reads of a prompt; shorter ones are filled up, and the network reads the filling too.
    package var length: Int
    /// Whether an empty negative prompt is all zeros (SDXL).
    private let zeroesEmptyNegative: Bool

    init(
        _ folder: PipelineFolder, for network: DiffusionPipeline.Network, _ weights: (String) throws -> Weights
    ) throws {
        struct Settings: Decodable {
            let zeroesEmpty: Bool?
            private enum CodingKeys: String, CodingKey { case zeroesEmpty = "force_zeros_for_empty_prompt" }
        }
        kind = Kind(network)
        func tower(_ suffix: String) throws -> (CLIPTokenizer, CLIPTextEncoder) {
            let name = "text_encoder" + suffix
            let configuration = try folder.settings(CLIPModel.Text.self, name)
            let projects = folder.components[name] == "CLIPTextModelWithProjection"
            let width = projects ? try folder.settings(Projection.self, name).width : nil
            let path = "\(folder.path)/tokenizer\(suffix)"
            let tokenizer = try CLIPTokenizer(path: path)
            try TextTokenizerError.verify(
                ids: tokenizer.vocabularySize, rows: configuration.vocabularySize, path: path)
            return (tokenizer, CLIPTextEncoder(configuration, projectionWidth: width, try weights(name)))
        }
        func t5(_ suffix: String) throws -> (UnigramTokenizer, T5Encoder) {
            let name = "text_encoder" + suffix
            let configuration = try folder.settings(T5Encoder.Configuration.self, name)
            let tokenizer = try UnigramTokenizer(
                path: "\(folder.path)/tokenizer\(suffix)", rows: configuration.vocabularySize)
            return (tokenizer, T5Encoder(configuration, try weights(name)))
        }
        switch kind {
        case .sdxl: (towers, words) = ([try tower(""), try tower("_2")], nil)
        case .sd3: (towers, words) = ([try tower(""), try tower("_2")], try t5("_3"))
        case .flux: (towers, words) = ([try tower("")], try t5("_2"))
        }
        length = kind.wordLength ?? 0
        let settings = try ConfigurationFile.read(Settings.self, "\(folder.path)/model_index.json")
        zeroesEmptyNegative = kind == .sdxl && settings.zeroesEmpty ?? true
    }

    private struct Projection: Decodable {
        let width: Int
        private enum CodingKeys: String, CodingKey { case width = "projection_dim" }
    }

    /// Of a text's rows, and of what stands for it as a whole.
    var widths: (rows: Int, pooled: Int) {
        let side = towers.reduce(0) { $0 + $1.encoder.configuration.width }
        let long = words?.encoder.configuration.width ?? 0
        return switch kind {
        case .sdxl: (side, towers[1].encoder.pooledWidth)
        // The towers' rows are filled up to T5's width.
        case .sd3: (max(side, long), towers.reduce(0) { $0 + $1.encoder.pooledWidth })
        case .flux: (long, towers[0].encoder.pooledWidth)
        }
    }

    /// Tokens that each of CLIP's towers reads of a prompt.
    var towerLengths: [Int] { towers.map { $0.encoder.configuration.length } }

    /// Each tokenizer's ids of a prompt, filled up.
    package func ids(_ prompt: String) -> [[Int32]] {
        var all = towers.map {
            $0.tokenizer.padded(prompt, length: $0.encoder.configuration.length, with: $0.tokenizer.paddingID)
        }
        if let words { all.append(padded(words.tokenizer.encode(prompt))) }
        return all
    }

    private func padded(_ ids: [Int32]) -> [Int32] {
        let kept = ids.cut(to: length)
        return kept + [Int32](repeating: 0, count: length - kept.count)
    }

    /// One tokenizer's part of a text's rows.
    package struct Stream {
        /// The first row.
        package let start: Int
        /// Ids of a prompt as they are read, marks among them.
        package let ids: (String) -> [Int32]
        /// Ids of words alone.
        package let words: (String) -> [Int32]
    }

    /// The parts of a text's rows, in order: towers that stand side by side are one.
    package var streams: [Stream] {
        var streams: [Stream] = []
        if !kind.readsWordsAlone {
            let (tokenizer, length) = (towers[0].tokenizer, towers[0].encoder.configuration.length)
            streams.append(
                Stream(start: 0, ids: { tokenizer.marked($0, length: length) }, words: { tokenizer.encode($0) }))
        }
        if let tokenizer = words?.tokenizer {
            let start = streams.isEmpty ? 0 : towers[0].encoder.configuration.length
            streams.append(
                Stream(start: start, ids: { tokenizer.encode($0) }, words: { tokenizer.encode($0).dropLast() }))
        }
        return streams
    }

    /// Tokens of a prompt that are read, marks among them: T5's where there is one; CLIP's towers see the
    /// beginning.
    package var longest: Int { words == nil ? towers[0].encoder.configuration.length : length }

    /// The tokens of a prompt, marks among them, however many there are.
    package func tokenCount(_ prompt: String) -> Int {
        words?.tokenizer.encode(prompt).count ?? towers[0].tokenizer.marked(prompt, length: .max).count
    }

    /// Prompts as the network reads them; records no gradient.
    package func callAsFunction(_ prompts: [String]) -> DiffusionText {
        Recording.withoutGradients {
            let ids = prompts.map(ids)
            let outputs = towers.indices.map { tower in
                towers[tower].encoder(ids.flatMap { $0[tower] }, batch: prompts.count)
            }
            let lengths = [Int](repeating: length, count: prompts.count)
            let long = words.map {
                $0.encoder.states(ids.flatMap { $0.last! }, batch: prompts.count, lengths: lengths).last!
            }
            switch kind {
            case .sdxl:
                return DiffusionText(tokens: Self.side(outputs.map(\.tokens)), pooled: outputs[1].pooled)
            case .sd3:
                let both = Self.widened(Self.side(outputs.map(\.tokens)), to: long!.shape[2])
                return DiffusionText(
                    tokens: Concatenate().apply([both, long!]), pooled: JoinColumns().apply(outputs.map(\.pooled)))
            case .flux: return DiffusionText(tokens: long!, pooled: outputs[0].pooled)
            }
        }
    }

    /// What guidance leads away from.
    package func negative(_ prompts: [String]) -> DiffusionText {
        let text = self(prompts)
        guard prompts.allSatisfy(\.isEmpty), zeroesEmptyNegative else { return text }
        return DiffusionText(
            tokens: Variable(Tensor(zeros: text.tokens.shape)), pooled: Variable(Tensor(zeros: text.pooled.shape)))
    }

    /// [B, T, C1] and [B, T, C2] → [B, T, C1 + C2].
    private static func side(_ tokens: [Variable]) -> Variable {
        let (batch, length) = (tokens[0].shape[0], tokens[0].shape[1])
        let rows = JoinColumns().apply(tokens.map { $0.reshaped([batch * length, $0.shape[2]]) })
        return rows.reshaped([batch, length, rows.shape[1]])
    }

    /// Zeros beside [B, T, C] up to `width`.
    private static func widened(_ tokens: Variable, to width: Int) -> Variable {
        let own = tokens.shape[2]
        guard own < width else { return tokens }
        return side([tokens, Variable(Tensor(zeros: [tokens.shape[0], tokens.shape[1], width - own]))])
    }
}
