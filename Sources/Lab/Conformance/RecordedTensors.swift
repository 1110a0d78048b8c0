import Checkpoints
import Layers
import Tensors

/// The tensors of a fixture, or of a release's results, which note what was read of them.
final class RecordedTensors {
    private let file: Safetensors
    private var read: Set<String> = []

    init(path: String) throws { file = try Safetensors(path: path) }

    var names: [String] { file.names }
    /// Sorted by name.
    var unread: [String] { names.filter { !read.contains($0) } }

    func has(_ name: String) -> Bool { file.entries[name] != nil }

    /// What a tensor is, which does not count as reading it.
    func entry(_ name: String) throws -> StoredTensor { try file.entry(name) }

    func tensor(_ name: String) throws -> Tensor {
        read.insert(name)
        return try file.tensor(name)
    }

    func integers(_ name: String) throws -> [Int] {
        read.insert(name)
        return try file.integers(name)
    }
}
