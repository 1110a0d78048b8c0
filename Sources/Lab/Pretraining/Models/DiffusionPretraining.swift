import Backbones
import Checkpoints
import Layers
import LittleWorld
import Tensors

/// Trains pocket-diffusion: an autoencoder, and a flow in its latents that is shipped as the average of its last steps.
struct DiffusionPretraining: ModelPretraining {
    let options: PretrainingOptions

    let parts: [EmbeddedPart<DiffusionModel>] = [
        .init(DiffusionModel.File.autoencoder, .tokenizer, \.autoencoderWeights),
        .init(DiffusionModel.File.text, .transformer, \.textWeights),
        .init(DiffusionModel.File.transformer, .transformer, \.transformerWeights),
    ]

    /// The flow, and what is shipped, see latents that this autoencoder's scale and shift bring to a mean of zero and a
    /// variance of one.
    func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> DiffusionModel {
        let words = try options.words()
        var configuration = PocketDiffusion.configuration(
            vocabulary: words.vocabularySize, pictureSize: options.pictureSize)
        func model() throws -> DiffusionModel {
            try DiffusionModel(
                configuration, textTokenizer: words, autoencoder: weights.tokenizer, text: weights.text,
                transformer: weights.transformer)
        }
        guard stage == .transformer else { return try model() }
        let latents = latents(of: try model())
        configuration.autoencoder.shift = Float(latents.mean)
        configuration.autoencoder.scale = Float(1 / latents.variance.squareRoot())
        return try model()
    }

    /// Of a model whose scale is one and whose shift is none.
    private func latents(of model: DiffusionModel) -> (mean: Double, variance: Double) {
        let pictures = (0..<PocketDiffusion.measured).map {
            LittleWorld.scene(index: UInt64($0), seed: 3, split: .training).paint(size: options.pictureSize)
        }
        let values = stride(from: 0, to: pictures.count, by: 32).flatMap {
            model.latents(Array(pictures[$0..<$0 + 32])).values
        }
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, squares / Double(values.count))
    }

    func configuration(of model: DiffusionModel) -> any Encodable { model.configuration }

    func work(_ stage: Pretraining.Stage, on model: DiffusionModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            try TokenizerPretraining(stage, of: AutoencoderTraining(model: model, seed: options.seed), options: options)
        case .transformer: FlowPretraining(model: model, options: options)
        }
    }

    func trained(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        guard stage == .transformer else { return try options.trained(stage) }
        return try AveragingOptimizer.averages(in: OptimizerState(path: options.checkpoint(stage)))
    }
}
