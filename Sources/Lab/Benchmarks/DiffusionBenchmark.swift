import Autograd
import Backbones
import Layers
import Personalization
import Randomness
import Tensors

/// Times a LoRA training step of a diffusion model's network: forward and backward passes and the optimizer, latents
/// and texts given. The same work as the peer's program, so that both can stand side by side.
package struct DiffusionBenchmark {
    /// One line of JSON; `rss_mb` is the process's peak memory so far, in MiB.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let precision: BenchmarkPrecision
        /// The best of the rounds.
        let ms: Double
        /// Numbers that learn.
        let trainable: Int
        let rss_mb: Int
    }

    private let model: DiffusionModel
    private let latents: Tensor
    private let text: DiffusionText
    private let lora: LoRAAdapter
    private let optimizer: AdamW

    /// - Parameter directory: the model's.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package init(directory: String, batch: Int, rank: Int) throws {
        model = try DiffusionModel(directory: directory)
        model.freeze()
        var generator = Philox(seed: 1, purpose: 0x4245, index: 3)
        latents = Tensor(normal: [batch] + model.latentShape, &generator)
        text = model.encode([String](repeating: "a red cat on the beach", count: batch))
        lora = try LoRAAdapter(
            for: model.transformerWeights,
            options: .init(rank: rank, alpha: 2 * Float(rank), targets: model.attentionModules), seed: 1)
        try lora.attach(to: model.transformerWeights)
        for parameter in lora.parameters { parameter.isTrainable = true }
        optimizer = AdamW(lora.parameters, AdamW.Options(learningRate: 1e-3, weightDecay: 0.01, largestNorm: 1))
    }

    /// The best of `rounds` training steps, each with noise of its own.
    package func run(_ precision: BenchmarkPrecision, rounds: Int) -> Figure {
        MatrixPrecision.$current.withValue(precision.products) {
            let clock = ContinuousClock()
            let best = (0..<rounds).map { round in
                clock.measure {
                    var noise = Philox(seed: 1, purpose: 0x4246, index: UInt64(round))
                    model.loss(latents, text: text, &noise).backward()
                    _ = optimizer.update()
                }
            }.min()!
            return Figure(
                precision: precision, ms: best / .milliseconds(1),
                trainable: lora.parameters.reduce(0) { $0 + $1.count }, rss_mb: StepBenchmark.peakMemory)
        }
    }
}
