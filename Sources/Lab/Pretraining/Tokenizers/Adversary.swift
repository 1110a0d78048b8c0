import Autograd
import Layers
import Tensors

/// The adversarial part of a tokenizer's loss: a patch discriminator by hinge losses, which learns beside the tokenizer
/// and speaks late, once reconstructions are good enough for details to be what tells them apart (VQGAN, arXiv
/// 2012.09841, section 3.1 and its `disc_start`).
final class Adversary {
    /// The share of the reconstruction's gradient that the adversary's has.
    private static let weight: Float = 0.4

    let discriminator: PatchDiscriminator
    let optimizer: AdamW
    private let firstStep: Int

    /// - Parameter firstStep: from which it learns and is heard.
    init(seed: UInt64, firstStep: Int) {
        discriminator = PatchDiscriminator(seed: seed)
        optimizer = AdamW(
            discriminator.weights.trainable,
            AdamW.Options(learningRate: 2e-4, beta1: 0.5, beta2: 0.9, weightDecay: 0, largestNorm: 1))
        self.firstStep = firstStep
    }

    func speaks(at step: Int) -> Bool { step >= firstStep }

    /// ∂/∂pictures of −mean D(pictures), scaled to a fixed share of the norm of `gradient`, the reconstruction's.
    ///
    /// VQGAN balances the two by their gradients at the decoder's last layer; *ours* balances them at the pictures,
    /// which needs no pass of its own through the decoder.
    /// - Parameter decoded: [B, 3, H, W].
    func gradient(at decoded: Tensor, besides gradient: Tensor) -> (gradient: Tensor, loss: Float) {
        let pictures = Variable(decoded, node: Node())
        let loss = -1 * Mean().apply([discriminator(pictures)])
        loss.backward()
        for parameter in discriminator.weights.trainable { parameter.clearGradient() }
        let own = pictures.node!.gradient!
        let ratio = (gradient.sumOfSquares / max(own.sumOfSquares, 1e-20)).squareRoot()
        return ((Adversary.weight * Float(min(ratio, 1e4)) * Variable(own)).value, loss.scalar)
    }

    /// Leaves in the discriminator the gradient of its hinge loss; returns the loss.
    func accumulate(real: Tensor, decoded: Tensor) -> Float {
        let loss =
            0.5 * (hinge(discriminator(Variable(real)), sign: -1) + hinge(discriminator(Variable(decoded)), sign: 1))
        loss.backward()
        return loss.scalar
    }

    /// The mean of max(0, 1 + sign · logit).
    private func hinge(_ logits: Variable, sign: Float) -> Variable {
        let margin = Variable(Tensor(repeating: 1, shape: logits.shape))
        return Mean().apply([ReLU().apply([margin + sign * logits])])
    }
}
