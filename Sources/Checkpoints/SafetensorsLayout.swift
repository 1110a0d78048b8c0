import Foundation

/// Where tensors lie in a safetensors file that is written.
package struct SafetensorsLayout {
    private var entries: [String: Any] = [:]
    /// Bytes of all tensors so far.
    package private(set) var bytes = 0

    /// - Parameter metadata: the file's own notes.
    package init(metadata: [String: String]) {
        if !metadata.isEmpty { entries["__metadata__"] = metadata }
    }

    /// The next tensor in the file.
    package mutating func append(_ name: String, _ shape: [Int], _ type: ElementType) {
        let end = bytes + shape.reduce(1, *) * type.size
        entries[name] = ["dtype": type.rawValue, "shape": shape, "data_offsets": [bytes, end]]
        bytes = end
    }

    /// What stands before the numbers: the header's length, and the header, filled up to a multiple of 8 bytes with
    /// blanks.
    package var header: Data {
        get throws {
            let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
            var json = try JSONSerialization.data(withJSONObject: entries, options: options)
            json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
            return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
        }
    }
}
