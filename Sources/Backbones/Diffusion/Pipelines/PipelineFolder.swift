import Checkpoints
import Foundation
import Layers

/// A diffusion model's folder as diffusers lays it out: a folder for each component, with its settings and weights.
struct PipelineFolder {
    let path: String
    /// Which of several kinds of one component's files is read (`fp16`); the plain ones when nil.
    let variant: String?
    /// The author's single file, from which weights are read instead.
    let singleFile: [String: Weights.Source]?

    /// The class of each component, by its folder's name.
    let components: [String: String]

    init(_ path: String, variant: String?, singleFile: String?) throws {
        struct Index: Decodable {
            let components: [String: String]

            init(from decoder: any Decoder) throws {
                let all = try decoder.container(keyedBy: AnyKey.self)
                components = Dictionary(
                    uniqueKeysWithValues: all.allKeys.compactMap { key in
                        // Others are settings of the pipeline's own.
                        guard let pair = try? all.decode([String?].self, forKey: key), pair.count == 2,
                            let name = pair[1]
                        else { return nil }
                        return (key.stringValue, name)
                    })
            }
        }
        (self.path, self.variant) = (path, variant)
        components = try ConfigurationFile.read(Index.self, "\(path)/model_index.json").components
        self.singleFile = try singleFile.map { try SingleFile(path: $0).components }
    }

    /// A component's settings.
    func settings<Settings: Decodable>(
        _ type: Settings.Type, _ component: String, _ file: String = "config.json"
    )
        throws -> Settings
    {
        try ConfigurationFile.read(type, "\(path)/\(component)/\(file)")
    }

    /// A component's weights.
    /// - Throws: `CheckpointError`.
    func weights(_ component: String) throws -> Weights.Source {
        if let singleFile {
            guard let source = singleFile[component] else {
                throw CheckpointError(path: path, problem: "the single file has no \(component)")
            }
            return source
        }
        return .stored(try Checkpoint.open(place(component)))
    }

    /// What a model that was added says of itself; of a folder as it was downloaded nobody asks.
    var own: DiffusionSettings {
        get throws {
            let file = "\(path)/config.json"
            guard FileManager.default.fileExists(atPath: file) else {
                return DiffusionSettings(
                    name: (path as NSString).lastPathComponent, pictureSize: 1024, guidance: 5, steps: 50)
            }
            return try ConfigurationFile.read(DiffusionSettings.self, file)
        }
    }

    /// The component's file beside the folders, where the weights were brought together; or its folder, or the
    /// variant's file or index in it.
    private func place(_ component: String) -> String {
        let folder = "\(path)/\(component)"
        guard let variant else { return "\(folder).safetensors" }
        let stems = ["model", "diffusion_pytorch_model"]
        let names = stems.flatMap {
            [
                "\($0).\(variant).safetensors", "\($0).safetensors.index.\(variant).json",
                "\($0).\(variant).safetensors.index.json", "\($0).\(variant).bin",
            ]
        }
        return names.map { "\(folder)/\($0)" }.first { FileManager.default.fileExists(atPath: $0) } ?? folder
    }
}

/// Any key of an object.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
