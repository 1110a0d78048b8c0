import Engine
import Evaluation
import Foundation
import Images
import LittleWorld

/// How far a model's pictures are, as a crowd, from the world's of the same prompts.
package struct FrechetScore {
    /// The figures, one JSON line.
    package struct Report: Codable {
        /// Fréchet distances in the features of the encoders named.
        let dino, clip: Double
        let encoders: [String]
        /// The same between two crowds of the world's own pictures: what the number of pictures alone makes of nothing.
        let floorDINO, floorCLIP: Double
        let pictures: Int
        let seconds: Double
    }

    private let model: LoadedModel
    private let encoders: MetricEncoders
    private let prompts: [Evaluation.Prompt]
    private let seed: UInt64

    /// - Parameters:
    ///   - model: the model's directory.
    ///   - encoders: the folder in which `dino` and `clip` lie.
    ///   - pictures: how many pictures each side has.
    package init(model: String, encoders: String, dino: String, clip: String, pictures: Int, seed: UInt64) throws {
        self.model = try LoadedModel(directory: model)
        self.encoders = try MetricEncoders(directory: encoders, clip: clip, dino: dino)
        self.prompts = Evaluation.dressedPrompts(count: pictures)
        self.seed = seed
    }

    /// Draws one picture a prompt, and compares them with as many of the world's.
    /// - Throws: `AdapterError`, which no model without concepts gives.
    package func run() throws -> Report {
        let start = Date()
        let drawn = try distributions(of: model.pictures(of: prompts.map(\.text), seed: seed))
        let world = distributions(of: scenes(from: 0))
        let other = distributions(of: scenes(from: UInt64(prompts.count)))
        return Report(
            dino: world.dino.frechetDistance(to: drawn.dino).rounded(digits: 3),
            clip: world.clip.frechetDistance(to: drawn.clip).rounded(digits: 3),
            encoders: [encoders.dino.name, encoders.clip.name],
            floorDINO: world.dino.frechetDistance(to: other.dino).rounded(digits: 3),
            floorCLIP: world.clip.frechetDistance(to: other.clip).rounded(digits: 3),
            pictures: prompts.count, seconds: Date().timeIntervalSince(start).rounded(digits: 1))
    }

    private func distributions(of pictures: [Picture]) -> (dino: FeatureDistribution, clip: FeatureDistribution) {
        (FeatureDistribution(of: pictures, by: encoders.dino), FeatureDistribution(of: pictures, by: encoders.clip))
    }

    /// The world's own pictures of the prompts, of poses and individuals that `first` chooses.
    private func scenes(from first: UInt64) -> [Picture] {
        prompts.enumerated().map { $1.scene(index: first + UInt64($0)) }.painted(size: model.pictureSize)
    }
}
