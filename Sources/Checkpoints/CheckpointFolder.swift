import Foundation

/// Which file of a folder the weights are in.
enum CheckpointFolder {
    /// What libraries call a whole checkpoint, the preferred first; each may have an index instead.
    private static let wholes = [
        "model.safetensors", "diffusion_pytorch_model.safetensors", "adapter_model.safetensors",
        "pytorch_lora_weights.safetensors", "pytorch_model.bin", "diffusion_pytorch_model.bin", "adapter_model.bin",
        "pytorch_lora_weights.bin", "consolidated.safetensors", "consolidated.pth", "model.fp16.safetensors",
        "diffusion_pytorch_model.fp16.safetensors", "pytorch_model.fp16.bin", "diffusion_pytorch_model.fp16.bin",
    ]
    /// What programs of other kinds keep beside them.
    private static let foreign = ["openvino_model.bin", "flax_model.bin"]
    private static let endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt"]

    /// Whether a file tells which shard holds which tensor: `NAME.safetensors.index.json`, or `….index.fp16.json` of a
    /// variant.
    static func isIndex(_ name: String) -> Bool {
        let file = name.split(separator: "/").last ?? ""
        return file.hasSuffix(".json") && file.contains(".index.")
    }

    /// A whole checkpoint's file, or the index of its shards.
    private static func forms(of whole: String) -> [String] {
        let variant = whole.replacingOccurrences(of: ".fp16.safetensors", with: ".safetensors.index.fp16.json")
        return [whole, whole + ".index.json"] + (variant == whole ? [] : [variant])
    }

    /// What stands where `NAME.safetensors` is named and missing: its index, another container, or a folder.
    private static func inPlace(of path: String) -> String? {
        guard path.hasSuffix(".safetensors") else { return nil }
        let stem = String(path.dropLast(".safetensors".count))
        return ([path + ".index.json"] + endings.dropFirst().map { stem + $0 } + [stem]).first {
            FileManager.default.fileExists(atPath: $0)
        }
    }

    /// The file to open at a path: the path itself, or the one in the folder there.
    /// - Throws: `CheckpointError` where a folder holds none or several.
    static func file(at path: String) throws(CheckpointError) -> String {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if !isThere, let other = inPlace(of: path) { return try file(at: other) }
        guard isThere, isFolder.boolValue else { return path }
        let names = Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
        for whole in wholes {
            if let name = forms(of: whole).first(where: names.contains) { return "\(path)/\(name)" }
        }
        let weights = names.subtracting(foreign).filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
        let indexes = names.filter(isIndex).sorted()
        guard indexes.count < 2, let name = indexes.first ?? (weights.count == 1 ? weights[0] : nil) else {
            let found = (indexes + weights).prefix(8).joined(separator: ", ")
            throw CheckpointError(
                path: path,
                problem: found.isEmpty
                    ? "the folder holds no weights (\(endings.joined(separator: ", ")))"
                    : "the folder holds several weights, name one: \(found)")
        }
        return "\(path)/\(name)"
    }
}

extension Checkpoint {
    /// What can be opened in a folder: the folder itself where it is one checkpoint by the names that libraries give
    /// such, and every other file of weights that no index names.
    package static func candidates(in folder: String) -> [String] {
        CheckpointFolder.candidates(in: folder)
    }

    /// The files that `open` reads at a path: one, or an index and its shards.
    /// - Throws: `CheckpointError` where there is none, or several.
    package static func files(at path: String) throws(CheckpointError) -> [String] {
        let file = try CheckpointFolder.file(at: path)
        guard CheckpointFolder.isIndex(file) else { return [file] }
        let folder = (file as NSString).deletingLastPathComponent
        return [file] + (try ShardIndex(MappedFile(path: file)).files).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    }
}

extension CheckpointFolder {
    fileprivate static func candidates(in folder: String) -> [String] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let indexes = names.filter(isIndex)
        let shards = Set(
            indexes.flatMap { (try? ShardIndex(MappedFile(path: "\(folder)/\($0)")).files) ?? [] })
        let known = wholes.flatMap(forms)
        let isWhole = known.contains { names.contains($0) }
        let others = names.filter { name in
            endings.contains { name.hasSuffix($0) } && !shards.contains(name) && !wholes.contains(name)
                && !foreign.contains(name)
        }
        return (isWhole ? [folder] : indexes.map { "\(folder)/\($0)" }) + others.map { "\(folder)/\($0)" }
    }
}
