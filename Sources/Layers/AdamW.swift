import CKernels
import Glibc
import Tensors

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), PyTorch's arithmetic:
/// p *= 1 − lr·wd; m = β1·m + (1−β1)·g; v = β2·v + (1−β2)·g²; p −= lr · (m/(1−β1ᵗ)) / (√(v/(1−β2ᵗ)) + ε).
package final class AdamW {
    package struct Options: Sendable {
        package var learningRate: Float
        package var beta1: Float
        package var beta2: Float
        package var epsilon: Float
        package var weightDecay: Float
        /// Gradients are scaled down to this global norm when they exceed it; nil leaves them.
        package var largestNorm: Float?

        package init(
            learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
            weightDecay: Float = 0.01,
            largestNorm: Float? = nil
        ) {
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.largestNorm = largestNorm
        }
    }

    package var options: Options
    package let parameters: [Parameter]
    /// First and second moments, in the parameters' order.
    package let moments: [(first: Tensor, second: Tensor)]
    package var step = 0

    package init(_ parameters: [Parameter], _ options: Options) {
        self.parameters = parameters
        self.options = options
        moments = parameters.map { (Tensor(zeros: $0.shape), Tensor(zeros: $0.shape)) }
    }

    /// √Σ‖g‖² over all parameters with a gradient.
    package var gradientNorm: Float {
        Float(parameters.reduce(0.0) { $0 + ($1.gradient?.sumOfSquares ?? 0) }.squareRoot())
    }

    /// One update from the gradients that have arrived, which are then forgotten. Returns their norm before clipping.
    @discardableResult
    package func update() -> Float {
        step += 1
        let norm = gradientNorm
        let clip = options.largestNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
        let correction1 = Float(1 - pow(Double(options.beta1), Double(step)))
        let correction2 = Float(1 - pow(Double(options.beta2), Double(step)))
        for (parameter, moment) in zip(parameters, moments) {
            guard let gradient = parameter.gradient else { continue }
            let (p, m, v, g) = (parameter.value.pointer, moment.first.pointer, moment.second.pointer, gradient.pointer)
            parallel(parameter.count, grain: 1 << 14) { [options] in
                let i = $0.lowerBound
                atelier_adamw(
                    p + i, m + i, v + i, g + i, $0.count, options.learningRate, options.beta1, options.beta2,
                    options.epsilon,
                    options.weightDecay, correction1, correction2, clip)
            }
            parameter.clearGradient()
        }
        return norm
    }
}
