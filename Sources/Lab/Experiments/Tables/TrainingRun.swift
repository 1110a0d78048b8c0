import Engine
import Foundation
import Jobs
import Personalization

/// A concept learned from beginning to end, as its adapter's file gives it to others, with what that took.
struct TrainingRun {
    let adapter: Adapter
    let seconds: Double
    /// Numbers that learned.
    let parameters: Int
    let bytes: Int

    /// The failure of a training whose loss is no number any more.
    static let divergence = "training.diverged"

    /// - Parameters:
    ///   - model: the model's directory.
    ///   - folder: where the adapter lies for a moment.
    init(
        _ concept: Concept, by method: PersonalizationMethod, options: JSONValue?, seed: UInt64, model: String,
        folder: String
    ) throws {
        let loaded = try LoadedModel(directory: model)
        let start = Date()
        let training = try loaded.whileLearning {
            let training = try loaded.training(of: concept, by: method, options: options, seed: seed)
            try TrainingRun.advance(training)
            return training
        }
        let seconds = Date().timeIntervalSince(start)
        let adapter = try training.adapter(modelDigest: loaded.digest)
        training.detach()
        try self.init(adapter, seconds: seconds, folder: folder)
    }

    /// - Parameter folder: where the adapter lies for a moment.
    init(_ learnt: Adapter, seconds: Double, folder: String) throws {
        self.seconds = seconds
        let path = "\(folder)/adapter-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try learnt.write(path)
        bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        adapter = try Adapter(path: path)
        parameters = adapter.tensors.values.reduce(0) { $0 + $1.count }
    }

    /// Trains to the end.
    /// - Throws: `JobFailure` where the loss is no number any more.
    static func advance(_ training: some StepwiseTraining) throws {
        while training.step < training.steps {
            let losses = training.advance()
            guard losses.isFinite else {
                throw JobFailure(
                    code: TrainingRun.divergence, consequence: .fatal,
                    message: "the loss is \(losses.total), its gradient \(losses.gradientNorm) at step \(training.step)"
                )
            }
        }
    }
}
