import CKernels
import Glibc
import Tensors

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), PyTorch's arithmetic:
/// p *= 1 − lr·wd; m = β1·m + (1−β1)·g; v = β2·v + (1−β2)·g²; p −= lr · (m/(1−β1ᵗ)) / (√(v/(1−β2ᵗ)) + ε).
package final class AdamW {
    /// The rule's numbers, under PyTorch's names and defaults.
    package struct Options: Sendable {
        /// lr.
        package var learningRate: Float
        /// What the first moment keeps of itself at a step.
        package var beta1: Float
        /// What the second moment keeps of itself at a step.
        package var beta2: Float
        /// ε.
        package var epsilon: Float
        /// wd.
        package var weightDecay: Float
        /// Gradients are scaled down to this global norm when they exceed it; nil leaves them.
        package var largestNorm: Float?

        /// PyTorch's defaults but for the learning rate.
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

    /// How the moments of many numbers are kept between steps.
    package enum Precision: String, Codable, Sendable, CaseIterable {
        case single = "32-bit"
        /// A quarter of the memory, as `EightBitMoment` keeps them; parameters of few numbers, biases and norms, keep
        /// floats, which costs nothing.
        case eightBit = "8-bit"

        /// From so many numbers on, as bitsandbytes has it.
        static let fewest = 4096
    }

    /// A parameter's first and second moments.
    private enum Moments {
        case single(first: Tensor, second: Tensor)
        case eightBit(first: EightBitMoment, second: EightBitMoment)
    }

    /// Read at every step.
    package var options: Options
    /// Those that it updates.
    package let parameters: [Parameter]
    /// In the parameters' order.
    private let moments: [Moments]
    /// Steps taken.
    package var step = 0
    /// Σ‖g‖² of the parameters that this step has updated already.
    private var squaresSoFar = 0.0

    /// Moments of zero beside every parameter, as `precision` keeps them.
    package init(_ parameters: [Parameter], _ options: Options, moments precision: Precision = .single) {
        self.parameters = parameters
        self.options = options
        moments = parameters.map {
            precision == .eightBit && $0.count >= Precision.fewest
                ? .eightBit(
                    first: EightBitMoment(count: $0.count, isSigned: true),
                    second: EightBitMoment(count: $0.count, isSigned: false))
                : .single(first: Tensor(zeros: $0.shape), second: Tensor(zeros: $0.shape))
        }
    }

    /// Updates some parameters ahead of the step's `update`, because their gradients are complete; these are forgotten
    /// and their memory is free for the next ones'. The numbers are those of one update of all.
    /// - Precondition: gradients are not scaled by their common norm, which is not known before the last has arrived.
    package func update(where isComplete: (Parameter) -> Bool) {
        precondition(options.largestNorm == nil, "gradients that are scaled together are applied together")
        for index in parameters.indices where isComplete(parameters[index]) {
            squaresSoFar += parameters[index].gradient?.sumOfSquares ?? 0
            apply(index, clip: 1)
        }
    }

    /// One update from the gradients that have arrived, which are then forgotten. Returns the norm of all gradients of
    /// the step, √Σ‖g‖², before clipping.
    @discardableResult
    package func update() -> Float {
        let arrived = parameters.reduce(0.0) { $0 + ($1.gradient?.sumOfSquares ?? 0) }
        let norm = Float((squaresSoFar + arrived).squareRoot())
        let clip = options.largestNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
        for index in parameters.indices { apply(index, clip: clip) }
        squaresSoFar = 0
        step += 1
        return norm
    }

    /// A parameter's part of step `step + 1`, if it has a gradient.
    private func apply(_ index: Int, clip: Float) {
        let parameter = parameters[index]
        guard let gradient = parameter.gradient else { return }
        let correction1 = Float(1 - pow(Double(options.beta1), Double(step + 1)))
        let correction2 = Float(1 - pow(Double(options.beta2), Double(step + 1)))
        let (p, g) = (parameter.value.pointer, gradient.pointer)
        let moments = moments[index]
        parallel(parameter.count, grain: 1 << 14) { [options] in
            let i = $0.lowerBound
            switch moments {
            case .single(let first, let second):
                atelier_adamw(
                    p + i, first.pointer + i, second.pointer + i, g + i, $0.count, options.learningRate, options.beta1,
                    options.beta2, options.epsilon, options.weightDecay, correction1, correction2, clip)
            case .eightBit(let first, let second):
                atelier_adamw_8bit(
                    p + i, first.moment(from: i), second.moment(from: i), g + i, $0.count, options.learningRate,
                    options.beta1, options.beta2, options.epsilon, options.weightDecay, correction1, correction2, clip)
            }
        }
        parameter.clearGradient()
    }

    /// Floats kept beside parameter `index`: moments of its shape, or the scales of their codes.
    package func numbers(of index: Int) -> (first: Tensor, second: Tensor) {
        switch moments[index] {
        case .single(let first, let second): (first, second)
        case .eightBit(let first, let second): (first.scales, second.scales)
        }
    }

    /// Codes kept beside parameter `index`, where its moments are kept so.
    func codes(of index: Int) -> (first: ByteTensor, second: ByteTensor)? {
        guard case .eightBit(let first, let second) = moments[index] else { return nil }
        return (first.codes, second.codes)
    }
}
