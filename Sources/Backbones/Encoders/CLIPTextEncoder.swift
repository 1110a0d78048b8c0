import Autograd
import Layers
import Tensors

/// CLIP's text tower alone, as diffusion models read prompts by it, with its projection where it has one (transformers'
/// CLIPTextModel and CLIPTextModelWithProjection).
package final class CLIPTextEncoder {
    /// The tower's; a diffusion model fills every text up to its `length`.
    package let configuration: CLIPModel.Text
    /// Of what stands for a whole text.
    package let pooledWidth: Int
    private let tower: TextTower
    private let projection: LinearLayer?

    /// - Parameter projectionWidth: of `text_projection`; nil for a tower without.
    package init(_ configuration: CLIPModel.Text, projectionWidth: Int?, _ weights: Weights) {
        self.configuration = configuration
        pooledWidth = projectionWidth ?? configuration.width
        tower = TextTower(configuration, weights)
        projection = projectionWidth.map {
            LinearLayer(weights, "text_projection", from: configuration.width, to: $0, bias: false)
        }
    }

    /// What diffusion models read of texts.
    package struct Output {
        /// The last but one block's output, without the final norm, [B, T, C].
        package let tokens: Variable
        /// The normed state at the end mark [B, C], through the projection where there is one [B, P].
        package let pooled: Variable
    }

    /// Texts filled up to one length, ids [B · T]; padding is read like any token.
    package func callAsFunction(_ ids: [Int32], batch: Int) -> Output {
        let states = tower.states(ids, batch: batch, lengths: nil)
        return Output(
            tokens: states.hidden[states.hidden.count - 2], pooled: projection?(states.pooled) ?? states.pooled)
    }
}
