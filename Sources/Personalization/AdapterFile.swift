import Checkpoints
import Foundation
import Layers
import Tensors

extension Adapter {
    /// Marks the files that are adapters, and their version.
    private static let format = "atelier.adapter.v1"

    /// Writes the adapter: tensors in half precision, the description as JSON in the metadata. Equal adapters give
    /// equal bytes.
    package func write(_ path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
        try Safetensors.write(
            tensors, to: path, precision: .half, metadata: ["format": Adapter.format, "description": text])
    }

    /// - Throws: `CheckpointError` for a damaged file, `AdapterError.notAnAdapter` for another safetensors file,
    ///   `AdapterError.notFinite` for one that holds values that are no numbers.
    package init(path: String) throws {
        let file = try Safetensors(path: path)
        guard file.metadata["format"] == Adapter.format, let text = file.metadata["description"] else {
            throw AdapterError.notAnAdapter(path: path, reason: "its metadata lacks format \(Adapter.format)")
        }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            throw AdapterError.notAnAdapter(path: path, reason: "its metadata's description cannot be read")
        }
        self.init(
            description: description,
            tensors: try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor($0)) }))
        if let bad = tensors.filter({ !$0.value.isFinite }).keys.min() {
            throw AdapterError.notFinite(concept: description.concept, name: bad)
        }
    }
}
