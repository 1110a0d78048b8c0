import Backbones
import Foundation
import Jobs
import LittleWorld

/// Stable Diffusion XL in diffusers' layout, its variant in half precision: a folder for each component.
struct SDXLStandIn {
    let network: UNet.Configuration
    let autoencoder: AutoencoderKL.Configuration
    /// CLIP's two towers, the second with its projection.
    let towers: [CLIPModel.Text]

    /// stabilityai/stable-diffusion-xl-base-1.0.
    static let base = SDXLStandIn(
        network: .sdxl,
        autoencoder: AutoencoderKL.Configuration(
            channels: [128, 256, 512, 512], blocksPerLevel: 2, latentChannels: 4, scale: 0.13025),
        towers: [
            CLIPModel.Text(
                width: 768, feedForwardWidth: 3072, layers: 12, heads: 12, vocabularySize: 49_408, length: 77,
                endID: 2),
            CLIPModel.Text(
                width: 1280, feedForwardWidth: 5120, layers: 32, heads: 20, vocabularySize: 49_408, length: 77,
                endID: 2, activation: .gelu),
        ])

    func write(to folder: StandInFolder) throws {
        try folder.json("model_index.json", Self.index)
        try folder.json("scheduler/scheduler_config.json", Self.schedule)
        try folder.weights("unet/diffusion_pytorch_model.safetensors", .half) { UNet(network, $0) }
        try folder.json("unet/config.json", network)
        try folder.weights("vae/diffusion_pytorch_model.safetensors", .half) { AutoencoderKL(autoencoder, $0) }
        try folder.json("vae/config.json", autoencoder)
        for (suffix, tower) in zip(["", "_2"], towers) {
            let projection = suffix.isEmpty ? nil : tower.width
            try folder.weights("text_encoder\(suffix)/model.safetensors", .half) {
                CLIPTextEncoder(tower, projectionWidth: projection, $0)
            }
            try folder.json("text_encoder\(suffix)/config.json", TowerSettings(text: tower, projection: projection))
            try folder.data("tokenizer\(suffix)/tokenizer.json", CLIPTokenizer.file(words: LittleWorld.vocabulary))
        }
    }

    /// A tower's settings with the width of its projection beside them.
    private struct TowerSettings: Encodable {
        let text: CLIPModel.Text
        let projection: Int?
        private enum CodingKeys: String, CodingKey { case projection = "projection_dim" }

        func encode(to encoder: any Encoder) throws {
            try text.encode(to: encoder)
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encodeIfPresent(projection, forKey: .projection)
        }
    }

    private static let index: JSONValue = [
        "_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": true,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    ]

    private static let schedule: JSONValue = [
        "_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "interpolation_type": "linear", "num_train_timesteps": 1000,
        "prediction_type": "epsilon", "steps_offset": 1, "timestep_spacing": "leading", "use_karras_sigmas": false,
    ]
}
