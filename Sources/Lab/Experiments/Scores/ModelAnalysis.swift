import Backbones
import Engine
import Evaluation
import Foundation
import Images
import LittleWorld
import Personalization
import Randomness
import Tensors

/// ARBooth's two analyses of a next-scale model (arXiv 2504.02612, figures 3 to 5), as numbers and plots in a folder.
package struct ModelAnalysis {
    private let directory, folder: String

    /// - Parameters:
    ///   - model: an Infinity's directory.
    ///   - folder: where results go; made where it is missing.
    package init(model: String, folder: String) throws {
        (directory, self.folder) = (model, folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Tunes all of the transformer's weights on one held-out subject and shows, block by block, how much each kind of
    /// layer changed: `weights.csv`, `weights.png`.
    package func weights(iterations: Int) throws {
        let model = try InfinityModel(directory: directory)
        let subject = Subject.heldOut(.dog, index: 300)
        var options = ARBoothOptions.pocket
        options.iterations = iterations
        options.tuning = .full
        let before = model.transformerWeights.byName.mapValues { $0.value.copy() }
        let references = subject.references(count: 4).painted(size: model.configuration.pictureSize)
        let training = try ARBoothTraining(
            model: model, subject: Concept(name: "it", className: subject.kind.name, references: references),
            options: options, seed: 1)
        while training.step < iterations { _ = training.advance() }
        try write(WeightChange(before: before, after: model.transformerWeights.byName.mapValues(\.value)))
    }

    private func write(_ change: WeightChange) throws {
        let rows = change.layers.map { "\($0.block),\($0.kind.rawValue),\($0.mean),\($0.norm)\n" }
        try ("block,kind,mean relative change,relative norm\n" + rows.joined()).write(
            toFile: "\(folder)/weights.csv", atomically: true, encoding: .utf8)
        let series = WeightChange.Kind.allCases.map { kind in
            Plot.Series(
                name: kind.rawValue,
                points: change.layers.filter { $0.kind == kind }.map { (Double($0.block), $0.mean) })
        }
        try Plot(title: "relative change by block", series: series).picture().writePNG("\(folder)/weights.png")
    }

    /// Replaces the scales after the k-th of held-out pictures by noise's: `scales.csv`, `scales.png`, and
    /// `scales-pictures.png` with a row for each picture, from noise alone to the undisturbed one.
    package func scales(pictures count: Int) throws {
        let model = try InfinityModel(directory: directory)
        let size = model.configuration.pictureSize
        let noise = (0..<count).map { index in
            var generator = Philox(seed: 0x4E, purpose: 0x5CA1E, index: UInt64(index))
            return Picture(
                width: size, height: size, pixels: (0..<3 * size * size).map { _ in UInt8(generator.below(256)) })
        }
        let corruption = ScaleCorruption(
            model, pictures: HeldOutIndividuals(count: count, photosEach: 1).painted(size: size), noise: noise)
        let rows = corruption.errors.enumerated().map { "\($0),\($1)\n" }
        try ("scales kept,mean squared error\n" + rows.joined()).write(
            toFile: "\(folder)/scales.csv", atomically: true, encoding: .utf8)
        let points = corruption.errors.enumerated().map { (Double($0), $1) }
        try Plot(title: "error by scales kept from noise", series: [Plot.Series(name: "squared error", points: points)])
            .picture().writePNG("\(folder)/scales.png")
        try Grid.rows(of: corruption.errors.count, corruption.pictures.prefix(8).flatMap { $0 }).writePNG(
            "\(folder)/scales-pictures.png")
    }
}
