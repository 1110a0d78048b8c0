import Backbones

/// Trains pocket-chameleon.
struct ChameleonPretraining: ModelPretraining {
    let options: PretrainingOptions

    let parts: [EmbeddedPart<ChameleonModel>] = [
        .init(ChameleonModel.File.tokenizer, .tokenizer, \.tokenizerWeights),
        .init(ChameleonModel.File.transformer, .transformer, \.transformerWeights),
    ]

    func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> ChameleonModel {
        let words = try options.words()
        return try ChameleonModel(
            PocketChameleon.configuration(words: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, transformer: weights.transformer)
    }

    func configuration(of model: ChameleonModel) -> any Encodable { model.configuration }

    func work(_ stage: Pretraining.Stage, on model: ChameleonModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            try TokenizerPretraining(
                stage, of: CodebookTraining(model.tokenizer, weights: model.tokenizerWeights, seed: options.seed),
                options: options)
        case .transformer: ChameleonTransformerPretraining(model: model, options: options)
        }
    }
}
