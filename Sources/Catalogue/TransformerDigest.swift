import Checkpoints
import Foundation
import Hashing

extension ModelFolder {
    /// What adapters are held against: the SHA-256 of a model's transformer, without reading more than its files. Of
    /// shards, that of a line for each, as `sha256sum` writes them.
    /// - Throws: `CheckpointError` where there is none, or what the file system says.
    package static func transformerDigest(in folder: String) throws -> String {
        let files = try Checkpoint.files(at: "\(folder)/transformer.safetensors")
        guard files.count > 1 else { return try SHA256Digest.ofFile(files[0]).description }
        let lines = try files.map { "\(try SHA256Digest.ofFile($0))  \(($0 as NSString).lastPathComponent)\n" }
        return SHA256Digest.of(Data(lines.joined().utf8)).description
    }
}
