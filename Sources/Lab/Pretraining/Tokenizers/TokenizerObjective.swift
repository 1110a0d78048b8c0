import Autograd
import Evaluation
import Layers
import Tensors

/// What picture tokenizers are trained to, whatever they quantize by: reconstruction, a perceptual distance, and an
/// adversary that speaks late (Infinity's BSQ-VAE and Chameleon's VQGAN are trained to these three).
struct TokenizerObjective {
    private static let perceptualWeight: Float = 0.1

    private let perceptual: PerceptualLoss?
    private let adversary: Adversary?

    /// Without a classifier there is reconstruction alone.
    init(_ options: PretrainingOptions) throws {
        perceptual = try options.classifier.map {
            let classifier = try AttributeClassifier(directory: $0)
            classifier.weights.train { _ in false }
            return PerceptualLoss(classifier: classifier)
        }
        adversary = options.adversaryFrom.map { Adversary(seed: options.seed &+ 77, firstStep: $0) }
    }

    /// The rule for the tokenizer together with the adversary's.
    func optimizer(_ rule: any Optimizer) -> any Optimizer {
        adversary.map { JointOptimizer(rule, beside: $0.optimizer) } ?? rule
    }

    /// Leaves all gradients where they belong, and tells the losses.
    /// - Parameters:
    ///   - decoded: [B, 3, H, W].
    ///   - pictures: what it should be.
    ///   - other: further terms of the tokenizer's loss, a single number.
    func accumulate(
        _ decoded: Variable, of pictures: Variable, step: Int, other: Variable
    ) -> [(name: String, value: Float)] {
        let output = Variable(decoded.value, node: Node())
        let reconstruction = ReconstructionLoss(output, of: pictures)
        var total = reconstruction.total
        var named = reconstruction.named
        if let perceptual {
            let distance = perceptual(output, of: pictures)
            named.append(("perceptual", distance.scalar))
            total = total + TokenizerObjective.perceptualWeight * distance
        }
        total.backward()
        var gradient = output.node!.gradient!
        if let adversary, adversary.speaks(at: step) {
            let heard = adversary.gradient(at: decoded.value, besides: gradient)
            gradient = (Variable(gradient) + Variable(heard.gradient)).value
            named.append(("generator", heard.loss))
            named.append(("discriminator", adversary.accumulate(real: pictures.value, decoded: decoded.value)))
        }
        (inner(decoded, gradient) + other).backward()
        return named
    }

    /// Σ decoded · gradient: its gradient at `decoded` is `gradient`.
    private func inner(_ decoded: Variable, _ gradient: Tensor) -> Variable {
        Float(gradient.count) * Mean().apply([decoded * Variable(gradient)])
    }
}
