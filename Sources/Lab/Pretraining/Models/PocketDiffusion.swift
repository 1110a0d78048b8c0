import Backbones
import LittleWorld

/// The sizes of the embedded diffusion model: 64×64 pictures as 16×16 latents of 8 channels, 64 patches, painted in 25
/// steps.
package enum PocketDiffusion {
    /// Pictures that tell how large latents are.
    static let measured = 256

    /// - Parameters:
    ///   - vocabulary: ids of the text tokenizer.
    ///   - pictureSize: pixels on a side; 16×16 latents hold them whatever that is.
    package static func configuration(vocabulary: Int, pictureSize: Int = 64) -> DiffusionModel.Configuration {
        var configuration = DiffusionModel.Configuration(
            name: "pocket-diffusion", pictureSize: pictureSize,
            autoencoder: AutoencoderKL.Configuration(
                channels: [48, 96], blocksPerLevel: 1, groups: 1, latentChannels: 8, scale: 1,
                convolvesMoments: false, convolvesLatents: false, pixelBlock: pictureSize / 32),
            text: T5Encoder.Configuration(
                vocabularySize: vocabulary, width: 128, headWidth: 32, feedForwardWidth: 256, layers: 2, heads: 4),
            textLength: 32,
            transformer: MMDiT.Configuration(
                latentChannels: 8, patchSize: 2, depth: 4, heads: 8, headWidth: 32, textWidth: 128, pooledWidth: 128,
                positionSide: 8, normsHeads: true),
            guidance: 4, steps: 25, styledPrompt: LittleWorld.styledPrompt)
        // Changes that act on everything learn a subject's shape and leave it the colours of all others.
        configuration.training = [
            "lora": ["acts_on": "prompt"], "supervisor": ["supervisor_acts_on": "prompt"],
        ]
        return configuration
    }
}
