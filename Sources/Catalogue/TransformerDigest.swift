import Checkpoints
import Foundation
import Hashing

extension ModelFolder {
    /// Whether a folder holds a diffusion model of several text encoders, as diffusers lays it out.
    package static func isPipeline(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(PipelineRelease.index)")
    }

    /// Where the weights that adapters change are: those of the transformer, or of the U-Net.
    package static func network(in folder: String) -> String { "\(folder)/\(networkName(in: folder)).safetensors" }

    /// What the network that draws is called: `unet` or `transformer`.
    static func networkName(in folder: String) -> String { has("unet", in: folder) ? "unet" : "transformer" }

    /// Where a diffusion model's text encoders are, by what diffusers calls them; none of other models.
    static func textEncoders(in folder: String) -> [String: String] {
        guard isPipeline(folder) else { return [:] }
        let names = NamedChanges.components.filter { $0.hasPrefix("text_encoder") && has($0, in: folder) }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, "\(folder)/\($0).safetensors") })
    }

    /// Whose network the diffusion model of several text encoders in a folder has; nil where there is no such model.
    package static func networkForm(in folder: String) -> NetworkForm? {
        guard isPipeline(folder), let weights = try? Checkpoint.open(network(in: folder)) else { return nil }
        return NetworkForm(weights: weights.names)
    }

    private static func has(_ component: String, in folder: String) -> Bool {
        ["\(component).safetensors", component].contains {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)")
        }
    }

    /// What adapters are held against: the SHA-256 of a model's transformer, without reading more than its files. Of
    /// shards, that of a line for each, as `sha256sum` writes them.
    /// - Throws: `CheckpointError` where there is none, or what the file system says.
    package static func transformerDigest(in folder: String) throws -> String {
        let files = try Checkpoint.files(at: network(in: folder))
        guard files.count > 1 else { return try SHA256Digest.ofFile(files[0]).description }
        let lines = try files.map { "\(try SHA256Digest.ofFile($0))  \(($0 as NSString).lastPathComponent)\n" }
        return SHA256Digest.of(Data(lines.joined().utf8)).description
    }
}
