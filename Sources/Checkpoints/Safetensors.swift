import Foundation

/// A safetensors file that could not be read or written: which file, where in it, and what is allowed.
package struct SafetensorsError: Error, CustomStringConvertible, Equatable {
    package let path: String
    package let problem: String

    /// Describes a fault of the file at `path`.
    package init(path: String, problem: String) { (self.path, self.problem) = (path, problem) }

    package var description: String { "\(path): \(problem)" }
}

/// A safetensors file, mapped into memory: an 8-byte little-endian header length, a JSON header, and the tensors' bytes
/// (github.com/huggingface/safetensors, format 0.4). Everything the header claims is checked before anything is read
/// through it.
package final class Safetensors {
    package enum ElementType: String, CaseIterable {
        case float64 = "F64"
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int64 = "I64"
        case int32 = "I32"
        case int16 = "I16"
        case int8 = "I8"
        case uint8 = "U8"
        case bool = "BOOL"

        package var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16, .int16: 2
            case .int8, .uint8, .bool: 1
            }
        }
    }

    /// One tensor of the file: its bytes lie in the mapping.
    package struct Entry {
        package let name: String
        package let type: ElementType
        package let shape: [Int]
        let bytes: Range<Int>
        /// How many numbers.
        package var count: Int { shape.reduce(1, *) }
    }

    /// The longest header accepted, as in the reference implementation.
    package static let longestHeader = 100_000_000
    package let path: String
    package let entries: [String: Entry]
    package let metadata: [String: String]
    private let mapping: Mapping
    private let dataStart: Int

    /// Opens a file.
    /// - Throws: `SafetensorsError`.
    package init(path: String) throws {
        self.path = path
        mapping = try Mapping(path: path)
        (entries, metadata, dataStart) = try SafetensorsHeader(path: path, file: mapping.bytes).parse()
    }

    /// The tensors' names, sorted.
    package var names: [String] { entries.keys.sorted() }

    /// The tensor of a name.
    /// - Throws: `SafetensorsError` with some of the names there are.
    package func entry(_ name: String) throws -> Entry {
        guard let entry = entries[name] else {
            let near = names.prefix(5).joined(separator: ", ")
            throw SafetensorsError(
                path: path, problem: "there is no tensor named \(name) (it has \(entries.count): \(near), …)")
        }
        return entry
    }

    /// The raw bytes of a tensor, valid while this object lives.
    package func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.bytes])
    }

    /// How long the file is.
    package var size: Int { mapping.bytes.count }
    /// How long it is by what its header tells: where the last tensor ends.
    package var toldSize: Int { entries.values.map(\.bytes.upperBound).max() ?? dataStart }
}

/// A whole file mapped read-only; unmapped with the object.
private final class Mapping: @unchecked Sendable {  // The mapped bytes never change.
    let bytes: UnsafeRawBufferPointer

    init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SafetensorsError(path: path, problem: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, (status.st_mode & S_IFMT) == S_IFREG else {
            throw SafetensorsError(path: path, problem: "it is not a regular file")
        }
        guard status.st_size >= 8 else {
            throw SafetensorsError(
                path: path,
                problem: "\(status.st_size) bytes are too few; a safetensors file starts with an 8-byte header length")
        }
        guard let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else {
            throw SafetensorsError(path: path, problem: "it could not be mapped: \(String(cString: strerror(errno)))")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

/// The JSON header: parsed, and held against the file's length.
private struct SafetensorsHeader {
    let path: String
    let file: UnsafeRawBufferPointer

    private func problem(_ text: String) -> SafetensorsError { SafetensorsError(path: path, problem: text) }

    func parse() throws -> ([String: Safetensors.Entry], [String: String], dataStart: Int) {
        let length = file.loadUnaligned(as: UInt64.self)
        guard length <= Safetensors.longestHeader, length <= file.count - 8 else {
            throw problem(
                """
                its header claims \(length) bytes; the file has \(file.count - 8) after the length, and at most \
                \(Safetensors.longestHeader) are allowed
                """
            )
        }
        let start = 8 + Int(length)
        let json = UnsafeRawBufferPointer(rebasing: file[8..<start])
        // A brace first and no zeros: Foundation's parser takes other encodings than UTF-8 too.
        guard json.first == UInt8(ascii: "{"), !json.contains(0),
            let object = try? JSONSerialization.jsonObject(with: Data(json)),
            let header = object as? [String: Any]
        else { throw problem("its header is not a JSON object") }
        if let key = repeatedKey(in: json) { throw problem("its header gives \(key) twice") }
        var entries: [String: Safetensors.Entry] = [:]
        for (name, value) in header where name != "__metadata__" {
            entries[name] = try entry(name, value, dataStart: start)
        }
        try refuseOverlaps(entries.values)
        guard let metadata = header["__metadata__"] else { return (entries, [:], start) }
        guard let strings = metadata as? [String: String] else {
            throw problem("__metadata__ must be an object of strings")
        }
        return (entries, strings, start)
    }

    private func entry(_ name: String, _ value: Any, dataStart: Int) throws -> Safetensors.Entry {
        guard let object = value as? [String: Any], let typeName = object["dtype"] as? String,
            let shape = object["shape"] as? [Int],
            let offsets = object["data_offsets"] as? [Int], offsets.count == 2
        else { throw problem("\(name): dtype, shape and two data_offsets are needed") }
        guard let type = Safetensors.ElementType(rawValue: typeName) else {
            throw problem(
                """
                \(name): dtype \(typeName) is not one of \
                \(Safetensors.ElementType.allCases.map(\.rawValue).joined(separator: ", "))
                """
            )
        }
        var bytes = type.size
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else { throw problem("\(name): shape \(shape) is impossible") }
            bytes = product
        }
        let available = file.count - dataStart
        guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= available else {
            throw problem("\(name): data_offsets \(offsets) lie outside the \(available) bytes of data")
        }
        guard offsets[1] - offsets[0] == bytes else {
            throw problem(
                """
                \(name): shape \(shape) of \(typeName) needs \(bytes) bytes, data_offsets hold \
                \(offsets[1] - offsets[0])
                """
            )
        }
        return Safetensors.Entry(
            name: name, type: type, shape: shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    private func refuseOverlaps(_ entries: some Collection<Safetensors.Entry>) throws {
        let sorted = entries.filter { !$0.bytes.isEmpty }.sorted { $0.bytes.lowerBound < $1.bytes.lowerBound }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.bytes.upperBound > b.bytes.lowerBound {
            throw problem("\(a.name) and \(b.name) share bytes")
        }
    }
}
