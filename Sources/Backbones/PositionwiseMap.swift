import Autograd
import Layers
import Tensors

/// A linear map of every position of a feature map: a 1×1 convolution in older checkpoints, a linear layer of the
/// tokens in newer ones.
enum PositionwiseMap {
    case convolution(ConvolutionLayer)
    case linear(LinearLayer)

    /// x [B, C, H, W] → tokens [B, H·W, C'].
    func tokens(_ x: Variable) -> Variable {
        switch self {
        case .convolution(let layer): layer(x).tokensOfMap
        case .linear(let layer): layer(x.tokensOfMap)
        }
    }

    /// Tokens [B, H·W, C] → [B, C', H, W].
    func map(_ tokens: Variable, height: Int, width: Int) -> Variable {
        switch self {
        case .convolution(let layer): layer(tokens.mapOfTokens(height: height, width: width))
        case .linear(let layer): layer(tokens).mapOfTokens(height: height, width: width)
        }
    }
}

extension Variable {
    /// [B, C, H, W] → [B, H·W, C].
    var tokensOfMap: Variable {
        SwapPlanes().apply([reshaped([shape[0], shape[1], shape[2] * shape[3]])])
    }

    /// [B, H·W, C] → [B, C, H, W].
    func mapOfTokens(height: Int, width: Int) -> Variable {
        SwapPlanes().apply([self]).reshaped([shape[0], shape[2], height, width])
    }
}
