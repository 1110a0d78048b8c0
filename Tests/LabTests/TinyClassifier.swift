import Evaluation
import Foundation
import Layers
import ModelTesting

extension TinyModels {
    /// Writes a classifier that has learnt nothing beside the models.
    func writeClassifier() throws {
        let configuration = AttributeClassifier.Configuration(pictureSize: 16, channels: 8)
        let weights = try AttributeClassifier(configuration, .fresh(seed: 6)).weights
        try AttributeClassifier.write(
            Dictionary(uniqueKeysWithValues: weights.parameters.map { ($0.name, $0.value) }), configuration,
            to: "\(folder)/classifier")
    }
}

/// The shipped one's directory.
let shippedClassifier = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../models/classifier")
    .standardized.path
