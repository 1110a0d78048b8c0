import Foundation

/// A safetensors file, mapped into memory: an 8-byte little-endian header length, a JSON header, and the tensors' bytes
/// (github.com/huggingface/safetensors, format 0.4). Everything the header claims is checked before anything is read
/// through it.
///
/// The tensors' bytes follow each other without holes and end with the file, as the reference implementation wants it:
/// bytes that belong to no tensor are a broken writer's, a wrong download's, or hidden on purpose.
package final class Safetensors: Sendable {
    /// The longest header accepted, as in the reference implementation.
    static let longestHeader = 100_000_000
    /// Of the file.
    package let path: String
    /// By name.
    package let entries: [String: StoredTensor]
    /// `__metadata__`; empty where the file has none.
    package let metadata: [String: String]
    /// How long the file is, in bytes.
    package let size: Int

    /// Opens a file.
    /// - Throws: `CheckpointError`.
    package convenience init(path: String) throws(CheckpointError) { try self.init(file: MappedFile(path: path)) }

    init(file: MappedFile) throws(CheckpointError) {
        path = file.path
        size = file.bytes.count
        (entries, metadata) = try SafetensorsHeader(file: file).parse()
    }

    /// The tensors' names, sorted.
    package var names: [String] { entries.keys.sorted() }

    /// The tensor of a name.
    /// - Throws: `CheckpointError` with some of the names there are.
    package func entry(_ name: String) throws(CheckpointError) -> StoredTensor {
        guard let entry = entries[name] else { throw .noTensor(name, of: names, path: path) }
        return entry
    }
}

extension CheckpointError {
    /// That a tensor is not among `names`.
    static func noTensor(_ name: String, of names: [String], path: String) -> CheckpointError {
        let near = names.prefix(5).joined(separator: ", ")
        return CheckpointError(
            path: path, problem: "there is no tensor named \(name) (it has \(names.count): \(near), …)")
    }
}

/// The JSON header: parsed, and held against the file's length.
private struct SafetensorsHeader {
    let file: MappedFile

    private func problem(_ text: String) -> CheckpointError { CheckpointError(path: file.path, problem: text) }

    func parse() throws(CheckpointError) -> ([String: StoredTensor], [String: String]) {
        let start = try headerEnd()
        let header = try object(UnsafeRawBufferPointer(rebasing: file.bytes[8..<start]))
        guard let metadata = (header["__metadata__"] ?? [String: String]()) as? [String: String] else {
            throw problem("__metadata__ must be an object of strings")
        }
        var entries: [String: StoredTensor] = [:]
        let data = MappedBytes(file: file, range: start..<file.bytes.count)
        for (name, value) in header where name != "__metadata__" { entries[name] = try entry(name, value, in: data) }
        try refuseOverlapsAndHoles(entries.values, in: data)
        return (entries, metadata)
    }

    /// Where the header ends and the data begin.
    private func headerEnd() throws(CheckpointError) -> Int {
        switch FileKind(of: file.bytes) {
        case .foreign(let what): throw problem(what)
        case .zip:
            throw problem("it is a zip archive, as PyTorch writes it, not a safetensors file: name it .pth")
        case .pickle: throw problem("it is a pickle, as PyTorch writes it, not a safetensors file: name it .pth")
        case .safetensors, .json, .unknown: break
        }
        let bytes = file.bytes
        guard bytes.count >= 8 else {
            throw problem("\(bytes.count) bytes are too few; a safetensors file starts with an 8-byte header length")
        }
        let length = bytes.loadUnaligned(as: UInt64.self)
        guard length <= Safetensors.longestHeader, length <= bytes.count - 8 else {
            throw problem(
                "its header claims \(length) bytes; the file has \(bytes.count - 8) after the length, and at most "
                    + "\(Safetensors.longestHeader) are allowed: it is cut short or no safetensors file")
        }
        return 8 + Int(length)
    }

    private func object(_ json: UnsafeRawBufferPointer) throws(CheckpointError) -> [String: Any] {
        // A brace first and no zeros: Foundation's parser takes other encodings than UTF-8 too.
        guard json.first == UInt8(ascii: "{"), !json.contains(0),
            let object = try? JSONSerialization.jsonObject(with: Data(json)), let header = object as? [String: Any]
        else { throw problem("its header is not a JSON object") }
        if let key = repeatedKey(in: json) { throw problem("its header gives \(key) twice") }
        return header
    }

    private func entry(_ name: String, _ value: Any, in data: MappedBytes) throws(CheckpointError) -> StoredTensor {
        guard let object = value as? [String: Any], let typeName = object["dtype"] as? String,
            let shape = object["shape"] as? [Int], let offsets = object["data_offsets"] as? [Int], offsets.count == 2
        else { throw problem("\(name): dtype, shape and two data_offsets are needed") }
        guard shape.allSatisfy({ $0 >= 0 }), !Self.overflows(shape) else {
            throw problem("\(name): shape \(shape) is impossible")
        }
        guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= data.count else {
            throw problem(
                "\(name): data_offsets \(offsets) lie outside the \(data.count) bytes of data: the file is cut short "
                    + "or damaged")
        }
        // A type of another name may be of any size; that is for who asks for the tensor.
        let type = ElementType(rawValue: typeName)
        let bytes = offsets[1] - offsets[0]
        if let type, shape.reduce(type.size, *) != bytes {
            throw problem(
                "\(name): shape \(shape) of \(typeName) needs \(shape.reduce(type.size, *)) bytes, data_offsets hold "
                    + "\(bytes)")
        }
        return StoredTensor(
            name: name, shape: shape, type: type, typeName: typeName, strides: StoredTensor.strides(of: shape),
            offset: 0, storage: data.part(offsets[0]..<offsets[1]))
    }

    /// Whether a shape's bytes cannot be counted, in any order of its sizes.
    private static func overflows(_ shape: [Int]) -> Bool {
        var bytes = 16
        for size in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(size, 1))
            if overflow { return true }
            bytes = product
        }
        return false
    }

    private func refuseOverlapsAndHoles(
        _ entries: some Collection<StoredTensor>, in data: MappedBytes
    ) throws(CheckpointError) {
        let sorted = entries.filter { $0.storage.count > 0 }.sorted {
            ($0.storage.range.lowerBound, $0.name) < ($1.storage.range.lowerBound, $1.name)
        }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.storage.range.upperBound > b.storage.range.lowerBound {
            throw problem("\(a.name) and \(b.name) share bytes")
        }
        var end = data.range.lowerBound
        for entry in sorted {
            let range = entry.storage.range
            guard range.lowerBound == end else {
                throw problem(
                    "the \(range.lowerBound - end) bytes before \(entry.name) belong to no tensor; the format allows "
                        + "no holes: a broken tool wrote it, or something is hidden in it")
            }
            end = range.upperBound
        }
        guard end == data.range.upperBound else {
            throw problem(
                "the last \(data.range.upperBound - end) of its \(file.bytes.count) bytes belong to no tensor; the "
                    + "format allows none after the last: something was appended, or it is another file's end")
        }
    }
}
