import Backbones

/// Trains pocket-infinity.
package struct InfinityPretraining: ModelPretraining {
    package let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    package let parts: [EmbeddedPart<InfinityModel>] = [
        .init(InfinityModel.File.tokenizer, .tokenizer, \.tokenizerWeights),
        .init(InfinityModel.File.text, .transformer, \.textWeights),
        .init(InfinityModel.File.transformer, .transformer, \.transformerWeights),
    ]

    package func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> InfinityModel {
        let words = try options.words()
        return try InfinityModel(
            PocketInfinity.configuration(vocabulary: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, text: weights.text, transformer: weights.transformer)
    }

    package func configuration(of model: InfinityModel) -> any Encodable { model.configuration }

    package func work(_ stage: Pretraining.Stage, on model: InfinityModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            try TokenizerPretraining(stage, of: BitwiseTokenizerTraining(model: model), options: options)
        case .transformer: InfinityTransformerPretraining(model: model, options: options)
        }
    }
}
