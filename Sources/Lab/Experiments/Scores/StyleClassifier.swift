import Autograd
import Engine
import Evaluation
import Images
import LittleWorld
import Tensors

/// Tells all of Little World's styles, those that training never shows among them, which the classifier has not learnt:
/// a linear discriminant on the classifier's own maps, fitted on pictures that are painted for it.
///
/// It reads every level of them, for what the heads read has lost much of a style that was never to be told.
package struct StyleClassifier {
    /// The shares of styles told right, 0…1, on the world's own pictures of individuals that it was not fitted on.
    package struct Accuracy: Codable, Equatable, Sendable {
        /// Of all styles, and of those that training never shows.
        let all, heldOut: Double
        let pictures: Int
    }

    private let classifier: AttributeClassifier
    private let discriminant: LinearDiscriminant
    private static let seed: UInt64 = 0x57
    private static let batch = 50

    /// - Parameter count: pictures of each style that it is fitted on.
    init(_ classifier: AttributeClassifier, picturesEach count: Int = 200) {
        self.classifier = classifier
        let scenes = Self.scenes(count, .training)
        let features = Self.features(
            of: scenes.painted(size: classifier.configuration.pictureSize), by: classifier, augmented: true)
        discriminant = LinearDiscriminant(features, labels: scenes.map(\.style.rawValue))
    }

    /// What the classifier sees on pictures, but their style, which is told among all.
    func verdicts(_ pictures: [Picture]) -> [TraitLabels] {
        zip(classifier.verdicts(pictures), styles(of: pictures)).map { $0.setting(.style, to: $1) }
    }

    /// - Parameter count: pictures of each style.
    func accuracy(picturesEach count: Int = 100) -> Accuracy {
        let scenes = Self.scenes(count, .heldOut)
        let verdicts = Array(zip(scenes, styles(of: scenes.painted(size: classifier.configuration.pictureSize))))
        func share(_ some: [(Scene, Int)]) -> Double {
            Double(some.count { $0.0.style.rawValue == $0.1 }) / Double(some.count)
        }
        return Accuracy(
            all: share(verdicts), heldOut: share(verdicts.filter { $0.0.style.isHeldOut }), pictures: verdicts.count)
    }

    private func styles(of pictures: [Picture]) -> [Int] {
        discriminant.classes(Self.features(of: pictures, by: classifier))
    }

    /// Scenes of an album, so many in each style, without a second subject.
    private static func scenes(_ count: Int, _ split: Split) -> [Scene] {
        let styles = Style.allCases
        return (0..<count * styles.count).map { index in
            let scene = LittleWorld.scene(index: UInt64(index), seed: seed, split: split)
            return Scene(
                subject: scene.subject, context: scene.context, accessory: scene.accessory, finish: scene.finish,
                style: styles[index % styles.count], pose: scene.pose, phrasing: 0)
        }
    }

    // MARK: - Features

    /// A row a picture [N, D]: the mean and the deviation of every channel of every map.
    /// - Parameter augmented: whether pictures suffer first what the classifier's did in training.
    private static func features(
        of pictures: [Picture], by classifier: AttributeClassifier, augmented: Bool = false
    ) -> Tensor {
        let rows = Recording.withoutGradients {
            pictures.indices.parts(of: batch).flatMap { range -> [[Float]] in
                let some = classifier.prepared(Array(pictures[range]))
                if augmented { ClassifierAugmentation().apply(to: some, seed: seed, first: range.lowerBound) }
                return moments(of: classifier.features(Variable(some)).map(\.value))
            }
        }
        return Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
    }

    /// Maps [B, C, h, w] to a row a picture.
    private static func moments(of maps: [Tensor]) -> [[Float]] {
        (0..<maps[0].shape[0]).map { picture in
            maps.flatMap { map -> [Float] in
                let shape = [map.shape[1], map.shape[2] * map.shape[3]]
                let channels = map.slice(picture..<picture + 1).reshaped(shape)
                return (0..<shape[0]).flatMap { meanAndDeviation(channels.slice($0..<$0 + 1)) }
            }
        }
    }

    private static func meanAndDeviation(_ channel: Tensor) -> [Float] {
        let mean = channel.sum / Double(channel.count)
        let variance = channel.sumOfSquares / Double(channel.count) - mean * mean
        return [Float(mean), Float(max(variance, 0).squareRoot())]
    }
}
