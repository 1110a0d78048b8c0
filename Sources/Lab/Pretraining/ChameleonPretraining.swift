import Backbones
import Layers

/// Trains pocket-chameleon.
package struct ChameleonPretraining: ModelPretraining {
    package let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    package func files(of stage: Pretraining.Stage) -> [String] {
        [(stage == .transformer ? ChameleonModel.File.transformer : .tokenizer).rawValue]
    }

    package func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> ChameleonModel {
        let words = try options.words()
        return try ChameleonModel(
            PocketChameleon.configuration(words: words.vocabularySize, pictureSize: options.pictureSize),
            textTokenizer: words, tokenizer: weights.tokenizer, transformer: weights.transformer)
    }

    package func weights(of model: ChameleonModel) -> [String: Weights] {
        let files: [(ChameleonModel.File, Weights)] = [
            (.tokenizer, model.tokenizerWeights), (.transformer, model.transformerWeights),
        ]
        return Dictionary(uniqueKeysWithValues: files.map { ($0.rawValue, $1) })
    }

    package func configuration(of model: ChameleonModel) -> any Encodable { model.configuration }

    package func work(_ stage: Pretraining.Stage, on model: ChameleonModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer, .decoder:
            let book = CodebookTraining(
                model.tokenizer, weights: model.tokenizerWeights, seed: options.seed,
                reconstruct: { model.pictures(model.codes($0)) })
            return try TokenizerPretraining(stage, of: book, options: options)
        case .transformer: return ChameleonTransformerPretraining(model: model, options: options)
        }
    }
}
