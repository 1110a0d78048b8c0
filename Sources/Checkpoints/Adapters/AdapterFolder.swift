import Foundation

/// What of an adapter lies in a folder.
struct AdapterFolder {
    private let path: String
    /// The networks that have an adapter each in a folder called like it; none at a file's path.
    let components: [String]

    init(_ path: String) {
        self.path = path
        components = NamedChanges.components.filter { Self.holdsAdapter("\(path)/\($0)") }
    }

    /// What PEFT and diffusers call the files of an adapter.
    private static let files = [
        "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin", "pytorch_lora_weights.safetensors",
        "pytorch_lora_weights.bin",
    ]

    private static func holdsAdapter(_ folder: String) -> Bool {
        files.contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }

    /// How the embeddings are called that diffusers' and Replicate's scripts learn with the changes.
    private static let embeddings = ["_emb.safetensors", "embeddings.safetensors", "embeddings.pti"]

    /// What belongs to the changes and would be left out of them; nil where nothing does.
    var problem: String? {
        if !components.isEmpty, Self.holdsAdapter(path) {
            let others = components.joined(separator: ", ")
            return "the folder holds an adapter itself and others in \(others): move away what is not meant"
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        return names.first { name in Self.embeddings.contains { name.hasSuffix($0) } }.map {
            "\($0): an embedding beside the changes is not built; name their file to have them without it"
        }
    }
}
