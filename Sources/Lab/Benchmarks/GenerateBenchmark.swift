import Autograd
import Backbones
import Layers
import Tensors

/// Times a token of Lumina-mGPT's transformer at the 7B's width, guidance included, beside reading the same weights and
/// doing nothing with them: token by token, a model is as fast as its weights are read.
package struct GenerateBenchmark {
    /// One line of JSON; `ms` a token of all sequences, `share` the time that reading the weights alone takes of it.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let layers: Int
        /// Sequences that share each read of a weight: two a picture, for guidance.
        let sequences: Int
        /// Of the weights that a token reads.
        let gb: Double
        let ms: Double
        let gb_per_s: Double
        /// At which this machine reads them.
        let read_gb_per_s: Double
        let share: Double
        /// Of all 32 layers, from this token's time.
        let ms_of_7b: Double
    }

    private let model: ChameleonTransformer
    private let weights: Weights

    /// Writes as many of the layers as are wanted, and maps them.
    /// - Parameter folder: where the file of weights may lie meanwhile, some gigabytes.
    /// - Throws: what the file system says.
    package init(layers: Int, folder: String) throws {
        var configuration = ChameleonTransformer.Configuration.luminaMGPT7B
        (configuration.depth, configuration.longestSequence) = (layers, 4096)
        weights = try RandomWeights().mapped(in: folder) { _ = ChameleonTransformer(configuration, $0) }
        model = ChameleonTransformer(configuration, weights)
        try weights.verify()
    }

    /// - Parameters:
    ///   - tokens: to be drawn in a round.
    ///   - rounds: of which the best counts, reading and drawing in turn.
    package func run(sequences: Int, tokens: Int, rounds: Int) -> Figure {
        let matrices = weights.parameters.filter(\.isProjection).compactMap(\.mapped)
        let bytes = matrices.reduce(0) { $0 + 2 * $1.rows * $1.columns }
        let clock = ContinuousClock()
        var (reading, drawing) = (Duration.seconds(3600), Duration.seconds(3600))
        for _ in 0..<rounds {
            reading = min(reading, clock.measure { for matrix in matrices { precondition(matrix.isFinite) } })
            // As jobs draw with weights that are held so.
            let taken = MatrixPrecision.$current.withValue(.bfloat16) { draw(tokens, sequences) }
            drawing = min(drawing, taken / tokens)
        }
        let (seconds, read) = (drawing / .seconds(1), reading / .seconds(1))
        let layers = model.configuration.depth
        let head = 2 * (weights.byName["lm_head.weight"]?.count ?? 0)
        let ofAll = Double(bytes - head) / Double(layers) * 32 + Double(head)
        return Figure(
            layers: layers, sequences: sequences, gb: Double(bytes) / 1e9, ms: 1e3 * seconds,
            gb_per_s: Double(bytes) / seconds / 1e9, read_gb_per_s: Double(bytes) / read / 1e9, share: read / seconds,
            ms_of_7b: 1e3 * seconds * ofAll / Double(bytes))
    }

    /// How long some tokens take, after a prompt that is not timed.
    private func draw(_ tokens: Int, _ sequences: Int) -> Duration {
        let prompt = [Int32](repeating: 9000, count: 16)
        let decoder = ChameleonDecoder(model, sequences: sequences, capacity: prompt.count + tokens + 1)
        for sequence in 0..<sequences { _ = decoder.read(prompt, sequence: sequence) }
        return ContinuousClock().measure {
            for _ in 0..<tokens { _ = decoder.advance([Int32](repeating: 5, count: sequences)) }
        }
    }
}
