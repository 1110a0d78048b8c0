import Backbones
import Catalogue
import Checkpoints
import Foundation
import Hashing
import Layers
import LittleWorld
import Tensors

/// Training of an embedded model from nothing on Little World, stage by stage, and its writing as a model directory.
///
/// An embedded model says what it is made of; what happens to it is the same for all.
package protocol ModelPretraining {
    associatedtype Model: AnyObject
    var options: PretrainingOptions { get }

    /// The files of a model directory that hold weights, each with what it holds and the stage that trains that.
    var parts: [EmbeddedPart<Model>] { get }
    /// A model that starts from these weights, as `stage` trains it.
    func model(_ weights: StartingWeights, for stage: Pretraining.Stage) throws -> Model
    func configuration(of model: Model) -> any Encodable
    func work(_ stage: Pretraining.Stage, on model: Model) throws -> any PretrainingStage
    /// The weights that a stage of this run has made.
    func trained(_ stage: Pretraining.Stage) throws -> [String: Tensor]
}

/// A file of a model directory.
package struct EmbeddedPart<Model> {
    let file: String
    let stage: Pretraining.Stage
    let weights: (Model) -> Weights

    /// A file that a model names so.
    init(_ file: some RawRepresentable<String>, _ stage: Pretraining.Stage, _ weights: @escaping (Model) -> Weights) {
        (self.file, self.stage, self.weights) = (file.rawValue, stage, weights)
    }
}

/// Where the weights of an embedded model start.
package struct StartingWeights {
    var tokenizer, text, transformer: Weights.Source

    /// Drawn by `seed` and its neighbours.
    init(seed: UInt64) {
        (tokenizer, text, transformer) = (.fresh(seed: seed), .fresh(seed: seed &+ 1), .fresh(seed: seed &+ 2))
    }

    /// Those of another model where they fit, and fresh ones elsewhere.
    init(fitting tokenizer: [String: Tensor], _ transformer: [String: Tensor], seed: UInt64) {
        self.tokenizer = .fitting(tokenizer, seed: seed)
        text = .fitting(transformer, seed: seed &+ 1)
        self.transformer = .fitting(transformer, seed: seed &+ 2)
    }
}

extension ModelPretraining {
    func trained(_ stage: Pretraining.Stage) throws -> [String: Tensor] { try options.trained(stage) }

    /// Runs a stage from its last checkpoint in the run folder; the others start from the tokenizer's result there.
    package func run(_ stage: Pretraining.Stage) throws {
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        try options.writeVocabulary()
        try Pretraining.computing {
            let model = try model(startingWeights(stage), for: stage)
            if options.start != nil { sayWhatStartsFresh(stage, model) }
            try PretrainingRun(options: options, stage: work(stage, on: model)).run()
        }
    }

    /// A stage on a model that never learned anything, its tokenizer included.
    func untrained(_ stage: Pretraining.Stage) throws -> any PretrainingStage {
        try work(stage, on: model(StartingWeights(seed: options.seed), for: stage))
    }

    /// Writes the trained model as `config.json` and half-precision weights, and beside them the losses of all its
    /// training. A stage that this run did not train comes from `options.start`, as do the losses before this run's.
    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let model = try model(startingWeights(.transformer), for: .transformer)
        for stage in Pretraining.Stage.allCases where mustBeTrained(stage) { try assign(trained(stage), to: model) }
        for part in parts {
            let parameters = part.weights(model).parameters
            let tensors = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
            try Safetensors.write(tensors, to: "\(directory)/\(part.file)", precision: .half)
        }
        try Data(contentsOf: URL(fileURLWithPath: options.vocabularyFile)).write(
            to: URL(fileURLWithPath: "\(directory)/\(PretrainingOptions.vocabularyName)"))
        try configuration(of: model).writeConfiguration(to: "\(directory)/\(PretrainingOptions.configurationName)")
        try ModelLosses(of: Pretraining.Stage.allCases.map(\.rawValue), run: options.folder, start: options.start)
            .write(to: directory)
        try ModelFolder.sealAnew(directory, unlearnt: LittleWorld.unlearntWords)
    }

    /// Whether an exported model needs this run's own result of a stage.
    private func mustBeTrained(_ stage: Pretraining.Stage) -> Bool {
        options.isTrained(stage) || (options.start == nil && stage != .decoder)
    }

    private func assign(_ tensors: [String: Tensor], to model: Model) {
        for part in parts {
            for parameter in part.weights(model).parameters {
                if let tensor = tensors[parameter.name] { parameter.value.assign(tensor) }
            }
        }
    }

    /// Says which weights of a stage the model to start from does not have, or has for other sizes.
    private func sayWhatStartsFresh(_ stage: Pretraining.Stage, _ model: Model) {
        for problem in parts.filter({ $0.stage == trainer(stage) }).flatMap({ $0.weights(model).problems }) {
            StandardStream.errors.write("starts fresh: \(problem)\n")
        }
    }

    /// The stage whose weights a stage trains: the decoder is a part of the tokenizer.
    private func trainer(_ stage: Pretraining.Stage) -> Pretraining.Stage {
        stage == .transformer ? .transformer : .tokenizer
    }

    private func files(of stage: Pretraining.Stage) -> [String] {
        parts.filter { $0.stage == stage }.map(\.file)
    }

    /// Fresh weights, or those of `options.start` where they fit; for the stages after the first, the tokenizer of this
    /// run where there is one, and for the decoder its transformer.
    private func startingWeights(_ stage: Pretraining.Stage) throws -> StartingWeights {
        var weights = StartingWeights(seed: options.seed)
        if options.start != nil {
            weights = StartingWeights(
                fitting: try options.started(files: files(of: .tokenizer)),
                try options.started(files: files(of: .transformer)), seed: options.seed)
        }
        if stage != .tokenizer, options.start == nil || options.isTrained(.tokenizer) {
            weights.tokenizer = .checkpoint(try trained(.tokenizer))
        }
        if stage == .decoder, options.isTrained(.transformer) {
            // What a transformer keeps fixed is drawn by its seed, and in no checkpoint.
            let drawn = StartingWeights(fitting: [:], try trained(.transformer), seed: options.seed)
            (weights.text, weights.transformer) = (drawn.text, drawn.transformer)
        }
        return weights
    }
}
