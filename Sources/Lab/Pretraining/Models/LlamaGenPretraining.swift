import Backbones

/// Trains pocket-llamagen.
struct LlamaGenPretraining: ModelPretraining {
    let options: PretrainingOptions

    let parts: [EmbeddedPart<LlamaGenModel>] = [
        .init(LlamaGenModel.File.tokenizer, .tokenizer, \.tokenizerWeights),
        .init(LlamaGenModel.File.text, .transformer, \.textWeights),
        .init(LlamaGenModel.File.transformer, .transformer, \.transformerWeights),
    ]

    func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> LlamaGenModel {
        let words = try options.words()
        return try LlamaGenModel(
            PocketLlamaGen.configuration(vocabulary: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, text: weights.text, transformer: weights.transformer)
    }

    func configuration(of model: LlamaGenModel) -> any Encodable { model.configuration }

    func work(_ stage: Pretraining.Stage, on model: LlamaGenModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            try TokenizerPretraining(
                stage, of: CodebookTraining(model.tokenizer, weights: model.tokenizerWeights, seed: options.seed),
                options: options)
        case .transformer: LlamaGenTransformerPretraining(model: model, options: options)
        }
    }
}
