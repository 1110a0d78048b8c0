import Autograd
import Backbones
import Layers
import Randomness
import Tensors

/// Times one training step (forward, backward, optimizer) of the pocket-sized unified transformer on one picture, by
/// what learns: CoAR's context vectors before frozen weights, or all weights.
package struct TuningBenchmark {
    /// What learns: CoAR's context vectors of two layers, or every weight.
    package enum Tuning: String, CaseIterable, Sendable { case coar, full }

    /// One line of JSON; `rss_mb` is the process's peak memory so far, in MiB.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let tuning: String
        /// The best of the rounds.
        let ms: Double
        let rss_mb: Int
        /// Numbers that learn, and the bytes of their gradients after a backward pass.
        let trainable: Int
        let gradient_bytes: Int
    }

    private let tuning: Tuning
    private let model: ChameleonTransformer
    private let optimizer: AdamW
    private let contexts: [LayerContext]
    private let batch: ChameleonBatch

    /// Fresh weights: what they are does not change how long a step takes.
    package init(_ tuning: Tuning) {
        let c = PocketChameleon.configuration(words: 200)
        let weights = Weights(.fresh(seed: 1))
        let layers = 2
        self.tuning = tuning
        model = ChameleonTransformer(c.transformer, weights)
        weights.train { _ in tuning == .full }
        var generator = Philox(seed: 1, purpose: 0x4245, index: 2)
        let codes = (0..<c.grid.codes).map { _ in Int32(generator.below(c.vocabulary.codes)) }
        let words = (0..<8).map { _ in Int32(generator.below(200)) }
        let before = c.vocabulary.opened(words) + c.heading
        let isCoAR = tuning == .coar
        batch = ChameleonBatch([
            ChameleonSequence(before: before + (isCoAR ? [0] : []), picture: c.vocabulary.rows(codes, c.grid))
        ])
        let vectors = ["text", "image"].map {
            Parameter(name: $0, value: Tensor(repeating: 0.01, shape: [layers, c.transformer.width]))
        }
        for vector in vectors { vector.isTrainable = isCoAR }
        contexts = isCoAR ? zip(vectors, [4, before.count]).map { LayerContext($0.variable, positions: [$1]) } : []
        optimizer = AdamW(isCoAR ? vectors : weights.parameters, AdamW.Options(learningRate: 1e-4))
    }

    /// In the precision that jobs learn in.
    package func run(rounds: Int) -> Figure {
        MatrixPrecision.$current.withValue(.bfloat16) { measure(rounds: rounds) }
    }

    private func measure(rounds: Int) -> Figure {
        let clock = ContinuousClock()
        var gradients = 0
        let best = (0..<max(rounds, 1)).map { _ in
            clock.measure {
                batch.loss(model.logits(batch.ids, batch: 1, contexts: contexts)).backward()
                gradients = optimizer.parameters.reduce(0) { $0 + 4 * ($1.gradient?.count ?? 0) }
                optimizer.update()
            }
        }.min()!
        return Figure(
            tuning: tuning.rawValue, ms: best / .milliseconds(1), rss_mb: StepBenchmark.peakMemory,
            trainable: optimizer.parameters.reduce(0) { $0 + $1.value.count }, gradient_bytes: gradients)
    }
}
