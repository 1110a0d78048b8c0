import Backbones

/// Trains pocket-infinity.
struct InfinityPretraining: ModelPretraining {
    let options: PretrainingOptions

    let parts: [EmbeddedPart<InfinityModel>] = [
        .init(InfinityModel.File.tokenizer, .tokenizer, \.tokenizerWeights),
        .init(InfinityModel.File.text, .transformer, \.textWeights),
        .init(InfinityModel.File.transformer, .transformer, \.transformerWeights),
    ]

    func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> InfinityModel {
        let words = try options.words()
        return try InfinityModel(
            PocketInfinity.configuration(vocabulary: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, text: weights.text, transformer: weights.transformer)
    }

    func configuration(of model: InfinityModel) -> any Encodable { model.configuration }

    func work(_ stage: Pretraining.Stage, on model: InfinityModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder: try TokenizerPretraining(stage, of: tokenizer(of: model), options: options)
        case .transformer: InfinityTransformerPretraining(model: model, options: options)
        }
    }

    private func tokenizer(of model: InfinityModel) -> BitwiseTokenizerTraining {
        BitwiseTokenizerTraining(model: model, seed: options.seed, draws: options.hasTransformer)
    }
}
