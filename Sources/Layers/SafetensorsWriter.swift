import Checkpoints
import Foundation
import Glibc
import Tensors

extension Safetensors {
    /// How floats are stored.
    package enum Precision: String, Sendable {
        case single = "F32"
        case half = "F16"
        case bfloat16 = "BF16"

        /// Of each number.
        package var type: ElementType {
            switch self {
            case .single: .float32
            case .half: .float16
            case .bfloat16: .bfloat16
            }
        }
    }

    /// Writes tensors (sorted by name, so that equal contents give equal bytes) under a temporary name, flushes, and
    /// renames into place: a reader sees the old file or the whole new one. The file is never in memory as a whole.
    /// - Parameters:
    ///   - tensors: stored in `precision`.
    ///   - codes: stored as they are; no name is also a tensor's.
    /// - Throws: `CheckpointError` when the file cannot be written.
    package static func write(
        _ tensors: [String: Tensor], codes: [String: ByteTensor] = [:], to path: String, precision: Precision = .single,
        metadata: [String: String] = [:]
    ) throws {
        let names = (Array(tensors.keys) + codes.keys).sorted()
        var layout = SafetensorsLayout(metadata: metadata)
        for name in names {
            if let tensor = tensors[name] {
                layout.append(name, tensor.shape, precision.type)
            } else {
                layout.append(name, codes[name]!.shape, .uint8)
            }
        }
        let header = try layout.header
        try FileReplacement(path).write { file in
            try header.withUnsafeBytes(file.append)
            for name in names {
                if let tensor = tensors[name] {
                    try file.append(tensor, precision)
                } else {
                    try file.append(codes[name]!.bytes)
                }
            }
        }
    }
}

/// A file that takes the place of the one before once it is whole and on the disk.
private struct FileReplacement {
    private let path: String
    private var temporary: String { "\(path).tmp" }

    init(_ path: String) { self.path = path }

    /// Temporary name, fsync, rename, fsync of the folder; nothing is left of what failed.
    func write(_ body: (FileAppending) throws -> Void) throws {
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CheckpointError(path: path, failed: "it could not be created") }
        do {
            defer { close(descriptor) }
            try body(FileAppending(path: path, descriptor: descriptor))
            guard fsync(descriptor) == 0 else { throw CheckpointError(path: path, failed: "it could not be written") }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let error = CheckpointError(path: path, failed: "it could not be put in place")
            unlink(temporary)
            throw error
        }
        let parent = open(FilePlace.folder(of: path), O_RDONLY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }
}

/// The end of an open file.
private struct FileAppending {
    let path: String
    let descriptor: Int32
    /// Numbers rounded at a time.
    private static let share = 1 << 20

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw CheckpointError(path: path, failed: "it could not be written") }
            written += count
        }
    }

    func append(_ tensor: Tensor, _ precision: Safetensors.Precision) throws {
        let values = UnsafeBufferPointer(start: tensor.pointer, count: tensor.count)
        for start in stride(from: 0, to: values.count, by: FileAppending.share) {
            let part = values[start..<min(start + FileAppending.share, values.count)]
            switch precision {
            case .single: try append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: part)))
            case .half: try part.map { Float16($0) }.withUnsafeBytes(append)
            case .bfloat16: try part.map(\.roundedToBFloat16).withUnsafeBytes(append)
            }
        }
    }
}

extension CheckpointError {
    /// What the system said of it last.
    fileprivate init(path: String, failed what: String) {
        let number = errno
        self.init(path: path, problem: "\(what): \(String(cString: strerror(number)))", errorNumber: number)
    }
}
