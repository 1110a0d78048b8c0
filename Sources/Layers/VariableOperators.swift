import Autograd
import Tensors

extension Variable {
    /// Sum, same shape.
    package static func + (a: Variable, b: Variable) -> Variable { Add().apply([a, b]) }
    /// Elementwise product, same shape.
    package static func * (a: Variable, b: Variable) -> Variable { Multiply().apply([a, b]) }
    /// Every element times a number, same shape.
    package static func * (factor: Float, x: Variable) -> Variable { Scale(by: factor).apply([x]) }
    /// The same elements under another shape of as many elements.
    package func reshaped(_ shape: [Int]) -> Variable { Reshape(shape).apply([self]) }
    /// Columns `range` of [.., C].
    package func columns(_ range: Range<Int>) -> Variable { Columns(range).apply([self]) }
    /// Tokens `range` of [B, T, C].
    package func tokens(_ range: Range<Int>) -> Variable { SliceTokens(range).apply([self]) }
    /// Samples `range` of [B, T, C].
    package func samples(_ range: Range<Int>) -> Variable {
        let (tokens, width) = (shape[1], shape[2])
        return reshaped([1, shape[0] * tokens, width]).tokens(range.lowerBound * tokens..<range.upperBound * tokens)
            .reshaped([range.count, tokens, width])
    }
    /// The single number of a loss.
    package var scalar: Float { value.pointer[0] }
}
