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

    private let precision: Precision
    private let tensors: [RearrangedTensor]

    /// - Parameter isTaken: which tensors are written, by name; those that hold no real numbers never are.
    package init(_ checkpoint: Checkpoint, precision: Precision, isTaken: (String) -> Bool = { _ in true }) {
        let tensors = checkpoint.names.filter(isTaken).compactMap { name in
            (try? checkpoint.tensor(name)).map { RearrangedTensor(name, $0) }
        }
        self.init(tensors, precision: precision)
    }

    /// Tensors under names of their own; those that hold no real numbers are not written.
    package init(_ tensors: [RearrangedTensor], precision: Precision) {
        self.precision = precision
        self.tensors = tensors.filter { $0.parts.allSatisfy { $0.type?.isReal == true } }
    }

    /// Writes the file and flushes it.
    /// - Throws: `CheckpointError` for a tensor that cannot be read, or what the file system says.
    package func write(_ path: String, metadata: [String: String] = ["format": "pt"]) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: header(metadata))
        for tensor in tensors {
            for part in tensor.parts { try file.write(contentsOf: bytes(of: part, as: type(of: tensor))) }
        }
        try file.synchronize()
    }

    private func type(of tensor: RearrangedTensor) -> ElementType {
        switch precision {
        case .stored: tensor.type == .bfloat16 ? .bfloat16 : .float32
        case .bf16: .bfloat16
        case .f32: .float32
        }
    }

    private func header(_ metadata: [String: String]) throws -> Data {
        var layout = SafetensorsLayout(metadata: metadata)
        for tensor in tensors { layout.append(tensor.name, tensor.shape, type(of: tensor)) }
        return try layout.header
    }

    private func bytes(of tensor: StoredTensor, as type: ElementType) throws -> Data {
        if tensor.type == type, let bytes = tensor.contiguousBytes { return Data(bytes) }
        let floats = try tensor.floats()
        if type == .float32 { return floats.withUnsafeBytes { Data($0) } }
        return floats.map(\.roundedToBFloat16).withUnsafeBytes { Data($0) }
    }
}

extension Float {
    /// The bits of the nearest bfloat16, of two as near the even one.
    package var roundedToBFloat16: UInt16 {
        isNaN ? UInt16(bitPattern >> 16) | 0x40 : UInt16((bitPattern &+ 0x7FFF &+ (bitPattern >> 16 & 1)) >> 16)
    }
}
