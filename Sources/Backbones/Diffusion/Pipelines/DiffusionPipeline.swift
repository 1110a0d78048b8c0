import Autograd
import Checkpoints
import Foundation
import Layers
import Tensors

/// A released latent diffusion model: Stable Diffusion XL, 3 and 3.5, or FLUX.1, read from diffusers' folder. Prompts
/// are read by CLIP's towers and T5, latents drawn by the model's own sampler.
package final class DiffusionPipeline: LatentDiffusion {
    /// Who predicts.
    package enum Network {
        case unet(UNet)
        case mmdit(MMDiT)
        case flux(FluxTransformer)
    }

    /// Which also says how prompts are read and pictures sampled.
    package let network: Network
    /// Pictures ↔ latents [B, z, h, w], its weights under today's names.
    package let autoencoder: AutoencoderKL
    /// The text encoders and their tokenizers.
    package let prompts: PipelinePrompts
    /// Each component's weights, by its folder's name.
    package let weights: [String: Weights]
    /// The network's.
    package let transformerWeights: Weights
    /// The scheduler's settings.
    let schedule: PipelineSchedule
    /// Of `config.json` beside the index, where the model was added; diffusers' usual ones of a bare folder.
    package let settings: DiffusionSettings
    /// An MMDiT's is limited by its table of positions.
    package var drawnSize: (height: Int, width: Int)?

    /// Reads a model from its folder.
    /// - Parameters:
    ///   - variant: which of several kinds of weights is read (`fp16`); the plain ones when nil.
    ///   - singleFile: the authors' own file, whose weights are read instead; the folder still gives the settings.
    /// - Throws: `CheckpointError`, `WeightsError`, `UnknownPipeline`, `OtherChannels`, `OtherTexts`, `UnevenTexts`, or
    ///   an error naming the file that is missing or malformed.
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
            transformerWeights = try component("unet")
            network = .unet(UNet(try folder.settings(UNet.Configuration.self, "unet"), transformerWeights))
        case (_, "SD3Transformer2DModel"):
            transformerWeights = try component("transformer")
            network = .mmdit(
                MMDiT(try folder.settings(MMDiT.Configuration.self, "transformer"), transformerWeights))
        case (_, "FluxTransformer2DModel"):
            transformerWeights = try component("transformer")
            network = .flux(
                FluxTransformer(
                    try folder.settings(FluxTransformer.Configuration.self, "transformer"), transformerWeights))
        default: throw UnknownPipeline(directory: directory)
        }
        let latents = Weights(try AutoencoderKL.renamed(folder.weights("vae")))
        weights["vae"] = latents
        autoencoder = AutoencoderKL(try folder.settings(AutoencoderKL.Configuration.self, "vae"), latents)
        prompts = try PipelinePrompts(folder, for: network, component)
        schedule = try folder.settings(PipelineSchedule.self, "scheduler", "scheduler_config.json")
        settings = try folder.own
        self.weights = weights
        try verifyChannels(directory)
        try verifyTexts(directory)
        try verifyLengths(directory)
        for weights in weights.values { try weights.verify() }
    }

    /// What is predicted is taken from the latents: both have the autoencoder's channels, and nothing is read besides.
    private func verifyChannels(_ directory: String) throws(OtherChannels) {
        let latents = autoencoder.configuration.latentChannels
        let (read, predicted, wanted) =
            switch network {
            case .unet(let unet): (unet.configuration.latentChannels, unet.configuration.outputChannels, latents)
            case .mmdit(let mmdit): (mmdit.configuration.latentChannels, mmdit.configuration.outputChannels, latents)
            // It sees squares of two by two.
            case .flux(let flux): (flux.configuration.patchChannels, flux.configuration.outputChannels, 4 * latents)
            }
        guard read == wanted, predicted == wanted else {
            throw OtherChannels(directory: directory, read: read, predicted: predicted, wanted: wanted)
        }
    }

    /// The text encoders' numbers are what the network reads of a text: they may be another model's.
    private func verifyTexts(_ directory: String) throws(OtherTexts) {
        let (rows, pooled): (Int, Int?) =
            switch network {
            case .unet(let unet): (unet.configuration.textWidth, unet.configuration.pooledWidth)
            case .mmdit(let mmdit): (mmdit.configuration.textWidth, mmdit.configuration.pooledWidth)
            case .flux(let flux): (flux.configuration.textWidth, flux.configuration.pooledWidth)
            }
        let given = prompts.widths
        guard given.rows == rows, pooled == nil || pooled == given.pooled else {
            throw OtherTexts(directory: directory, read: (rows, pooled ?? given.pooled), given: given)
        }
    }

    /// CLIP's towers write their rows beside each other's.
    private func verifyLengths(_ directory: String) throws(UnevenTexts) {
        let lengths = prompts.towerLengths
        guard lengths.allSatisfy({ $0 == lengths[0] }) else {
            throw UnevenTexts(directory: directory, lengths: lengths)
        }
    }

    /// All that were read, by their folders' names (`unet`, `text_encoder_2`, `vae`).
    package var components: [String: Weights] { weights }

    /// What the network's patches and its table of positions allow; a UNet takes odd sides too.
    package var latentSides: (multiple: Int, most: Int?) {
        switch network {
        case .unet: (1, nil)
        case .mmdit(let mmdit): mmdit.configuration.latentSides
        case .flux: (2, nil)
        }
    }

    /// Prompts as the network reads them.
    package func encode(_ prompts: [String]) -> DiffusionText { self.prompts(prompts) }

    /// T5's tokens where there is one, else as many as CLIP's towers read.
    package var longestPrompt: Int { prompts.longest }

    /// By T5's tokenizer where there is one, else CLIP's.
    package func tokenCount(_ prompt: String) -> Int { prompts.tokenCount(prompt) }

    /// Of both streams where there are two; a UNet's attentions, to itself and to the text, have the same names.
    package var attentionModules: [String] {
        let picture = ["to_q", "to_k", "to_v", "to_out.0"]
        switch network {
        case .unet: return picture
        case .mmdit, .flux: return picture + ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
        }
    }

    /// FLUX.1-dev's, which is distilled from guided sampling.
    package var isToldGuidance: Bool {
        if case .flux(let flux) = network { flux.configuration.isGuided } else { false }
    }

    /// The empty prompt, `count` times; all zeros where SDXL's folder says so.
    package func unprompted(_ count: Int) -> DiffusionText? {
        isToldGuidance ? nil : prompts.negative([""]).repeated(count)
    }

    /// No component learns, the text encoders among them.
    package func freeze() { for weights in weights.values { weights.train { _ in false } } }
}

