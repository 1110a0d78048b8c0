import Autograd
import Tensors

/// Texts as a diffusion network reads them.
package struct DiffusionText {
    /// [B, T, D].
    package let tokens: Variable
    /// [B, P].
    package let pooled: Variable

    package init(tokens: Variable, pooled: Variable) { (self.tokens, self.pooled) = (tokens, pooled) }

    /// One text, `count` times; records no gradient.
    package func repeated(_ count: Int) -> DiffusionText {
        func times(_ x: Variable) -> Variable { Variable(.joined([Tensor](repeating: x.value, count: count))) }
        return DiffusionText(tokens: times(tokens), pooled: times(pooled))
    }

    /// These texts, then others; records no gradient.
    package func joined(_ other: DiffusionText) -> DiffusionText {
        DiffusionText(
            tokens: Variable(.joined([tokens.value, other.tokens.value])),
            pooled: Variable(.joined([pooled.value, other.pooled.value])))
    }
}
