import Foundation
import Glibc

/// A checkpoint of any container as one safetensors file, tensor by tensor: memory is needed for one at a time.
package struct CheckpointConversion {
    /// What floats become; whole numbers stay as they are.
    package enum Precision: String, Sendable, CaseIterable {
        /// bf16 stays bf16, all else becomes f32: nothing is lost but what f64 has more.
        case stored
        case bf16
        case f32
    }

    private let checkpoint: Checkpoint
    private let precision: Precision
    private let names: [String]

    /// - Parameter isTaken: which tensors are written, by name; those that hold no real numbers never are.
    package init(_ checkpoint: Checkpoint, precision: Precision, isTaken: (String) -> Bool = { _ in true }) {
        (self.checkpoint, self.precision) = (checkpoint, precision)
        names = checkpoint.names.filter { isTaken($0) && (try? checkpoint.tensor($0))?.type?.isReal == true }
    }

    /// Writes the file and flushes it.
    /// - Throws: `CheckpointError` for a tensor that cannot be read, or what the file system says.
    package func write(_ path: String) throws {
        let tensors = try names.map { try checkpoint.tensor($0) }
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: header(tensors))
        for tensor in tensors { try file.write(contentsOf: bytes(of: tensor)) }
        try file.synchronize()
    }

    private func type(of tensor: StoredTensor) -> ElementType {
        switch precision {
        case .stored: tensor.type == .bfloat16 ? .bfloat16 : .float32
        case .bf16: .bfloat16
        case .f32: .float32
        }
    }

    private func header(_ tensors: [StoredTensor]) throws -> Data {
        var entries: [String: Any] = ["__metadata__": ["format": "pt"]]
        var offset = 0
        for (name, tensor) in zip(names, tensors) {
            let type = type(of: tensor)
            let end = offset + tensor.count * type.size
            entries[name] = ["dtype": type.rawValue, "shape": tensor.shape, "data_offsets": [offset, end]]
            offset = end
        }
        var json = try JSONSerialization.data(withJSONObject: entries, options: [.sortedKeys, .withoutEscapingSlashes])
        json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
    }

    private func bytes(of tensor: StoredTensor) throws -> Data {
        let type = type(of: tensor)
        if tensor.type == type, let bytes = tensor.contiguousBytes { return Data(bytes) }
        let floats = try tensor.floats()
        if type == .float32 { return floats.withUnsafeBytes { Data($0) } }
        return floats.map(Self.rounded).withUnsafeBytes { Data($0) }
    }

    /// The nearest bfloat16, ties to even.
    private static func rounded(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}
