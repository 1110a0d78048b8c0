/// Tokens of a prompt that T5 reads for a diffusion model, its end mark among them, as the model's authors have it.
package enum PromptLength {
    /// Of Stable Diffusion 3 and 3.5.
    package static let sd3 = 256

    /// Of FLUX.1: schnell, whose network is told no guidance, has half as many as dev (black-forest-labs/flux
    /// src/flux/cli.py).
    package static func flux(isGuided: Bool) -> Int { isGuided ? 512 : 256 }
}
