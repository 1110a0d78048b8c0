import Autograd
import Backbones
import Checkpoints
import Foundation
import Images
import Jobs
import Tensors

/// SDXL, SD3, SD3.5 and FLUX as diffusers lays them out: prompts, one prediction, sampling, the picture, and the
/// autoencoder's encoder; SDXL in half precision and as its authors' single file besides.
struct PipelineConformance {
    private let release: ReleaseCase
    private let model: DiffusionPipeline
    /// The model's own, with the recorded length of T5's text, which in diffusers the caller chooses.
    private let encoders: PipelinePrompts

    init(_ release: ReleaseCase) throws {
        self.release = release
        model = try DiffusionPipeline(directory: release.folder)
        model.freeze()
        var encoders = model.prompts
        if let last = release.recorded.names.last(where: { $0.hasPrefix("ids.") }) {
            encoders.length = try release.recorded.entry(last).shape.last ?? encoders.length
        }
        self.encoders = encoders
    }

    func run() throws {
        let text = try prompts()
        try prediction(text)
        try sampling(text)
        let mean = model.autoencoder.encode(Variable(.pictures([try release.picture("enc.image_u8")]))).mean.value
        try release.compare("enc.mean", mean)
        if release.has("fp16.unet_out") { try halfPrecision() }
    }

    private func prompts() throws -> (text: DiffusionText, negative: DiffusionText?) {
        let prompt = try release.text("prompt")
        for (index, ids) in encoders.ids(prompt).enumerated() {
            try release.compareExactly("ids.\(index)", ids.map(Int.init))
        }
        let text = encoders([prompt])
        try release.compare("prompt_embeds", text.tokens.value)
        try release.compare("pooled", text.pooled.value)
        let words = release.description["negative_prompt"]?.string
        guard words != nil || release.has("negative_prompt_embeds") else { return (text, nil) }
        // diffusers reads an empty one that is given; where none is, it takes what the folder says.
        let negative = words.map { encoders([$0]) } ?? encoders.negative([""])
        try release.compare("negative_prompt_embeds", negative.tokens.value)
        try release.compare("negative_pooled", negative.pooled.value)
        return (text, negative)
    }

    private func predicted(
        by model: DiffusionPipeline, _ noise: Tensor, _ text: DiffusionText
    ) throws -> Tensor {
        let guidance = try guidance()
        return Recording.withoutGradients {
            model.predicted(
                Variable(noise), timesteps: [release.timestep(of: release)], text: text, guidance: guidance
            ).value
        }
    }

    private func guidance() throws -> Float { Float(try release.number("guidance_scale")) }

    private func prediction(_ text: (text: DiffusionText, negative: DiffusionText?)) throws {
        let noise = try release.tensor("noise")
        let output = try predicted(by: model, noise, text.text)
        if release.has("time_ids") {
            // Height and width of the picture; what stands between is no crop.
            let sizes = try release.tensor("time_ids").values
            let size = [try release.number("height"), try release.number("width")].map(Float.init)
            release.compareSaid("time_ids", size + [0, 0] + size, sizes)
            try release.compare("unet_out", output)
        } else {
            try release.compare("transformer_out", release.packed(output))
        }
        guard release.has("packed_noise") else { return }
        try release.compare("packed_noise", release.packed(noise))
        let (rows, columns) = (noise.shape[2] / 2, noise.shape[3] / 2)
        let places = FluxTransformer.places(text: 0, rows: rows, columns: columns)
        try release.compare("img_ids", Tensor(places.flatMap { $0 }, shape: [places.count, 3]))
    }

    private func sampling(_ text: (text: DiffusionText, negative: DiffusionText?)) throws {
        let noise = try release.tensor("noise")
        let steps = Int(try release.number("steps"))
        let sampler = model.sampler(steps: steps, latents: noise.shape)
        try release.compare("timesteps", Tensor(sampler.timesteps, shape: [steps]))
        let sigmas = (sampler as? FlowEuler)?.sigmas ?? (sampler as? NoiseEuler)?.sigmas ?? []
        try release.compare("sigmas", Tensor(sigmas, shape: [sigmas.count]))
        var states: [Tensor] = []
        let latents = model.latents(
            text.text, awayFrom: text.negative, guidance: try guidance(), steps: steps, from: noise
        ) { states.append($1) }
        for (index, state) in states.enumerated() { try release.compare("latents.\(index)", release.packed(state)) }
        let decoded = model.decoded(latents)
        try release.compare("decoded", decoded)
        try release.comparePicture("picture", decoded.pictures()[0])
    }

    /// The variant's files, and the authors' file where it is there, which holds the same numbers.
    private func halfPrecision() throws {
        let files = Checkpoint.candidates(in: release.folder).filter { !$0.hasSuffix("expected.safetensors") }
        var models = [("fp16 files", try DiffusionPipeline(directory: release.folder, variant: "fp16"))]
        if let single = files.first {
            models.append(("single file", try DiffusionPipeline(directory: release.folder, singleFile: single)))
        } else {
            release.skip("single file: there is none")
        }
        for (name, model) in models {
            let text = model.prompts([try release.text("prompt")])
            try release.compare("fp16.prompt_embeds", text.tokens.value, called: "\(name): fp16.prompt_embeds")
            try release.compare("fp16.pooled", text.pooled.value, called: "\(name): fp16.pooled")
            let output = try predicted(by: model, try release.tensor("noise"), text)
            try release.compare("fp16.unet_out", output, called: "\(name): fp16.unet_out")
        }
    }
}
