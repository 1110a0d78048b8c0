import Autograd
import Evaluation
import Layers

/// The distance of pictures in a classifier's features, as LPIPS measures it (arXiv 1801.03924) with every channel's
/// weight one: over the depths, the mean over places of ‖a/‖a‖ − b/‖b‖‖², norms over channels.
///
/// The classifier is the world's own (`AttributeClassifier`): it knows what tells a whisker from a smear here, and
/// nothing has to be downloaded.
struct PerceptualLoss {
    let classifier: AttributeClassifier

    /// Both [B, 3, H, W] in [−1, 1]; a single number.
    func callAsFunction(_ decoded: Variable, of pictures: Variable) -> Variable {
        let distances = zip(classifier.features(decoded), classifier.features(pictures)).map(distance)
        return distances.dropFirst().reduce(distances[0], +)
    }

    private func distance(_ a: Variable, _ b: Variable) -> Variable {
        Float(a.shape[1]) * SquaredError().apply([directions(a), directions(b)])
    }

    /// [B, C, h, w] to unit vectors [B, h·w, C].
    private func directions(_ x: Variable) -> Variable {
        let rows = SwapPlanes().apply([x.reshaped([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]])])
        return NormalizeRows().apply([rows])
    }
}
