import Autograd
import Tensors

/// y = x · wᵀ (+ b). Weight names: `<name>.weight` [out, in], `<name>.bias` [out].
package struct LinearLayer {
    package let weight: Parameter
    package let bias: Parameter?

    package init(
        _ weights: Weights, _ name: String, from inputs: Int, to outputs: Int, bias: Bool = true,
        initialization: Initialization? = nil
    ) {
        weight = weights.parameter(
            "\(name).weight", [outputs, inputs], initialization ?? .uniform(fanIn: inputs), isProjection: true)
        self.bias = bias ? weights.parameter("\(name).bias", [outputs], .zeros) : nil
    }

    package func callAsFunction(_ x: Variable) -> Variable { weight.project(x, bias: bias?.variable) }
}

/// Affine layer norm. Weight names: `<name>.weight`, `<name>.bias` [C].
package struct LayerNormLayer {
    package let weight: Parameter
    package let bias: Parameter
    let epsilon: Float

    package init(_ weights: Weights, _ name: String, width: Int, epsilon: Float = 1e-6) {
        weight = weights.parameter("\(name).weight", [width], .ones)
        bias = weights.parameter("\(name).bias", [width], .zeros)
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Variable) -> Variable {
        LayerNorm(epsilon: epsilon).apply([x, weight.variable, bias.variable])
    }
}

/// RMS norm. Weight name: `<name>.weight` [C].
package struct RMSNormLayer {
    package let weight: Parameter
    let epsilon: Float

    package init(_ weights: Weights, _ name: String, width: Int, epsilon: Float = 1e-6) {
        weight = weights.parameter("\(name).weight", [width], .ones)
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Variable) -> Variable { RMSNorm(epsilon: epsilon).apply([x, weight.variable]) }
}

/// 2-D convolution over [B, C, H, W]. Weight names: `<name>.weight` [out, in, k, k], `<name>.bias` [out].
package struct ConvolutionLayer {
    package let weight: Parameter
    package let bias: Parameter?
    let stride: Int
    let padding: Convolution.Padding

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

    package func callAsFunction(_ x: Variable) -> Variable {
        Convolution(stride: stride, padding: padding).apply([x, weight.variable] + (bias.map { [$0.variable] } ?? []))
    }
}

/// Group norm, optionally followed by swish. Weight names: `<name>.weight`, `<name>.bias` [C].
package struct GroupNormLayer {
    package let weight: Parameter
    package let bias: Parameter
    let groups: Int
    let epsilon: Float

    package init(_ weights: Weights, _ name: String, channels: Int, groups: Int, epsilon: Float = 1e-6) {
        weight = weights.parameter("\(name).weight", [channels], .ones)
        bias = weights.parameter("\(name).bias", [channels], .zeros)
        self.groups = groups
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Variable, swish: Bool = false) -> Variable {
        GroupNorm(groups: groups, epsilon: epsilon, swish: swish).apply([x, weight.variable, bias.variable])
    }
}

extension Variable {
    /// Sum, same shape.
    package static func + (a: Variable, b: Variable) -> Variable { Add().apply([a, b]) }
    /// Elementwise product, same shape.
    package static func * (a: Variable, b: Variable) -> Variable { Multiply().apply([a, b]) }
    package static func * (factor: Float, x: Variable) -> Variable { Scale(by: factor).apply([x]) }
    package func reshaped(_ shape: [Int]) -> Variable { Reshape(shape).apply([self]) }
    package func columns(_ range: Range<Int>) -> Variable { Columns(range).apply([self]) }
    package func tokens(_ range: Range<Int>) -> Variable { SliceTokens(range).apply([self]) }
    /// Some samples of [B, T, C].
    package func samples(_ range: Range<Int>) -> Variable {
        let (tokens, width) = (shape[1], shape[2])
        return reshaped([1, shape[0] * tokens, width]).tokens(range.lowerBound * tokens..<range.upperBound * tokens)
            .reshaped([range.count, tokens, width])
    }
    /// The single number of a loss.
    package var scalar: Float { value.pointer[0] }
}
