import Autograd
import Checkpoints
import Foundation
import Layers
import Tensors

/// A released latent diffusion model: Stable Diffusion XL, 3 and 3.5, or FLUX.1, read from diffusers' folder. Prompts
/// are read by CLIP's towers and T5, latents drawn by the model's own sampler.
package final class DiffusionPipeline {
    /// Who predicts.
    package enum Network {
        case unet(UNet)
        case mmdit(MMDiT)
        case flux(FluxTransformer)
    }

    package let network: Network
    package let autoencoder: AutoencoderKL
    package let prompts: PipelinePrompts
    /// Each component's weights, by its folder's name.
    package let weights: [String: Weights]
    /// The scheduler's settings.
    let schedule: PipelineSchedule

    /// Reads a model from its folder.
    /// - Parameters:
    ///   - variant: which of several kinds of weights is read (`fp16`); the plain ones when nil.
    ///   - singleFile: the authors' own file, whose weights are read instead; the folder still gives the settings.
    /// - Throws: `CheckpointError`, `WeightsError`, `UnknownPipeline`, or an error naming the file that is missing or
    ///   malformed.
    package init(directory: String, variant: String? = nil, singleFile: String? = nil) throws {
        let folder = try PipelineFolder(directory, variant: variant, singleFile: singleFile)
        var weights: [String: Weights] = [:]
        func component(_ name: String) throws -> Weights {
            let made = Weights(try folder.weights(name))
            weights[name] = made
            return made
        }
        switch (folder.components["unet"], folder.components["transformer"]) {
        case ("UNet2DConditionModel", _):
            network = .unet(UNet(try folder.settings(UNet.Configuration.self, "unet"), try component("unet")))
        case (_, "SD3Transformer2DModel"):
            network = .mmdit(
                MMDiT(try folder.settings(MMDiT.Configuration.self, "transformer"), try component("transformer")))
        case (_, "FluxTransformer2DModel"):
            network = .flux(
                FluxTransformer(
                    try folder.settings(FluxTransformer.Configuration.self, "transformer"),
                    try component("transformer")))
        default: throw UnknownPipeline(directory: directory)
        }
        let latents = Weights(try AutoencoderKL.renamed(folder.weights("vae")))
        weights["vae"] = latents
        autoencoder = AutoencoderKL(try folder.settings(AutoencoderKL.Configuration.self, "vae"), latents)
        prompts = try PipelinePrompts(folder, kind: PipelinePrompts.Kind(network), component)
        schedule = try folder.settings(PipelineSchedule.self, "scheduler", "scheduler_config.json")
        self.weights = weights
        for weights in weights.values { try weights.verify() }
    }

    /// No weight learns: nothing is recorded, no gradient memory is taken.
    package func freeze() { for weights in weights.values { weights.train { _ in false } } }
}

/// A folder of a model of diffusers that is not built.
package struct UnknownPipeline: Error, CustomStringConvertible {
    let directory: String

    package var description: String {
        "\(directory)/model_index.json: names no UNet2DConditionModel, SD3Transformer2DModel or FluxTransformer2DModel"
    }
}

extension AutoencoderKL {
    /// Weights under today's names and shapes, from whichever source.
    static func renamed(_ source: Weights.Source) throws(CheckpointError) -> Weights.Source {
        switch source {
        case .checkpoint(let tensors): return .checkpoint(named(tensors))
        case .stored(let checkpoint):
            var tensors: [String: Tensor] = [:]
            for name in checkpoint.names {
                let stored = try checkpoint.tensor(name)
                if stored.type?.isReal == true { tensors[name] = try stored.tensor() }
            }
            return .checkpoint(named(tensors))
        case .fitting, .fresh: return source
        }
    }
}
