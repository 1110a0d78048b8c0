import Backbones
import Catalogue
import Foundation
import Layers
import LittleWorld

package let tinyDINO = DINOModel.Configuration(
    width: 24, feedForwardWidth: 48, layers: 1, heads: 2, pictureSize: 16, patchSize: 4)

/// A CLIP of Little World's words that has learnt nothing, with its weights.
package func tinyCLIP() throws -> (CLIPEncoder, Weights) {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try CLIPTokenizer.file(words: LittleWorld.vocabulary).write(to: URL(fileURLWithPath: path))
    let tokenizer = try CLIPTokenizer(path: path)
    let configuration = CLIPModel.Configuration(
        text: CLIPModel.Text(
            width: 24, feedForwardWidth: 48, layers: 1, heads: 2, vocabularySize: tokenizer.vocabularySize, length: 32,
            endID: Int(tokenizer.endID)),
        vision: CLIPModel.Vision(width: 24, feedForwardWidth: 48, layers: 1, heads: 2, pictureSize: 16, patchSize: 4),
        projectionWidth: 16)
    let weights = Weights(.fresh(seed: 4))
    return (CLIPEncoder(name: "tiny-clip", model: CLIPModel(configuration, weights), tokenizer: tokenizer), weights)
}

extension TinyModels {
    /// Writes both encoders beside the models, into folders of these names.
    package func writeEncoders(clip clipName: String = "tiny-clip", dino dinoName: String = "tiny-dino") throws {
        let (clip, clipWeights) = try tinyCLIP()
        let dinoWeights = Weights(.fresh(seed: 5))
        _ = DINOModel(tinyDINO, dinoWeights)
        try write(clip.model.configuration, named: clipName, ["model.safetensors": clipWeights])
        try write(tinyDINO, named: dinoName, ["model.safetensors": dinoWeights])
        try CLIPTokenizer.file(words: LittleWorld.vocabulary).write(
            to: URL(fileURLWithPath: "\(folder)/\(clipName)/tokenizer.json"))
        try ModelFolder.seal("\(folder)/\(clipName)")
    }
}
