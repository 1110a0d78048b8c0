import Autograd
import Tensors

/// y = x · wᵀ (+ b). Weight names: `<name>.weight` [out, in], `<name>.bias` [out].
package struct LinearLayer {
    /// [out, in].
    package let weight: Parameter
    /// [out]; nil of a layer without.
    package let bias: Parameter?

    /// - Parameter initialization: of the weight where no file gives it; nil: PyTorch's.
    package init(
        _ weights: Weights, _ name: String, from inputs: Int, to outputs: Int, bias: Bool = true,
        initialization: Initialization? = nil
    ) {
        weight = weights.parameter(
            "\(name).weight", [outputs, inputs], initialization ?? .uniform(fanIn: inputs), isProjection: true)
        self.bias = bias ? weights.parameter("\(name).bias", [outputs], .zeros) : nil
    }

    /// x [.., in] → [.., out].
    package func callAsFunction(_ x: Variable) -> Variable { weight.project(x, bias: bias?.variable) }
}

/// Affine layer norm. Weight names: `<name>.weight`, `<name>.bias` [C].
package struct LayerNormLayer {
    /// [C].
    package let weight: Parameter
    /// [C].
    package let bias: Parameter
    let epsilon: Float

    /// - Parameter width: C.
    package init(_ weights: Weights, _ name: String, width: Int, epsilon: Float) {
        weight = weights.parameter("\(name).weight", [width], .ones)
        bias = weights.parameter("\(name).bias", [width], .zeros)
        self.epsilon = epsilon
    }

    /// x [.., C], same shape.
    package func callAsFunction(_ x: Variable) -> Variable {
        LayerNorm(epsilon: epsilon).apply([x, weight.variable, bias.variable])
    }
}

/// RMS norm. Weight name: `<name>.weight` [C].
package struct RMSNormLayer {
    /// [C].
    package let weight: Parameter
    let epsilon: Float

    /// - Parameter width: C.
    package init(_ weights: Weights, _ name: String, width: Int, epsilon: Float = 1e-6) {
        weight = weights.parameter("\(name).weight", [width], .ones)
        self.epsilon = epsilon
    }

    /// x [.., C], same shape.
    package func callAsFunction(_ x: Variable) -> Variable { RMSNorm(epsilon: epsilon).apply([x, weight.variable]) }
}

/// 2-D convolution over [B, C, H, W]. Weight names: `<name>.weight` [out, in, k, k], `<name>.bias` [out].
package struct ConvolutionLayer {
    /// [out, in, k, k].
    package let weight: Parameter
    /// [out]; nil of a layer without.
    package let bias: Parameter?
    let stride: Int
    let padding: Convolution.Padding

    /// - Parameters:
    ///   - kernel: k.
    ///   - padding: nil keeps the size at stride 1 where k is odd.
    package init(
        _ weights: Weights, _ name: String, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1,
        padding: Convolution.Padding? = nil, bias: Bool = true
    ) {
        weight = weights.parameter(
            "\(name).weight", [outputs, inputs, kernel, kernel], .uniform(fanIn: inputs * kernel * kernel))
        self.bias = bias ? weights.parameter("\(name).bias", [outputs], .zeros) : nil
        self.stride = stride
        self.padding = padding ?? .around(kernel / 2)
    }

    /// x [B, in, H, W] → [B, out, H', W'].
    package func callAsFunction(_ x: Variable) -> Variable {
        Convolution(stride: stride, padding: padding).apply([x, weight.variable] + (bias.map { [$0.variable] } ?? []))
    }
}

/// Group norm, optionally followed by swish. Weight names: `<name>.weight`, `<name>.bias` [C].
package struct GroupNormLayer {
    /// [C].
    package let weight: Parameter
    /// [C].
    package let bias: Parameter
    let groups: Int
    let epsilon: Float

    /// - Parameters:
    ///   - channels: C.
    ///   - groups: of neighbouring channels, each normalized by itself; they divide C.
    package init(_ weights: Weights, _ name: String, channels: Int, groups: Int, epsilon: Float = 1e-6) {
        weight = weights.parameter("\(name).weight", [channels], .ones)
        bias = weights.parameter("\(name).bias", [channels], .zeros)
        self.groups = groups
        self.epsilon = epsilon
    }

    /// x [B, C, H, W], same shape.
    package func callAsFunction(_ x: Variable, swish: Bool = false) -> Variable {
        GroupNorm(groups: groups, epsilon: epsilon, swish: swish).apply([x, weight.variable, bias.variable])
    }
}
