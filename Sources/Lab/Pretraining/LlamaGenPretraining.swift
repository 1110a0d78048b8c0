import Backbones
import Layers

/// Trains pocket-llamagen.
package struct LlamaGenPretraining: ModelPretraining {
    package let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    package func files(of stage: Pretraining.Stage) -> [String] {
        (stage == .transformer ? [LlamaGenModel.File.transformer, .text] : [.tokenizer]).map(\.rawValue)
    }

    package func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> LlamaGenModel {
        let words = try options.words()
        return try LlamaGenModel(
            PocketLlamaGen.configuration(vocabulary: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, text: weights.text, transformer: weights.transformer)
    }

    package func weights(of model: LlamaGenModel) -> [String: Weights] {
        let files: [(LlamaGenModel.File, Weights)] = [
            (.tokenizer, model.tokenizerWeights), (.text, model.textWeights), (.transformer, model.transformerWeights),
        ]
        return Dictionary(uniqueKeysWithValues: files.map { ($0.rawValue, $1) })
    }

    package func configuration(of model: LlamaGenModel) -> any Encodable { model.configuration }

    package func work(_ stage: Pretraining.Stage, on model: LlamaGenModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            let book = CodebookTraining(
                model.tokenizer, weights: model.tokenizerWeights, seed: options.seed,
                reconstruct: { model.pictures(model.codes($0)) })
            return try TokenizerPretraining(stage, of: book, options: options)
        case .transformer: return LlamaGenTransformerPretraining(model: model, options: options)
        }
    }
}
