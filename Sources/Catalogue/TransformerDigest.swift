import Checkpoints
import Foundation
import Hashing

extension ModelFolder {
    /// Whether a folder holds a diffusion model of several text encoders, as diffusers lays it out.
    package static func isPipeline(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(PipelineRelease.index)")
    }

    /// Where the weights that adapters change are: those of the transformer, or of the U-Net.
    package static func network(in folder: String) -> String {
        let isUNet = ["unet.safetensors", "unet"].contains {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)")
        }
        return "\(folder)/\(isUNet ? "unet" : "transformer").safetensors"
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
