import Backbones
import Jobs
import Personalization
import Tensors

/// A loaded model with concepts in use: prompts may name them.
package struct ConceptPainter {
    /// One picture for each prompt and seed; with weights that are held in bfloat16 or in less, products are as exact.
    package let paint: Painting

    /// - Parameters:
    ///   - options: of the model's `drawing`; what they do not say, the model does.
    ///   - strengths: how much of what was learnt acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter that cannot be used; `JobFailure` for options that do not fit the model.
    package init(
        _ loaded: LoadedModel, adapters: [String: Adapter], options: OptionValues? = nil,
        strengths: [String: Float] = [:]
    ) throws {
        let use = ConceptUse(adapters: adapters, modelDigest: loaded.digest, options: options, strengths: strengths)
        let painting = try loaded.backbone.painting(use)
        paint =
            loaded.holdsHalves
            ? { prompts, seeds in MatrixPrecision.$current.withValue(.bfloat16) { painting(prompts, seeds) } }
            : painting
    }
}

extension LoadedModel {
    /// What can be said about drawing with it.
    package var drawing: OptionTable { description.family.drawing ?? .none }
}
