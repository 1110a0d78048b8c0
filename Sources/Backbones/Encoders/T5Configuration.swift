extension T5Encoder.Configuration {
    private enum OwnKeys: String, CodingKey {
        case vocabularySize, width, headWidth, feedForwardWidth, layers, heads, buckets, maximumDistance, epsilon
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
    }

    /// Reads our own names, or transformers' `config.json`.
    /// - Throws: `DecodingError`, also for a T5 whose feed-forward is another than this encoder's.
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
        guard kind == "gated-gelu" else {
            throw DecodingError.dataCorruptedError(
                forKey: .feedForward, in: published,
                debugDescription: "\(kind) is not built; gated-gelu (T5 1.1 and flan-t5) is")
        }
    }

    private static func own(_ keys: KeyedDecodingContainer<OwnKeys>) throws -> Self {
        func number(_ key: OwnKeys) throws -> Int { try keys.decode(Int.self, forKey: key) }
        var own = Self(
            vocabularySize: try number(.vocabularySize), width: try number(.width), headWidth: try number(.headWidth),
            feedForwardWidth: try number(.feedForwardWidth), layers: try number(.layers), heads: try number(.heads))
        own.buckets = try keys.value(.buckets, own.buckets)
        own.maximumDistance = try keys.value(.maximumDistance, own.maximumDistance)
        own.epsilon = try keys.value(.epsilon, own.epsilon)
        return own
    }
}
