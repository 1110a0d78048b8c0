import Autograd
import Images
import Tensors

/// Texts as a diffusion network reads them.
package struct DiffusionText {
    /// [B, T, D].
    package let tokens: Variable
    /// [B, P].
    package let pooled: Variable
    /// What the pictures that are learnt beside the texts were cut from, one each; empty where pictures are drawn, for
    /// those are whole.
    package private(set) var origins: [PictureOrigin] = []

    /// Tokens [B, T, D] and pooled texts [B, P], of pictures that are drawn.
    package init(tokens: Variable, pooled: Variable) { (self.tokens, self.pooled) = (tokens, pooled) }

    /// The same texts beside pictures that are learnt from.
    package func beside(_ origins: [PictureOrigin]) -> DiffusionText {
        var text = self
        text.origins = origins
        return text
    }

    /// One text, `count` times; records no gradient.
    package func repeated(_ count: Int) -> DiffusionText { .joined([DiffusionText](repeating: self, count: count)) }

    /// Texts, one after the other; records no gradient.
    package static func joined(_ texts: [DiffusionText]) -> DiffusionText {
        DiffusionText(
            tokens: Variable(.joined(texts.map(\.tokens.value))), pooled: Variable(.joined(texts.map(\.pooled.value))))
    }
}
