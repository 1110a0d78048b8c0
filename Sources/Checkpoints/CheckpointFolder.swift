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
    /// How the files end that other programs keep weights in, and downloads that are not whole.
    fileprivate static let others = [
        ".gguf", ".h5", ".hdf5", ".keras", ".msgpack", ".onnx", ".tflite", ".npz", ".npy", ".pkl", ".zip", ".tar",
        ".gz", ".xz", ".zst", ".part", ".crdownload", ".incomplete", ".download",
    ]
    private static let endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt"]

    /// Whether a file tells which shard holds which tensor: `NAME.safetensors.index.json`, or `….index.fp16.json` of a
    /// variant.
    static func isIndex(_ name: String) -> Bool {
        let file = name.split(separator: "/").last ?? ""
        return file.hasSuffix(".json") && file.contains(".index.")
    }

    /// What the name of one of several shards says, `NAME-00001-of-00002.safetensors`: the index that such a one is in,
    /// and how many there are; nil for every other name. A variant's mark stands before or behind the number.
    fileprivate static func shard(_ name: String) -> (index: String, count: Int)? {
        guard let ending = endings.first(where: { name.hasSuffix($0) }) else { return nil }
        let (numbered, isMarkedBehind) = unmarked(name.dropLast(ending.count))
        let number = numbered.suffix("-00001-of-00002".count)
        let parts = number.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, isNumber(parts[1]), parts[2] == "of", isNumber(parts[3]),
            let count = Int(parts[3]), count > 1
        else { return nil }
        let (stem, isMarkedBefore) = unmarked(numbered.dropLast(number.count))
        guard !stem.isEmpty else { return nil }
        return ("\(stem)\(ending).index.\(isMarkedBefore || isMarkedBehind ? "fp16." : "")json", count)
    }

    /// A name without the mark of a variant at its end, and whether it had one.
    private static func unmarked(_ name: Substring) -> (name: Substring, wasMarked: Bool) {
        name.hasSuffix(".fp16") ? (name.dropLast(".fp16".count), true) : (name, false)
    }

    /// Whether these are a shard's five digits.
    private static func isNumber(_ text: Substring) -> Bool {
        text.utf8.count == 5 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// The index beside a shard that names it, or that is called as its own is; nil where there is none.
    fileprivate static func index(of path: String) -> String? {
        let (folder, name) = (FilePlace.folder(of: path), (path as NSString).lastPathComponent)
        let own = shard(name)?.index
        let indexes = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter(isIndex).sorted()
        return indexes.first { $0 == own || shards(of: "\(folder)/\($0)").contains(name) }
            .map { path.contains("/") ? "\(folder)/\($0)" : $0 }
    }

    /// The files that an index names; none where it cannot be read.
    private static func shards(of index: String) -> [String] { (try? ShardIndex(MappedFile(path: index)))?.files ?? [] }

    /// A whole checkpoint's file, or the index of its shards.
    private static func forms(of whole: String) -> [String] {
        let variant = whole.replacingOccurrences(of: ".fp16.safetensors", with: ".safetensors.index.fp16.json")
        return [whole, whole + ".index.json"] + (variant == whole ? [] : [variant])
    }

    /// Whether libraries call a whole checkpoint so, or the index of its shards.
    fileprivate static func isWhole(_ name: String) -> Bool { wholes.contains { forms(of: $0).contains(name) } }

    /// How many of a checkpoint's files are not in its folder; of an index that cannot be read, nobody knows.
    private static func lacking(_ name: String, in folder: String, _ names: Set<String>) -> Int {
        guard isIndex(name) else { return 0 }
        let shards = shards(of: "\(folder)/\(name)")
        return shards.isEmpty ? .max : shards.count { !names.contains($0) }
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
    /// - Throws: `CheckpointError` where a folder holds none or several, or shards without their index.
    static func file(at path: String) throws(CheckpointError) -> String {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if !isThere, let other = inPlace(of: path) { return try file(at: other) }
        guard isThere, isFolder.boolValue else {
            guard isThere, let own = shard((path as NSString).lastPathComponent), index(of: path) == nil else {
                return path
            }
            throw CheckpointError(
                path: path,
                problem: "it is one of \(own.count) shards, and \(own.index), which says what is in which, is not "
                    + "beside it: fetch it")
        }
        let names = Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
        // Who fetched one form or variant alone may have the indexes of all.
        let known = wholes.flatMap(forms).filter(names.contains)
        if let name = known.min(by: { lacking($0, in: path, names) < lacking($1, in: path, names) }) {
            return "\(path)/\(name)"
        }
        let weights = names.subtracting(foreign).filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
        let indexes = names.filter(isIndex).sorted()
        if indexes.isEmpty, let lone = weights.first(where: { shard($0) != nil }) {
            return try file(at: "\(path)/\(lone)")
        }
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

extension Checkpoint {
    /// What is to be opened where a file is named: itself, or in the place of a shard the index beside it.
    package static func whole(of path: String) -> String {
        CheckpointFolder.shard((path as NSString).lastPathComponent) == nil
            ? path : CheckpointFolder.index(of: path) ?? path
    }

    /// Where a checkpoint is, whichever of its forms a path names: its folder, where the file is called as libraries
    /// call a whole one; else the path.
    package static func place(of path: String) -> String {
        CheckpointFolder.isWhole((path as NSString).lastPathComponent) ? FilePlace.folder(of: path) : path
    }

    /// The names of the tensors that the index at a path, or in the folder there, lists; nil where there is none. Its
    /// shards need not be there.
    package static func indexedNames(at path: String) -> Set<String>? {
        guard let file = try? CheckpointFolder.file(at: path), CheckpointFolder.isIndex(file),
            let index = try? ShardIndex(MappedFile(path: file))
        else { return nil }
        return Set(index.shards.keys)
    }

    /// Why what lies in a folder under the names of other programs' weights, or of downloads that did not end, is not
    /// read.
    package static func unread(in folder: String) -> [String] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.filter { name in CheckpointFolder.others.contains { name.hasSuffix($0) } }.map { name -> String in
            do throws(CheckpointError) {
                _ = try Checkpoint.open("\(folder)/\(name)")
                return "\(folder)/\(name): it is a checkpoint under another name; call it .pth or .safetensors"
            } catch { return error.description }
        }
    }
}

extension CheckpointFolder {
    fileprivate static func candidates(in folder: String) -> [String] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let indexes = names.filter(isIndex)
        let shards = Set(indexes.flatMap { self.shards(of: "\(folder)/\($0)") })
        // Of shards without their index one is enough to say so.
        var missing = Set(indexes)
        let others = names.filter { name in
            endings.contains { name.hasSuffix($0) } && !shards.contains(name) && !wholes.contains(name)
                && !foreign.contains(name) && shard(name).map { missing.insert($0.index).inserted } != false
        }
        let own = names.contains(where: isWhole) ? [folder] : indexes.map { "\(folder)/\($0)" }
        return own + others.map { "\(folder)/\($0)" }
    }
}
