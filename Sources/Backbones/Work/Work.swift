import Autograd
import Tensors

/// What a computation takes, counted from shapes as its code goes through them and not measured: so much of each kind
/// of work, and the memory of its results.
package struct Work: Sendable, Equatable {
    /// A kind of work that a host does at a rate of its own.
    package enum Kind: String, Sendable, CaseIterable {
        /// Floating-point operations of matrix products: a multiplication with its addition is two.
        case products
        /// The same, of convolutions.
        case convolutions
        /// Scores of attention: a query with a key in a head, its exponential among it.
        case scores
        /// As the three before, in bfloat16.
        case roundedProducts = "products_bf16"
        case roundedConvolutions = "convolutions_bf16"
        case roundedScores = "scores_bf16"
        /// Bytes that operations without a product read and write, and weights that products pack and read.
        case bytes
        /// Bytes that few rows read as they lie, each once: of weights, and of the keys and values before them. From
        /// memory, for no cache holds a model.
        case weights
        /// Operations on tensors: each costs something, however small it is.
        case calls
        /// Numbers that are looked at one by one where something is drawn from them.
        case choices
        /// Bytes of pixels that are compressed to PNG files.
        case pixels
    }

    /// How much of each kind; none of what is not in here.
    package private(set) var amounts: [Kind: Double] = [:]
    /// Bytes of all results that a recorded pass holds until its way back.
    private var results = 0.0
    /// Bytes of the results of the largest stretch that is computed once more: held while it is.
    private var stretch = 0.0
    /// Bytes that a recorded pass holds at the most.
    package var held: Double { results + stretch }
    /// How many times an operation's bytes a pass holds around it: what it reads, what stands beside it, and what the
    /// allocator keeps of other sizes.
    private static let around = 3.5
    /// Bytes that a pass holds at the most where it records nothing.
    package private(set) var passing = 0.0
    /// Whether a recorded pass is computed once more on its way back.
    package private(set) var isRepeated = false

    /// Nothing yet.
    package init() {}

    /// How much there is of one kind, in its unit; 0 of what was never counted.
    package subscript(kind: Kind) -> Double {
        get { amounts[kind] ?? 0 }
        set { amounts[kind] = newValue }
    }
}

extension Work {
    /// How a model holds its weights.
    package enum Weights: Sendable {
        case single
        /// In bfloat16, as their file has them.
        case rounded
        /// In eight bits, as their file has them.
        case eightBit

        /// What reading so many weights is. A product packs them before; but few rows read them as they lie.
        fileprivate func reading(_ count: Int, by rows: Int) -> (kind: Kind, bytes: Double) {
            let (most, bytes) =
                switch self {
                case .single: (mostUnpackedRows, 4.0)
                case .rounded: (mostMappedRows, 2.0)
                case .eightBit: (mostMappedRows, 1.0)
                }
            return rows <= most ? (.weights, bytes * Double(count)) : (.bytes, 12 * Double(count))
        }
    }

    /// x [rows, inputs] · wᵀ + b → [rows, outputs], with a low-rank change beside it unless its rank is 0.
    mutating func linear(
        _ rows: Int, from inputs: Int, to outputs: Int, rank: Int = 0, weights: Weights = .single
    ) {
        let isRounded = weights != .single && rows > mostMappedRows
        self[isRounded ? .roundedProducts : .products] += 2 * Double(rows) * Double(inputs) * Double(outputs)
        let read = weights.reading(inputs * outputs, by: rows)
        self[read.kind] += read.bytes
        add(reading: rows * inputs, writing: rows * outputs)
        guard rank > 0 else { return }
        linear(rows, from: inputs, to: rank)
        pointwise(rows * rank)
        linear(rows, from: rank, to: outputs)
        pointwise(rows * outputs)
        // Their sum alone is read by what follows.
        results -= 2 * 4 * Double(rows * outputs)
    }

    /// Attention of `queries` tokens to `keys` tokens, all samples together, of which `pairs` see each other.
    mutating func attention(_ queries: Int, keys: Int, pairs: Double, width: Int, heads: Int) {
        self[.products] += 4 * pairs * Double(width)
        self[.scores] += pairs * Double(heads)
        // Where no two queries see a key, each is read once and from memory, as a product of few rows reads weights.
        let isReadOnce = queries < keys && pairs <= Double(keys)
        if isReadOnce { self[.weights] += 4 * Double(2 * keys * width) }
        add(reading: (queries + (isReadOnce ? 0 : 2 * keys)) * width, writing: queries * width)
    }

