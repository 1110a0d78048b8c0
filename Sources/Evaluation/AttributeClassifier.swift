import Autograd
import Backbones
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A small convolutional classifier that says of a picture of Little World what is on it, in which colour, where, and
/// in which style.
package final class AttributeClassifier {
    /// `config.json` of a classifier.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Pictures are squares of this many pixels; sixteen divides it.
        package let pictureSize: Int
        /// Channels after the first convolution.
        package let channels: Int
        /// What each head's outputs mean.
        package let labels: [String: [String]]

        /// With a head for every trait of this Little World.
        package init(pictureSize: Int, channels: Int) {
            self.pictureSize = pictureSize
            self.channels = channels
            labels = Dictionary(uniqueKeysWithValues: PictureTrait.allCases.map { ($0.rawValue, $0.names) })
        }

        /// The traits it has heads for, in the order of its outputs.
        var traits: [PictureTrait] { PictureTrait.allCases.filter { labels[$0.rawValue] != nil } }

        /// Whether its labels mean what this Little World's mean. An older classifier may know fewer traits: the first
        /// four alone.
        var fitsTheWorld: Bool {
            let known = traits
            return known.count == labels.count && known == Array(PictureTrait.allCases.prefix(known.count))
                && known.count >= PictureTrait.ofOneSubject.count
                && known.allSatisfy { labels[$0.rawValue] == $0.names }
        }

        /// The shipped one's.
        package static let pocket = Configuration(pictureSize: 64, channels: 32)
    }

    /// The files of a classifier's directory.
    package enum File: String {
        case configuration = "config.json"
        case weights = "classifier.safetensors"
    }

    /// Its sizes, and what its outputs mean.
    package let configuration: Configuration
    /// All of its weights, by the names in its file.
    package let weights: Weights
    private let network: ClassifierNetwork
    private let batch = 50

    /// - Throws: `WeightsError` where the source lacks a weight, or has it in another shape.
    package init(_ configuration: Configuration, _ source: Weights.Source) throws(WeightsError) {
        self.configuration = configuration
        weights = Weights(source)
        network = ClassifierNetwork(configuration, weights)
        try weights.verify()
    }

    /// Reads a classifier from its directory.
    /// - Throws: `CheckpointError`, `WeightsError`, `ClassifierError`, or an error naming the file that is missing or
    ///   malformed.
    package convenience init(directory: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(File.configuration.rawValue)"))
        let configuration: Configuration
        do { configuration = try JSONDecoder().decode(Configuration.self, from: data) } catch is DecodingError {
            throw ClassifierError.otherKind(directory)
        }
        guard configuration.fitsTheWorld else { throw ClassifierError.otherWorld(directory) }
        try self.init(configuration, .stored(.open("\(directory)/\(File.weights.rawValue)")))
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to logits [B, labels], one variable a trait it has a head for, in
    /// the order of `PictureTrait.allCases`.
    package func logits(_ pictures: Variable) -> [Variable] { network(pictures) }

    /// Pictures [B, 3, H, W] in [−1, 1] to the maps [B, C, h, w] of all its levels, the finest first.
    package func features(_ pictures: Variable) -> [Variable] { network.features(pictures) }

    /// Pictures as it takes them, resized where they are of another size: [B, 3, H, W] in [−1, 1].
    package func prepared(_ pictures: [Picture]) -> Tensor {
        let side = configuration.pictureSize
        return .pictures(pictures.map { $0.resized(width: side, height: side) })
    }

    /// What the classifier sees on pictures.
    package func verdicts(_ pictures: [Picture]) -> [TraitLabels] {
        Recording.withoutGradients {
            pictures.indices.parts(of: batch).flatMap {
                AttributeClassifier.verdicts(logits(Variable(prepared(Array(pictures[$0])))))
            }
        }
    }

    /// The likeliest label of every trait, picture by picture.
    package static func verdicts(_ logits: [Variable]) -> [TraitLabels] {
        (0..<logits[0].shape[0]).map { row in
            TraitLabels(
                codes: logits.map { head in
                    let values = head.value.slice(row..<row + 1).values
                    return values.indices.max { values[$0] < values[$1] }
                })
        }
    }

    /// Writes `config.json` and half-precision weights, given the weights by name.
    package static func write(_ weights: [String: Tensor], _ configuration: Configuration, to directory: String) throws
    {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Safetensors.write(weights, to: "\(directory)/\(File.weights.rawValue)", precision: .half)
        try configuration.writeConfiguration(to: "\(directory)/\(File.configuration.rawValue)")
    }
}

/// Why a classifier cannot be used.
package enum ClassifierError: Error, CustomStringConvertible {
    /// A directory whose `config.json` is none of a classifier's.
    case otherKind(String)
    /// The directory of one whose labels mean something else here.
    case otherWorld(String)

    /// What is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .otherKind(let directory):
            """
            \(directory): it is not a classifier, for its \(AttributeClassifier.File.configuration.rawValue) does not \
            tell pictureSize, channels and labels; give a directory that `classifier export` wrote, as models/classifier
            """
        case .otherWorld(let directory):
            """
            \(directory): its heads have other labels than this Little World; a classifier must be trained on the \
            world it classifies
            """
        }
    }
}
