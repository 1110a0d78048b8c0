import Checkpoints
import Foundation
import Jobs
import Layers

/// What the weights of a release come in.
enum ReleaseContainer {
    case safetensors
    /// So many files of safetensors, and an index that says which of them holds what.
    case shards(Int)
    /// What torch.save writes: the weights lie under a key, or are all there is.
    case torchArchive(section: String?)

    /// Writes the file; of shards the path is that of a whole one, beside which they and their index lie.
    /// - Throws: what the file system says.
    func write(_ weights: [RandomWeight], as precision: Safetensors.Precision, to path: String) throws {
        switch self {
        case .safetensors: try Self.writeFile(weights, precision, to: path)
        case .shards(let count): try Self.writeShards(count, weights, precision, to: path)
        case .torchArchive(let section): try Self.writeTorchArchive(weights, precision, section, to: path)
        }
    }

    private static func create(_ path: String, _ body: (FileHandle) throws -> Void) throws {
        try naming(path) {
            try Data().write(to: URL(fileURLWithPath: path))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try body(file)
            try file.synchronize()
        }
    }

    private static func writeFile(
        _ weights: [RandomWeight], _ precision: Safetensors.Precision, to path: String
    ) throws {
        var layout = SafetensorsLayout(metadata: ["format": "pt"])
        for weight in weights { layout.append(weight.name, weight.shape, precision.type) }
        let header = try layout.header
        try create(path) { file in
            try file.write(contentsOf: header)
            for weight in weights { try weight.write(as: precision) { try file.write(contentsOf: $0) } }
        }
    }
}

extension ReleaseContainer {
    private static func writeShards(
        _ count: Int, _ weights: [RandomWeight], _ precision: Safetensors.Precision, to path: String
    ) throws {
        let shares = shares(of: weights, count)
        let stem = URL(fileURLWithPath: path).deletingPathExtension()
        var map: [String: JSONValue] = [:]
        for (index, share) in shares.enumerated() {
            let number = String(format: "-%05d-of-%05d.safetensors", index + 1, shares.count)
            try writeFile(share, precision, to: stem.path + number)
            for weight in share { map[weight.name] = .string(stem.lastPathComponent + number) }
        }
        let size = weights.reduce(0) { $0 + $1.count } * precision.type.size
        let index: JSONValue = ["metadata": ["total_size": .integer(size)], "weight_map": .object(map)]
        try index.line.write(to: URL(fileURLWithPath: path + ".index.json"))
    }

    /// The weights in their order, in so many shares of about as many numbers.
    private static func shares(of weights: [RandomWeight], _ count: Int) -> [[RandomWeight]] {
        let total = weights.reduce(0) { $0 + $1.count }
        var shares = [[RandomWeight]](repeating: [], count: count)
        var before = 0
        for weight in weights {
            shares[before * count / total].append(weight)
            before += weight.count
        }
        return shares.filter { !$0.isEmpty }
    }
}

extension ReleaseContainer {
    /// A pickle that describes the weights, and an entry of each one's numbers (pytorch, torch/serialization.py).
    private static func writeTorchArchive(
        _ weights: [RandomWeight], _ precision: Safetensors.Precision, _ section: String?, to path: String
    ) throws {
        let folder = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        try create(path) { file in
            var archive = ZipWriter(file)
            try archive.append("\(folder)/data.pkl", pickle(weights, precision, section))
            try archive.append("\(folder)/byteorder", Array("little".utf8))
            for (key, weight) in weights.enumerated() {
                try archive.append("\(folder)/data/\(key)", size: weight.count * precision.type.size) { write in
                    try weight.write(as: precision, write)
                }
            }
            try archive.append("\(folder)/version", Array("3\n".utf8))
            try archive.finish()
        }
    }

    private static func pickle(
        _ weights: [RandomWeight], _ precision: Safetensors.Precision, _ section: String?
    ) -> [UInt8] {
        let entries = weights.enumerated().map { key, weight -> (String, (inout PickleWriter) -> Void) in
            let strides = StoredTensor.strides(of: weight.shape)
            return (
                weight.name,
                { $0.tensor(weight.shape, strides, 0) { $0.storage(precision.storage, String(key), weight.count) } }
            )
        }
        var pickle = PickleWriter()
        if let section {
            pickle.dictionary([(section, { $0.orderedDictionary(entries) })])
        } else {
            pickle.orderedDictionary(entries)
        }
        return pickle.ended
    }
}

extension Safetensors.Precision {
    /// torch's class of storages.
    fileprivate var storage: String {
        switch self {
        case .single: "FloatStorage"
        case .half: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        }
    }
}