    /// [batch, inputs, …] → [batch, outputs, height, width].
    mutating func convolution(
        _ batch: Int, from inputs: Int, to outputs: Int, height: Int, width: Int, kernel: Int = 3, stride: Int = 1
    ) {
        let positions = batch * height * width
        self[.convolutions] += 2 * Double(positions) * Double(inputs * kernel * kernel) * Double(outputs)
        add(
            reading: positions * inputs * stride * stride + inputs * outputs * kernel * kernel,
            writing: positions * outputs)
    }

    /// Operations one after the other that each read and write so many numbers.
    mutating func pointwise(_ numbers: Int, operations: Int = 1) {
        for _ in 0..<operations { add(reading: numbers, writing: numbers) }
    }

    /// The same of operations of whose results, where they are large, a recorded pass holds only how to compute them.
    mutating func cheap(_ numbers: Int, operations: Int = 1) {
        let before = results
        pointwise(numbers, operations: operations)
        if numbers >= CheapOutputs.least { results = before }
    }

    /// `draws` codes, each chosen from so many by its logits.
    mutating func choose(_ draws: Int, of codes: Int) { self[.choices] += Double(draws) * Double(codes) }

    /// The nearest of a codebook's rows [codes, width] for every position.
    mutating func compare(_ positions: Int, with codes: Int, width: Int) {
        linear(positions, from: width, to: codes)
        // A comparison is no exponential.
        self[.choices] += Double(positions) * Double(codes) / 8
    }

    /// The same `depth` times, one block after the other; recorded, each holds the numbers it reads alone where the
    /// code computes blocks once more on the way back.
    func blocks(_ depth: Int, reading numbers: Int, where recomputes: Bool) -> Work {
        var all = Double(depth) * self
        guard recomputes else { return all }
        (all.results, all.stretch) = (4 * Double(depth) * Double(numbers), held)
        all.isRepeated = true
        return all
    }

    /// The same of blocks that read so many rows each.
    func blocks(_ depth: Int, rows: Int, width: Int) -> Work {
        blocks(
            depth, reading: rows * width, where: BlockRecomputation.pays(rows: rows, width: width, depth: depth))
    }

    /// Bytes that are kept beside all of the work until now, as caches of keys and values are; what follows has none.
    mutating func keep(bytes: Int) { passing += Double(bytes) }

    private mutating func add(reading inputs: Int, writing outputs: Int) {
        let bytes = 4 * Double(inputs + outputs)
        self[.bytes] += bytes
        self[.calls] += 1
        results += 4 * Double(outputs)
        passing = max(passing, Self.around * bytes)
    }
}

extension Work {
    /// One after the other.
    package static func + (a: Work, b: Work) -> Work {
        var sum = a
        sum.amounts.merge(b.amounts) { $0 + $1 }
        sum.results += b.results
        sum.stretch = max(a.stretch, b.stretch)
        sum.passing = max(a.passing, b.passing)
        sum.isRepeated = a.isRepeated || b.isRepeated
        return sum
    }

    /// More, after it.
    package static func += (a: inout Work, b: Work) { a = a + b }

    /// The same so many times, one after the other.
    package static func * (times: Double, work: Work) -> Work {
        var product = work
        product.amounts = work.amounts.mapValues { times * $0 }
        product.results *= times
        return product
    }

    /// The same where large products are rounded to bfloat16, as all of learning is and drawing with weights held so.
    package var rounded: Work {
        var work = self
        for (single, low) in [
            (Kind.products, Kind.roundedProducts), (.convolutions, .roundedConvolutions), (.scores, .roundedScores),
        ] {
            work[low] += work[single]
            work.amounts[single] = nil
        }
        return work
    }

    /// The same by weights that are held so: products are as exact as these.
    package func rounded(as weights: Weights) -> Work { weights == .single ? self : rounded }

    /// The pass and its way back: a product for the gradient of what was read and, for the share of the weights that
    /// learn, one for theirs.
    package func thereAndBack(learning share: Double) -> Work {
        var work = self
        // Nearly all of a pass that is computed once more is blocks.
        let again = isRepeated ? 1.0 : 0
        for kind in [Kind.products, .convolutions] { work[kind] *= 2 + share + again }
        // Scores are computed again on the way back, and have gradients of their own.
        work[.scores] *= 3 + again
        work[.bytes] *= 3 + again
        work[.calls] *= 2 + again
        return work
    }
}
