import Tensors

/// Prodigy (Mishchenko and Defazio, arXiv 2306.06101, algorithm 4; github.com/konstmish/prodigy): Adam whose step size
/// d is found on the way, from how far the parameters have gone along their gradients. The learning rate is a factor
/// of d, usually 1.
package final class Prodigy: Optimizer {
    /// A factor of d.
    package var learningRate: Float
    private let beta1, beta2, weightDecay: Float
    private let epsilon: Float = 1e-8
    /// Bytes of what is kept of a number: two moments, the sum of its gradients, and where it started.
    package static let keptBytes = 16.0
    /// d before anything is known.
    private static let firstSize: Float = 1e-6

    /// Steps taken.
    package var step = 0
    private let parameters: [Parameter]
    private let slots: [Slot]
    /// d, and the running numerator of its estimate, [2].
    private let estimate: Tensor

    private struct Slot {
        /// Moments, the weighted sum of gradients, and the parameter where it started; each of its shape.
        let first, second, sum, start: Tensor
    }

    /// Moments of zero; where the parameters are now is where they are said to start.
    package init(
        _ parameters: [Parameter], learningRate: Float = 1, beta1: Float = 0.9, beta2: Float = 0.999,
        weightDecay: Float = 0
    ) {
        (self.parameters, self.learningRate, self.weightDecay) = (parameters, learningRate, weightDecay)
        (self.beta1, self.beta2) = (beta1, beta2)
        slots = parameters.map {
            let shape = $0.value.shape
            return Slot(
                first: Tensor(zeros: shape), second: Tensor(zeros: shape), sum: Tensor(zeros: shape),
                start: $0.value.copy())
        }
        estimate = Tensor([Prodigy.firstSize, 0], shape: [2])
    }

    /// The step size found so far.
    package var size: Float { estimate.pointer[0] }

    /// Values, moments, weighted sums of gradients, starts, and the estimate of d.
    package var memory: [(name: String, tensor: Tensor)] {
        zip(parameters, slots).flatMap { parameter, slot in
            [
                ("value.\(parameter.name)", parameter.value), ("first.\(parameter.name)", slot.first),
                ("second.\(parameter.name)", slot.second), ("sum.\(parameter.name)", slot.sum),
                ("start.\(parameter.name)", slot.start),
            ]
        } + [("prodigy.estimate", estimate)]
    }

    /// One update of all, but for a step whose gradients, like all before, are zero. Returns their norm, √Σ‖g‖².
    @discardableResult
    package func update() -> Float {
        step += 1
        let norm = parameters.reduce(0.0) { $0 + ($1.gradient?.sumOfSquares ?? 0) }.squareRoot()
        let size = size
        let rate = size * learningRate
        let (numerator, denominator) = gather(size: size, rate: rate)
        guard denominator > 0 else { return Float(norm) }
        estimate.pointer[0] = max(size, Float(numerator / denominator))
        move(rate: rate, size: self.size)
        return Float(norm)
    }

    /// Adds this step's gradients to the moments and to the estimate; returns its numerator and denominator.
    private func gather(size: Float, rate: Float) -> (Double, Double) {
        let beta3 = beta2.squareRoot()
        let weight = size / Prodigy.firstSize * rate
        var numerator = Double(estimate.pointer[1] * beta3)
        var denominator = 0.0
        for (parameter, slot) in zip(parameters, slots) {
            guard let gradient = parameter.gradient else { continue }
            let (p, g, start) = (parameter.value.pointer, gradient.pointer, slot.start.pointer)
            let (m, v, s) = (slot.first.pointer, slot.second.pointer, slot.sum.pointer)
            var gone = 0.0
            for i in 0..<gradient.count {
                gone += Double(g[i] * (start[i] - p[i]))
                m[i] = beta1 * m[i] + size * (1 - beta1) * g[i]
                v[i] = beta2 * v[i] + size * size * (1 - beta2) * g[i] * g[i]
                s[i] = beta3 * s[i] + weight * g[i]
                denominator += Double(abs(s[i]))
            }
            numerator += Double(weight) * gone
        }
        estimate.pointer[1] = Float(numerator)
        return (numerator, denominator)
    }

    private func move(rate: Float, size: Float) {
        for (parameter, slot) in zip(parameters, slots) where parameter.gradient != nil {
            let (p, m, v) = (parameter.value.pointer, slot.first.pointer, slot.second.pointer)
            for i in 0..<parameter.value.count {
                p[i] -= rate * (weightDecay * p[i] + m[i] / (v[i].squareRoot() + size * epsilon))
            }
            parameter.clearGradient()
        }
    }
}
