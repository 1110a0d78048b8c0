import Autograd

extension T5Encoder {
    /// The feed-forward's non-linearity, and whether a layer of its own carries it as a gate: transformers'
    /// `feed_forward_proj`.
    enum FeedForward: String, Codable, Sendable {
        case relu, gelu, silu
        case gatedReLU = "gated-relu"
        /// T5 1.1's and flan-t5's.
        case gatedGELU = "gated-gelu"
        case gatedSiLU = "gated-silu"

        var isGated: Bool { rawValue.hasPrefix("gated-") }

        /// x of any shape → that shape.
        func activated(_ x: Variable) -> Variable {
            switch self {
            case .relu, .gatedReLU: ReLU().apply([x])
            case .silu, .gatedSiLU: SiLU().apply([x])
            case .gelu: GELU(.exact).apply([x])
            // transformers takes the other formula for this one alone.
            case .gatedGELU: GELU(.tanh).apply([x])
            }
        }
    }
}

extension T5Encoder.Configuration {
    private enum OwnKeys: String, CodingKey {
        case vocabularySize, width, headWidth, feedForwardWidth, layers, heads, buckets, maximumDistance, epsilon
        case feedForward, sharesPositionBias
    }

    /// transformers' names.
    private enum PublishedKeys: String, CodingKey {
        case vocabularySize = "vocab_size"
        case width = "d_model"
        case headWidth = "d_kv"
        case feedForwardWidth = "d_ff"
        case layers = "num_layers"
        case heads = "num_heads"
        case buckets = "relative_attention_num_buckets"
        case maximumDistance = "relative_attention_max_distance"
        case epsilon = "layer_norm_epsilon"
        case feedForward = "feed_forward_proj"
        case model = "model_type"
    }

    /// Reads our own names, or transformers' `config.json`.
    /// - Throws: `DecodingError`, also for a feed-forward that is not built.
    package init(from decoder: any Decoder) throws {
        let published = try decoder.container(keyedBy: PublishedKeys.self)
        guard published.contains(.width) else {
            self = try Self.own(decoder.container(keyedBy: OwnKeys.self))
            return
        }
        func number(_ key: PublishedKeys) throws -> Int { try published.decode(Int.self, forKey: key) }
        self.init(
            vocabularySize: try number(.vocabularySize), width: try number(.width), headWidth: try number(.headWidth),
            feedForwardWidth: try number(.feedForwardWidth), layers: try number(.layers), heads: try number(.heads))
        buckets = try published.value(.buckets, buckets)
        maximumDistance = try published.value(.maximumDistance, maximumDistance)
        epsilon = try published.value(.epsilon, epsilon)
        let kind = try published.value(.feedForward, "relu")
        guard let built = T5Encoder.FeedForward(rawValue: kind) else {
            throw DecodingError.dataCorruptedError(
                forKey: .feedForward, in: published,
                debugDescription: "\(kind) is not built; relu, gelu and silu are, alone and as gated-…")
        }
        feedForward = built
        sharesPositionBias = try published.value(.model, "t5") != "umt5"
    }

    private static func own(_ keys: KeyedDecodingContainer<OwnKeys>) throws -> Self {
        func number(_ key: OwnKeys) throws -> Int { try keys.decode(Int.self, forKey: key) }
        var own = Self(
            vocabularySize: try number(.vocabularySize), width: try number(.width), headWidth: try number(.headWidth),
            feedForwardWidth: try number(.feedForwardWidth), layers: try number(.layers), heads: try number(.heads))
        own.buckets = try keys.value(.buckets, own.buckets)
        own.maximumDistance = try keys.value(.maximumDistance, own.maximumDistance)
        own.epsilon = try keys.value(.epsilon, own.epsilon)
        own.feedForward = try keys.value(.feedForward, own.feedForward)
        own.sharesPositionBias = try keys.value(.sharesPositionBias, own.sharesPositionBias)
        return own
    }
}
