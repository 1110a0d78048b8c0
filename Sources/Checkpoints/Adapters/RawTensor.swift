import Foundation

/// A tensor's bytes under a name, to be written as they are.
package struct RawTensor {
    let name: String
    private let type: ElementType
    private let shape: [Int]
    private var bytes: Data

    /// A stored one under another name; in single precision where its numbers do not follow each other in the file.
    /// - Throws: `CheckpointError` where these cannot be read.
    package init(_ name: String, _ stored: StoredTensor) throws(CheckpointError) {
        (self.name, shape) = (name, stored.shape)
        if let type = stored.type, let bytes = stored.contiguousBytes {
            (self.type, self.bytes) = (type, Data(bytes))
        } else {
            let floats = try stored.floats()
            (type, bytes) = (.float32, floats.withUnsafeBytes { Data($0) })
        }
    }

    /// What a change's `up` is in its weight's own order of rows.
    /// - Throws: as for a stored one.
    package init(_ name: String, upOf change: NamedChanges.Change) throws(CheckpointError) {
        try self.init(name, change.up)
        if change.isSwapped { bytes = bytes.suffix(bytes.count / 2) + bytes.prefix(bytes.count / 2) }
    }

    /// A single number.
    package init(_ name: String, number: Float) { self.init(name, [number], shape: []) }

    /// Numbers in the order of a shape.
    init(_ name: String, _ numbers: [Float], shape: [Int]) {
        self.name = name
        (type, self.shape) = (.float32, shape)
        bytes = numbers.withUnsafeBytes { Data($0) }
    }

    /// Writes a safetensors file, the tensors in order of their names: equal ones give equal bytes.
    /// - Throws: what the file system says.
    package static func write(_ tensors: [RawTensor], to path: String, metadata: [String: String]) throws {
        var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
        var (contents, offset) = (Data(), 0)
        for tensor in tensors.sorted(by: { $0.name < $1.name }) {
            header[tensor.name] = [
                "dtype": tensor.type.rawValue, "shape": tensor.shape,
                "data_offsets": [offset, offset + tensor.bytes.count],
            ]
            offset += tensor.bytes.count
            contents.append(tensor.bytes)
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
        let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        try (length + json + contents).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
