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

        fileprivate var type: ElementType {
            switch self {
            case .single: .float32
            case .half: .float16
            case .bfloat16: .bfloat16
            }
        }
    }

    /// Writes tensors (sorted by name, so that equal contents give equal bytes) under a temporary name, flushes, and
    /// renames into place: a reader sees the old file or the whole new one.
    package static func write(
        _ tensors: [String: Tensor], to path: String, precision: Precision = .single, metadata: [String: String] = [:]
    ) throws {
        let names = tensors.keys.sorted()
        var layout = SafetensorsLayout(metadata: metadata)
        for name in names { layout.append(name, tensors[name]!.shape, precision.type) }
        var contents = try layout.header
        contents.reserveCapacity(contents.count + layout.bytes)
        for name in names { append(tensors[name]!, precision, to: &contents) }
        try replace(path, with: contents)
    }

    private static func append(_ tensor: Tensor, _ precision: Precision, to contents: inout Data) {
        let values = UnsafeBufferPointer(start: tensor.pointer, count: tensor.count)
        switch precision {
        case .single: contents.append(Data(buffer: values))
        case .half: values.map { Float16($0) }.withUnsafeBufferPointer { contents.append(Data(buffer: $0)) }
        case .bfloat16: values.map(\.roundedToBFloat16).withUnsafeBufferPointer { contents.append(Data(buffer: $0)) }
        }
    }

    /// Temporary name, fsync, rename, fsync of the folder.
    private static func replace(_ path: String, with contents: Data) throws {
        func fail(_ what: String) -> CheckpointError {
            CheckpointError(path: path, problem: "\(what): \(String(cString: strerror(errno)))")
        }
        let temporary = "\(path).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw fail("it could not be created") }
        var written = 0
        let failed = contents.withUnsafeBytes { bytes -> Bool in
            while written < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return true }
                written += count
            }
            return fsync(descriptor) != 0
        }
        guard !failed else {
            let error = fail("it could not be written")
            close(descriptor)
            unlink(temporary)
            throw error
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else {
            let error = fail("it could not be put in place")
            unlink(temporary)
            throw error
        }
        let folder = open(
            (path as NSString).deletingLastPathComponent.isEmpty ? "." : (path as NSString).deletingLastPathComponent,
            O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }
}

extension OptimizerState {
    /// - Throws: `CheckpointError` when the file cannot be read or says no step.
    package init(path: String) throws {
        let file = try Safetensors(path: path)
        guard let step = file.metadata["step"].flatMap(Int.init), step >= 0 else {
            throw CheckpointError(path: path, problem: "its metadata has no step: it is not a training checkpoint")
        }
        self.init(
            step: step, tensors: try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor($0)) }))
    }

    package func write(_ path: String, metadata: [String: String] = [:]) throws {
        try Safetensors.write(tensors, to: path, metadata: metadata.merging(["step": String(step)]) { $1 })
    }
}
