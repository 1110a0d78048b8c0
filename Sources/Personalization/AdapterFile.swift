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

    /// - Throws: `AdapterError.notAnAdapter` for a damaged file or another one, `AdapterError.notFinite` for one that
    ///   holds values that are no numbers.
    package init(path: String) throws {
        let (file, tensors) = try Adapter.contents(path)
        guard file.metadata["format"] == Adapter.format, let text = file.metadata["description"] else {
            throw AdapterError.notAnAdapter(path: path, reason: "its metadata lacks format \(Adapter.format)")
        }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            throw AdapterError.notAnAdapter(path: path, reason: "its metadata's description cannot be read")
        }
        self.init(description: description, tensors: tensors)
        if let bad = tensors.filter({ !$0.value.isFinite }).keys.min() {
            throw AdapterError.notFinite(concept: description.concept, name: bad)
        }
    }

    /// A file and its tensors; what it is instead, where it is none.
    private static func contents(_ path: String) throws(AdapterError) -> (Safetensors, [String: Tensor]) {
        do throws(CheckpointError) {
            let file = try Safetensors(path: path)
            var tensors: [String: Tensor] = [:]
            for name in file.names {
                tensors[name] = try file.tensor(name)
                try file.entry(name).forget()
            }
            return (file, tensors)
        } catch { throw .notAnAdapter(path: path, reason: error.problem) }
    }
}
