import Foundation
import Hashing

/// Everything in a model's folder that what it draws depends on.
enum ModelParts {
    /// Of the names and bytes of its weights, settings and tokenizers; of a folder that is not there, nothing's.
    static func digest(directory: String) throws -> String {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter {
            $0.hasSuffix(".safetensors") || $0.hasSuffix(".json")
        }
        let lines = try names.sorted().map { "\(try SHA256Digest.ofFile("\(directory)/\($0)"))  \($0)\n" }
        return SHA256Digest.of(Data(lines.joined().utf8)).description
    }
}
