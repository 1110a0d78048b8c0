import Foundation

/// `*.index.json`: which shard of a checkpoint holds which tensor (transformers, `WEIGHTS_INDEX_NAME`).
struct ShardIndex {
    let path: String
    /// The shard's file name for each tensor.
    let shards: [String: String]

    private static let longest = 100_000_000

    /// - Throws: `CheckpointError` for what is no such index.
    init(_ file: MappedFile) throws(CheckpointError) {
        let path = file.path
        func problem(_ text: String) -> CheckpointError { CheckpointError(path: path, problem: text) }
        guard file.bytes.count <= Self.longest else { throw problem("\(file.bytes.count) bytes are no shard index") }
        guard !file.bytes.contains(0),
            let root = try? JSONSerialization.jsonObject(with: Data(file.bytes)) as? [String: Any],
            let map = root["weight_map"] as? [String: String], !map.isEmpty
        else {
            throw problem("it is JSON or text, not a checkpoint; an index of shards has a weight_map of file names")
        }
        if let key = repeatedKey(in: file.bytes) { throw problem("it gives \(key) twice") }
        let outside = Set(map.values).filter { $0.contains("/") || $0.hasPrefix(".") || $0.isEmpty }.sorted()
        guard outside.isEmpty else {
            throw problem("shards lie beside the index; \(outside.prefix(3).joined(separator: ", ")) is no file name")
        }
        (self.path, shards) = (path, map)
    }

    /// The shards' file names, sorted.
    var files: [String] { Set(shards.values).sorted() }

    /// Names of one table, which programs that convert to safetensors write once and leave in the index.
    private static let tied = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]

    private func isTied(_ name: String, _ holders: [String: [String]]) -> Bool {
        holders[name] == nil && Self.tied.contains(name) && Self.tied.contains { holders[$0] != nil }
    }

    /// Everything in which the shards that could be read differ from the index, most important first.
    func problems(_ contents: [String: [StoredTensor]]) -> [String] {
        var holders: [String: [String]] = [:]
        for (file, tensors) in contents.sorted(by: { $0.key < $1.key }) {
            for tensor in tensors { holders[tensor.name, default: []].append(file) }
        }
        let lacking = shards.filter { name, file in
            contents[file] != nil && holders[name]?.contains(file) != true && !isTied(name, holders)
        }
        let twice = holders.filter { $0.value.count > 1 }
        return lacking.sorted { $0.key < $1.key }.map { "\($0.key) should be in \($0.value) and is not" }
            + twice.sorted { $0.key < $1.key }.map { "\($0.key) is in \($0.value.joined(separator: " and "))" }
    }
}
