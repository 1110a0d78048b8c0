import Checkpoints
import Foundation
import Jobs
import Layers
import Tensors

extension Adapter {
    /// Marks the files that are adapters, and their version.
    private static let format = "atelier.adapter.v1"

    /// Writes the adapter: tensors in half precision, or in single precision where half has no such numbers; the
    /// description as JSON in the metadata. Equal adapters give equal bytes.
    package func write(_ path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
        let tensors = self.tensors
        let isHalf = tensors.values.allSatisfy { Float16($0.maximumMagnitude).isFinite }
        try Safetensors.write(
            tensors, to: path, precision: isHalf ? .half : .single,
            metadata: ["format": Adapter.format, "description": text])
    }

    /// Reads a file. What ARBooth learnt stays in it until it takes the place of the model's weights: as floats beside
    /// them it would take as much memory as they do.
    /// - Throws: `AdapterError.notAnAdapter` for a damaged file or another one, `AdapterError.notFinite` for one that
    ///   holds values that are no numbers.
    package init(path: String) throws {
        do { try self.init(Safetensors(path: path)) } catch let error as CheckpointError {
            throw AdapterError.notAnAdapter(path: path, reason: error.problem)
        }
    }

    private init(_ file: Safetensors) throws {
        func other(_ reason: String) -> AdapterError { .notAnAdapter(path: file.path, reason: reason) }
        guard file.metadata["format"] == Adapter.format, let text = file.metadata["description"] else {
            throw other(
                """
                its metadata lacks format \(Adapter.format); of PEFT's, diffusers' and kohya's atelierctl concepts \
                import makes one
                """)
        }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            throw other(Adapter.unreadable(text))
        }
        let isARBooth = description.method == .arbooth
        var held: [String: HeldTensor] = [:]
        for name in file.names {
            let stored = try file.entry(name)
            let tensor = try stored.tensor()
            stored.forget()
            guard tensor.isFinite else { throw AdapterError.notFinite(concept: description.concept, name: name) }
            held[name] = isARBooth && Adapter.replaces(name) ? .file(stored) : .memory(tensor)
        }
        self.init(description: description, held: held)
    }

    /// Why a description cannot be read: a later version may know more methods.
    private static func unreadable(_ description: String) -> String {
        let method = (try? JSONValue(json: Data(description.utf8)))?["method"]?.string
        guard let method, PersonalizationMethod(rawValue: method) == nil else {
            return "its metadata's description cannot be read"
        }
        let known = PersonalizationMethod.allCases.map(\.rawValue).joined(separator: ", ")
        return "its method is \(method); known are \(known)"
    }
}
