import Backbones
import Checkpoints
import Foundation
import Jobs
import Layers
import LittleWorld

/// A released model at its full size with random weights, in the containers and under the names in which it is
/// released: what time and memory are measured on where nobody can download it. `models add` takes it as it takes the
/// release.
package enum StandIn: String, CaseIterable, Sendable {
    case infinity125M = "infinity-125m"
    case infinity2B = "infinity-2b"
    case llamaGenXL = "llamagen-xl"
    case lumina7B = "lumina-7b"
    case sdxl

    /// What its weights are stored in.
    package enum Precision: String, CaseIterable, Sendable {
        /// In what the release has them: floats, but Lumina-mGPT's in bfloat16 and SDXL's in float16.
        case released
        /// In bfloat16, for half the disk where the release has floats.
        case bf16
    }

    /// Writes the release into a folder of its own.
    /// - Throws: what the file system says.
    package func write(to folder: String, precision: Precision = .released) throws {
        let folder = try StandInFolder(folder, precision)
        switch self {
        case .infinity125M: try InfinityStandIn.layer12.write(to: folder)
        case .infinity2B: try InfinityStandIn.large.write(to: folder)
        case .llamaGenXL: try LlamaGenStandIn.xl.write(to: folder)
        case .lumina7B: try LuminaStandIn.large.write(to: folder)
        case .sdxl: try SDXLStandIn.base.write(to: folder)
        }
    }
}

/// A folder in which a stand-in's files are written.
struct StandInFolder {
    private let path: String
    private let precision: StandIn.Precision
    private let random = RandomWeights()

    /// - Throws: what the file system says.
    init(_ path: String, _ precision: StandIn.Precision = .released) throws {
        (self.path, self.precision) = (path, precision)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The weights a model asks for, in the release's precision and container unless another precision is wanted.
    func weights<Model>(
        _ name: String, _ released: Safetensors.Precision, in container: ReleaseContainer = .safetensors,
        _ model: (Weights) throws -> Model
    ) throws {
        let planned = Weights(.planned)
        _ = try model(planned)
        let precision = self.precision == .bf16 ? .bfloat16 : released
        try container.write(
            random.weights(planned), as: precision, to: place(precision == .half ? Self.variant(name) : name))
    }

    /// What diffusers call a file in half precision.
    private static func variant(_ name: String) -> String {
        name.replacingOccurrences(of: ".safetensors", with: ".fp16.safetensors")
    }

    func json(_ name: String, _ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try data(name, encoder.encode(value))
    }

    func data(_ name: String, _ contents: Data) throws { try contents.write(to: URL(fileURLWithPath: place(name))) }

    /// T5's folder: its encoder, settings, and a vocabulary of the picture world's words.
    func t5(_ name: String, _ configuration: T5Encoder.Configuration) throws {
        try weights("\(name)/model.safetensors", .single, in: .shards(2)) { T5Encoder(configuration, $0) }
        try json("\(name)/config.json", settings(configuration))
        try data("\(name)/tokenizer.json", UnigramTokenizer.file(words: LittleWorld.vocabulary))
    }

    /// transformers' names.
    private func settings(_ t5: T5Encoder.Configuration) -> JSONValue {
        [
            "model_type": "t5", "vocab_size": .integer(t5.vocabularySize), "d_model": .integer(t5.width),
            "d_kv": .integer(t5.headWidth), "d_ff": .integer(t5.feedForwardWidth), "num_layers": .integer(t5.layers),
            "num_heads": .integer(t5.heads), "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 0.000001,
            "relative_attention_num_buckets": .integer(t5.buckets),
            "relative_attention_max_distance": .integer(t5.maximumDistance),
        ]
    }

    private func place(_ name: String) throws -> String {
        let place = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        return place
    }
}