/// A folder of a model of diffusers that is not built.
package struct UnknownPipeline: Error, CustomStringConvertible {
    let directory: String

    /// The folder's index, and the classes of networks that are built.
    package var description: String {
        "\(directory)/model_index.json: names no UNet2DConditionModel, SD3Transformer2DModel or FluxTransformer2DModel"
    }
}

/// A network that reads or predicts something else than the autoencoder's latents.
package struct OtherChannels: Error, CustomStringConvertible {
    let directory: String
    let read, predicted, wanted: Int

    /// The folder, both numbers of channels, and what such a network would be.
    package var description: String {
        """
        \(directory): the network reads \(read) channels and predicts \(predicted), where the autoencoder's latents \
        make \(wanted): a network that reads or predicts something else (inpainting, editing, depth) is not built
        """
    }
}

/// Text encoders of other widths than the network reads.
package struct OtherTexts: Error, CustomStringConvertible {
    let directory: String
    let read, given: (rows: Int, pooled: Int)

    /// The folder, both widths on either side, and what may be another model's.
    package var description: String {
        """
        \(directory): the network reads texts of width \(read.rows) and \(read.pooled) as a whole, and the text \
        encoders make \(given.rows) and \(given.pooled): they are another model's, or unet/config.json's \
        addition_time_embed_dim is not its own
        """
    }
}

/// Text encoders that do not read as many tokens as each other.
package struct UnevenTexts: Error, CustomStringConvertible {
    let directory: String
    let lengths: [Int]

    /// What lies in the folder, and that its parts do not belong together.
    package var description: String {
        """
        \(directory): its text encoders of CLIP read \(lengths.map(String.init).joined(separator: " and ")) tokens \
        (max_position_embeddings), where the network reads their rows beside each other: they are of two models
        """
    }
}

extension AutoencoderKL {
    /// Weights under today's names and shapes, from whichever source.
    static func renamed(_ source: Weights.Source) throws(CheckpointError) -> Weights.Source {
        switch source {
        case .checkpoint(let tensors): return .checkpoint(named(tensors))
        case .stored(let checkpoint): return .checkpoint(named(try checkpoint.realTensors()))
        case .fitting, .fresh, .planned: return source
        }
    }
}
