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
        /// Matrices and tables of tokens become whole numbers from −127 to 127 with a scale to each row, in a tensor
        /// `NAME_scale` beside them; all else is as stored.
        case int8
    }

    private let precision: Precision
    private let tensors: [RearrangedTensor]
    /// Those of a type that only its name is known of: without them the model would lack weights.
    private let unread: [StoredTensor]

    /// - Parameter isTaken: which tensors are written, by name; those that hold complex numbers never are, nor those
    ///   that repeat a few to more than are read.
    package init(_ checkpoint: Checkpoint, precision: Precision, isTaken: (String) -> Bool = { _ in true }) {
        let tensors = checkpoint.names.filter(isTaken).compactMap { name in
            (try? checkpoint.tensor(name)).map { RearrangedTensor(name, $0) }
        }
        self.init(tensors, precision: precision)
    }

    /// Tensors under names of their own; those that hold complex numbers are not written, nor those that repeat a few
    /// to more than are read.
    package init(_ tensors: [RearrangedTensor], precision: Precision) {
        self.precision = precision
        unread = tensors.flatMap(\.parts).filter { $0.type == nil }
        self.tensors = tensors.filter { $0.parts.allSatisfy { (try? $0.checkSize()) != nil } }
    }

    /// Writes the file and flushes it.
    /// - Throws: `CheckpointError` for tensors that cannot be read, or a file that cannot be written.
    package func write(_ path: String, metadata: [String: String] = ["format": "pt"]) throws {
        try checkTypes()
        do { try writeFile(path, metadata) } catch let error as CheckpointError { throw error } catch {
            // Of a full disk Foundation says neither the file nor that it is one.
            let problem = "it could not be written: \(error.localizedDescription)"
            throw CheckpointError(path: path, problem: problem, errorNumber: errorNumber(of: error))
        }
    }

    /// - Throws: `CheckpointError` with why the first tensor is not read, and which others are not.
    private func checkTypes() throws(CheckpointError) {
        guard let first = unread.first else { return }
        do throws(CheckpointError) { try first.checkSize() } catch {
            let others = Set(unread.map(\.name)).subtracting([first.name]).sorted()
            let named = others.isEmpty ? "" : "; nor are " + others.prefix(7).joined(separator: ", ")
            let more = others.count > 7 ? " and \(others.count - 7) more" : ""
            throw CheckpointError(path: error.path, problem: error.problem + named + more)
        }
    }

    private func writeFile(_ path: String, _ metadata: [String: String]) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: header(metadata))
        for tensor in tensors {
            let type = type(of: tensor)
            var scales: [Float] = []
            for part in tensor.parts {
                try file.write(contentsOf: type == .int8 ? quantized(part, &scales) : bytes(of: part, as: type))
            }
            try file.write(contentsOf: scales.withUnsafeBytes { Data($0) })
        }
        try file.synchronize()
    }

    private func type(of tensor: RearrangedTensor) -> ElementType {
        switch precision {
        case .stored: tensor.type == .bfloat16 ? .bfloat16 : .float32
        case .bf16: .bfloat16
        case .f32: .float32
        case .int8: tensor.isQuantizable ? .int8 : tensor.type == .bfloat16 ? .bfloat16 : .float32
        }
    }

    private func header(_ metadata: [String: String]) throws -> Data {
        var layout = SafetensorsLayout(metadata: metadata)
        for tensor in tensors {
            let type = type(of: tensor)
            layout.append(tensor.name, tensor.shape, type)
            guard type == .int8 else { continue }
            layout.append(tensor.name + StoredTensor.scaleSuffix, [tensor.shape[0], 1], .float32)
        }
        return try layout.header
    }

    private func bytes(of tensor: StoredTensor, as type: ElementType) throws -> Data {
        if tensor.type == type, let bytes = tensor.contiguousBytes { return Data(bytes) }
        let floats = try tensor.floats()
        if type == .float32 { return floats.withUnsafeBytes { Data($0) } }
        return floats.map(\.roundedToBFloat16).withUnsafeBytes { Data($0) }
    }
}

extension CheckpointConversion {
    /// Rows of whole numbers, the largest of each ±127; their scales are added to `scales`. A row whose scale would be
    /// no normal number, as of what weight decay has shrunk for long, becomes zeros.
    private func quantized(_ part: StoredTensor, _ scales: inout [Float]) throws -> Data {
        let values = try part.floats()
        guard values.allSatisfy(\.isFinite) else {
            throw part.problem("holds values that are no numbers, which have no place among whole ones")
        }
        let width = part.shape[1]
        var codes = Data(capacity: values.count)
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<start + width]
            let largest = row.reduce(0) { max($0, abs($1)) }
            let isNormal = (largest / 127).isNormal
            scales.append(isNormal ? largest / 127 : 0)
            let factor = isNormal ? 127 / largest : 0
            codes.append(contentsOf: row.map { UInt8(bitPattern: Int8(($0 * factor).rounded())) })
        }
        return codes
    }
}

extension RearrangedTensor {
    /// Whether it is a matrix that is multiplied with, or a table of tokens: other embeddings are few (what is read in
    /// a prompt's place among them), codes are told from each other by small differences, and small matrices are not
    /// worth it.
    fileprivate var isQuantizable: Bool {
        shape.count == 2 && shape.allSatisfy { $0 >= 64 } && parts.allSatisfy { $0.shape.count == 2 }
            && (isTableOfTokens || !["emb", "shared", "uncond"].contains { name.contains($0) })
    }

    /// T5's, Chameleon's, LlamaGen's or CLIP's, of which a few rows are read.
    private var isTableOfTokens: Bool {
        ["shared.weight", "embed_tokens.weight", "tok_embeddings.weight", "token_embedding.weight"].contains {
            name.hasSuffix($0)
        }
    }
}

extension StoredTensor {
    /// What the scales of a matrix in eight bits are called, after its own name.
    package static let scaleSuffix = "_scale"

    /// Whether it is a matrix that is multiplied with or a table of tokens, and so read as its file holds it. Codebooks
    /// and tables of places are taken for some too: they are small.
    package var isMatrix: Bool { shape.count == 2 }

    /// Whether it stays in its file: a matrix in bfloat16 or in eight bits. Of all else there is a copy, in floats.
    package var isMapped: Bool { isMatrix && (type == .bfloat16 || type == .int8) }
}

extension Float {
    /// The bits of the nearest bfloat16, of two as near the even one.
    package var roundedToBFloat16: UInt16 {
        isNaN ? UInt16(bitPattern >> 16) | 0x40 : UInt16((bitPattern &+ 0x7FFF &+ (bitPattern >> 16 & 1)) >> 16)
    }
}
