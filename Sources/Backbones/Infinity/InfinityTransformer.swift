import Autograd
import Glibc
import Layers
import Tensors

/// Infinity's transformer (Han et al., arXiv 2412.04431; infinity/models/infinity.py): next-scale prediction of bits,
/// with text by cross-attention and adaptive layer norms.
package final class InfinityTransformer {
    /// Its sizes; `drawAsARBooth` changes how levels are added and sums resized.
    package private(set) var configuration: Configuration
    let textNorm: RMSNormLayer
    let unconditional: Parameter
    let pooling: AttentionPooling
    let textIn, textOut: LinearLayer
    let positionStart, levelEmbedding: Parameter
    let wordEmbedding: LinearLayer
    let sharedAda: LinearLayer
    let blocks: [InfinityBlock]
    let headAda: LinearLayer
    let head: LinearLayer
    /// Angles of all L tokens, [L, headWidth/2].
    package let rotary: RotaryTable

    /// Weights are named as in Infinity's checkpoints.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        let small = Initialization.normal(deviation: 0.02)
        self.configuration = c
        textNorm = RMSNormLayer(weights, "text_norm", width: c.textWidth, epsilon: c.epsilon)
        unconditional = weights.parameter("cfg_uncond", [c.textLength, c.textWidth], .normal(deviation: 1))
        pooling = AttentionPooling(weights, "text_proj_for_sos.ca", configuration: c)
        textIn = LinearLayer(weights, "text_proj_for_ca.0", from: c.textWidth, to: c.width)
        textOut = LinearLayer(weights, "text_proj_for_ca.2", from: c.width, to: c.width)
        positionStart = weights.parameter("pos_start", [1, 1, c.width], small)
        levelEmbedding = weights.parameter("lvl_embed.weight", [c.levels, c.width], small)
        wordEmbedding = LinearLayer(weights, "word_embed", from: c.bits, to: c.width)
        sharedAda = LinearLayer(weights, "shared_ada_lin.1", from: c.width, to: 6 * c.width, initialization: small)
        blocks = (0..<c.depth).map { InfinityBlock(weights, c.blockName($0), configuration: c) }
        headAda = LinearLayer(weights, "head_nm.ada_lin.1", from: c.width, to: 2 * c.width, initialization: small)
        head = LinearLayer(weights, "head", from: c.width, to: 2 * c.bits, initialization: small)
        rotary = InfinityTransformer.rotaryTable(c)
    }

    /// From now on level embeddings and resizing are as ARBooth's code has them (infinity/models/infinity_final.py).
    /// Blocks that are in one group read the level embedding once, for that code then heeds Infinity's flag.
    package func drawAsARBooth() {
        (configuration.addsLevelsToEveryChunk, configuration.resizesByArea) = (configuration.blockChunks > 1, true)
    }

    /// What every block reads of the text.
    struct Condition {
        /// Pooled text [B, C].
        let pooled: Variable
        /// Keys' and values' source [ΣT, C].
        let text: Variable
        let ranges: [Range<Int>]
        /// γ1, γ2, scale1, scale2, shift1, shift2 before each block's own are added [B, 6·C].
        let ada: Variable

        /// What of it depends on weights or texts that may learn.
        var variables: [Variable] { [text, ada] }

        /// The same with others in their place.
        func replacing(_ variables: ArraySlice<Variable>) -> Condition {
            let (text, ada) = (variables.first!, variables.last!)
            return Condition(pooled: pooled, text: text, ranges: ranges, ada: ada)
        }
    }

    func condition(_ text: TextFeatures) -> Condition {
        let normed = textNorm(text.values)
        let pooled = pooling(normed, ranges: text.ranges)
        return Condition(
            pooled: pooled, text: textOut(GELU().apply([textIn(normed)])), ranges: text.ranges,
            ada: sharedAda(SiLU().apply([pooled])))
    }

    /// The pooled text [B, C], the cross-attention's source [ΣT, C] and the shared adaptive values [B, 6·C], for
    /// conformance.
    package func conditionForInspection(_ text: TextFeatures) -> (pooled: Tensor, text: Tensor, ada: Tensor) {
        let condition = condition(text)
        return (condition.pooled.value, condition.text.value, condition.ada.value)
    }

    /// Text with some samples replaced by the first rows of the learned unconditional text.
    func dropping(_ text: TextFeatures, of samples: Set<Int>) -> TextFeatures {
        if samples.isEmpty { return text }
        var places: [Int] = []
        var sources: [Int32] = []
        for (sample, range) in text.ranges.enumerated() where samples.contains(sample) {
            precondition(
                range.count <= configuration.textLength,
                "a prompt of \(range.count) tokens exceeds \(configuration.textLength)")
            places += Array(range)
            sources += (0..<range.count).map(Int32.init)
        }
        let rows = Gather(sources).apply([unconditional.variable])
        return TextFeatures(values: ReplaceRows(places).apply([text.values, rows]), lengths: text.lengths)
    }

    /// Teacher-forced logits [B, L, 2·d]: bit j of a token from entries 2j (for 0) and 2j + 1 (for 1).
    ///
    /// Where blocks would keep much for the way back, they are computed once more there.
    /// - Parameter finished: called with the name of such a block, `blocks.3`, when the gradients of all of its weights
    ///   have arrived.
    package func logits(
        _ text: TextFeatures, inputs: Tensor, droppingTextOf dropped: Set<Int> = [],
        finished: @escaping (_ block: String) -> Void = { _ in }
    ) -> Variable {
        let schedule = configuration.schedule
        let condition = condition(dropping(text, of: dropped))
        var x = embedded(condition, inputs: Variable(inputs))
        var visible: [Int32] = []
        for range in schedule.ranges { visible += [Int32](repeating: Int32(range.upperBound), count: range.count) }
        let c = configuration
        let recomputes = BlockRecomputation.pays(rows: x.value.rows, width: c.width, depth: c.depth)
        for (index, block) in blocks.enumerated() {
            if startsChunk(index) { x = leveled(x, scales: Array(schedule.sides.indices)) }
            func through(_ inputs: [Variable]) -> Variable {
                block(inputs[0], condition.replacing(inputs[1...2]), rotary: rotary, visible: visible, cache: nil)
            }
            x = recomputed(
                [x] + condition.variables, where: recomputes, through, finished: { finished(c.blockName(index)) })
        }
        return output(x, condition)
    }

    /// Whether the level embedding is added before a block: the first, or the first of every group; of one group every
    /// block, as the reference walks it block by block.
    func startsChunk(_ block: Int) -> Bool {
        let chunks = configuration.blockChunks == 1 ? configuration.depth : configuration.blockChunks
        return block == 0
            || configuration.addsLevelsToEveryChunk == true && block % (configuration.depth / chunks) == 0
    }

    /// x [B, T, C] of whole scales, with each scale's level embedding.
    func leveled(_ x: Variable, scales: [Int]) -> Variable {
        let levels = scales.flatMap { [Int32](repeating: Int32($0), count: configuration.schedule.sides[$0].tokens) }
        return AddRows(rowsPerGroup: 1).apply([x, Gather(levels).apply([levelEmbedding.variable])])
    }

    /// Start of sequence and inputs with position embeddings [B, L, C].
    private func embedded(_ condition: Condition, inputs: Variable) -> Variable {
        let schedule = configuration.schedule
        let start = firstToken(condition)
        let rest = wordEmbedding(inputs)
        return schedule.sides.count > 1 ? Concatenate().apply([start, rest]) : start
    }

    /// sos + pos_start [B, 1, C].
    func firstToken(_ condition: Condition) -> Variable {
        let batch = condition.pooled.shape[0]
        let width = configuration.width
        let start = AddRows(rowsPerGroup: 1).apply([condition.pooled, positionStart.variable.reshaped([1, width])])
        return start.reshaped([batch, 1, width])
    }

    func output(_ x: Variable, _ condition: Condition) -> Variable {
        let ada = headAda(SiLU().apply([condition.pooled]))
        let width = configuration.width
        let h = LayerNorm(offset: 1, rowsPerGroup: x.shape[1], epsilon: configuration.epsilon)
            .apply([x, ada.columns(0..<width), ada.columns(width..<2 * width)])
        return head(h)
    }

    /// Angles of every token: row and column scaled to the reference side; the first half of the channel pairs turns
    /// with the row.
    private static func rotaryTable(_ c: Configuration) -> RotaryTable {
        let pairs = c.headWidth / 2
        let half = pairs / 2
        var angles: [Float] = []
        for side in c.schedule.sides {
            for i in 0..<side.height {
                for j in 0..<side.width {
                    let row = (Float(i) * (Float(c.rotaryReference.height) / Float(side.height))).rounded(
                        .toNearestOrEven)
                    let column = (Float(j) * (Float(c.rotaryReference.width) / Float(side.width))).rounded(
                        .toNearestOrEven)
                    for position in [row, column] {
                        for k in 0..<half { angles.append(position * (1 / pow(10000, Float(2 * k) / Float(pairs)))) }
                    }
                }
            }
        }
        let shape = [c.schedule.tokens, 2 * half]
        return RotaryTable(
            cosine: Tensor(angles.map { cos($0) }, shape: shape), sine: Tensor(angles.map { sin($0) }, shape: shape),
            pairsHalves: false)
    }
}
