/// A latent diffusion model's work: its network at every step, its text encoders and its autoencoder once.
package struct DiffusionWork: BackboneWork {
    /// Who predicts.
    enum Network: Sendable {
        case unet(UNet.Configuration)
        case mmdit(MMDiT.Configuration)
        case flux(FluxTransformer.Configuration)
    }

    let network: Network
    let autoencoder: AutoencoderKL.Configuration
    /// What reads prompts, and whether it does so for what guidance leads away from too.
    var towers: [CLIPModel.Text] = []
    var words: T5Encoder.Configuration?
    /// Tokens of a text as the network sees it.
    let textLength: Int
    /// Tokens that T5 reads of a prompt; those it has unless given.
    var readLength: Int?
    let steps: Int
    var height, width: Int

    /// Twice the rows where guidance is computed, away from one text; a network that is told it computes every picture
    /// once.
    package func drawing(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work {
        let isGuided = sampling.isGuided && !isTold
        let texts = sampling.prompts(pictures) + (isGuided ? 1 : 0)
        let work: Work =
            Double(texts) * reading(1, tokens: tokens)
            + Double(sampling.steps ?? steps) * predicting(isGuided ? 2 * pictures : pictures, rank: 0)
            + decoding(pictures)
        return work.rounded(as: sampling.weights)
    }

    /// The network's alone: texts are read before, and once.
    package func pass(_ pictures: Int, prompt tokens: Int, rank: Int) -> Work {
        predicting(pictures, rank: rank)
    }

    /// CLIP's towers read their whole length, T5 what the family fills prompts up to.
    package func reading(_ prompts: Int, tokens: Int) -> Work {
        towers.reduce(words?.encoding(prompts, tokens: readLength ?? tokens) ?? Work()) { $0 + $1.encoding(prompts) }
    }

    /// The autoencoder's encoder, and one draw for every number of the latents.
    package func encoding(_ pictures: Int) -> Work {
        var work = autoencoder.work.encoding(pictures, height: height, width: width)
        work[.choices] += Double(pictures * latents * autoencoder.latentChannels)
        return work
    }

    /// Of the latents.
    package var encodedNumbers: Int { latents * autoencoder.latentChannels }

    /// Of all attention's projections, those of the text's stream among them.
    package var lowRankNumbers: Int {
        switch network {
        case .unet(let unet): unet.lowRankNumbers
        case .mmdit(let c): c.depth * 16 * c.width
        case .flux(let c): (c.depth * 16 + c.singleDepth * 6) * c.width
        }
    }

    /// Whether the network is told the guidance, and computes every picture once.
    private var isTold: Bool { if case .flux(let c) = network { c.isGuided } else { false } }

    private var latentHeight: Int { height / autoencoder.patchSize }
    private var latentWidth: Int { width / autoencoder.patchSize }
    private var latents: Int { latentHeight * latentWidth }

    private func decoding(_ pictures: Int) -> Work {
        autoencoder.work.decoding(pictures, height: height, width: width)
    }

    private func predicting(_ rows: Int, rank: Int) -> Work {
        switch network {
        case .unet(let c):
            c.predicting(rows, height: latentHeight, width: latentWidth, text: textLength, rank: rank)
        case .mmdit(let c): c.predicting(rows, latents: latents, text: textLength, rank: rank)
        case .flux(let c): c.predicting(rows, latents: latents, text: textLength, rank: rank)
        }
    }
}

extension DiffusionModel.Configuration {
    /// Pictures of another size than the usual one, where one is given.
    package func work(height: Int? = nil, width: Int? = nil) -> DiffusionWork {
        DiffusionWork(
            network: .mmdit(transformer), autoencoder: autoencoder, words: text, textLength: textLength, steps: steps,
            height: height ?? pictureSize, width: width ?? pictureSize)
    }
}

extension DiffusionWork {
    /// A released pipeline's, by its folder's settings alone.
    /// - Parameter size: of the pictures; the settings' own unless given.
    /// - Throws: ``UnknownPipeline``, or an error naming the file that is missing or malformed.
    package init(pipeline directory: String, size: (height: Int, width: Int)? = nil) throws {
        let folder = try PipelineFolder(directory, variant: nil, singleFile: nil)
        let own = try folder.own
        func tower(_ suffix: String) throws -> CLIPModel.Text {
            try folder.settings(CLIPModel.Text.self, "text_encoder" + suffix)
        }
        func t5(_ suffix: String) throws -> T5Encoder.Configuration {
            try folder.settings(T5Encoder.Configuration.self, "text_encoder" + suffix)
        }
        let (network, towers, words, kind): (Network, [CLIPModel.Text], T5Encoder.Configuration?, PipelinePrompts.Kind)
        switch (folder.components["unet"], folder.components["transformer"]) {
        case ("UNet2DConditionModel", _):
            network = .unet(try folder.settings(UNet.Configuration.self, "unet"))
            (towers, words, kind) = ([try tower(""), try tower("_2")], nil, .sdxl)
        case (_, "SD3Transformer2DModel"):
            network = .mmdit(try folder.settings(MMDiT.Configuration.self, "transformer"))
            (towers, words, kind) = ([try tower(""), try tower("_2")], try t5("_3"), .sd3)
        case (_, "FluxTransformer2DModel"):
            let flux = try folder.settings(FluxTransformer.Configuration.self, "transformer")
            network = .flux(flux)
            (towers, words, kind) = ([try tower("")], try t5("_2"), .flux(words: flux.textLength))
        default: throw UnknownPipeline(directory: directory)
        }
        let clip = kind.readsWordsAlone ? 0 : towers[0].length
        self.init(
            network: network, autoencoder: try folder.settings(AutoencoderKL.Configuration.self, "vae"),
            towers: towers, words: words, textLength: clip + (kind.wordLength ?? 0),
            readLength: kind.wordLength, steps: own.steps, height: size?.height ?? own.pictureSize,
            width: size?.width ?? own.pictureSize)
    }
}
