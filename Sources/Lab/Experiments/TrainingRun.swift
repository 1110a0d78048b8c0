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
            while training.step < training.steps {
                let losses = training.advance()
                if !losses.isFinite {
                    throw JobFailure(
                        code: TrainingRun.divergence, consequence: .fatal,
                        message:
                            "the loss is \(losses.total), its gradient \(losses.gradientNorm) at step \(training.step)")
                }
            }
            return training
        }
        seconds = Date().timeIntervalSince(start)
        let path = "\(folder)/adapter-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try training.adapter(modelDigest: loaded.digest).write(path)
        training.detach()
        bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        adapter = try Adapter(path: path)
        parameters = adapter.tensors.values.reduce(0) { $0 + $1.count }
    }
}
