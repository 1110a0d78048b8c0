import Foundation
import Images
import Jobs
import Personalization
import Randomness

/// Pictures of what is learnt so far: one every so many steps, of one prompt and one seed, so that they compare.
/// Drawing them changes nothing that a later step reads.
struct TrainingPreviews {
    let every: Int
    let prompt: String
    let concept: Concept
    let seed: UInt64
    let loaded: LoadedModel
    let order: EngineOrder
    let connection: EngineConnection

    /// Draws one where one is due: not at the end, where samples are drawn.
    func draw(_ training: any ConceptTraining) throws {
        guard training.step % every == 0, training.step < training.steps else { return }
        let adapter = try training.adapter(modelDigest: loaded.digest)
        // Low-rank changes hang on the model while they are learnt: they are not to be added once more.
        let painter = try ConceptPainter(
            loaded, adapters: [concept.name: adapter], strengths: adapter.isLoRA ? [concept.name: 0] : [:])
        let seeds = Philox.seeds(seed, purpose: 0x9E, 0..<1)
        guard let picture = painter.paint([prompt], seeds).first else { return }
        let path = "\(order.workspace)/preview-\(String(format: "%05d", training.step)).png"
        try picture.writePNG(path)
        try connection.sendArtifact(
            role: .preview, path: path, mediaType: "image/png", prompt: prompt, seed: seeds[0])
    }
}
