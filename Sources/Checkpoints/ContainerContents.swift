import Foundation

/// What was read from one file, or from all shards of an index.
struct ContainerContents {
    var container: Checkpoint.Report.Container
    var files = 1
    var bytes: Int
    var tensors: [StoredTensor]
    var metadata: [String: String] = [:]
    var section: String?
    var otherSections: [String] = []
    var otherNames: [String] = []
    var foreignClasses: [String] = []

    /// Reads one file by what its bytes are.
    init(_ file: MappedFile, section: String?) throws(CheckpointError) {
        let kind = FileKind(of: file.bytes)
        bytes = file.bytes.count
        guard kind == .zip || kind == .pickle, !file.path.hasSuffix(".safetensors") else {
            if case .unknown = kind, !file.path.hasSuffix(".safetensors") { throw Self.unknown(file) }
            // Says what the file is where it is something else.
            let safetensors = try Safetensors(file: file)
            guard section == nil else {
                throw CheckpointError(path: file.path, problem: "a safetensors file has no section \(section!)")
            }
            (container, tensors) = (.safetensors, Array(safetensors.entries.values))
            metadata = safetensors.metadata
            return
        }
        let objects = TorchTensors(try kind == .zip ? TorchArchive.read(file) : TorchLegacyFile.read(file))
        let chosen = try TorchSections(objects).choose(section)
        (tensors, otherNames) = try objects.read(chosen.value)
        container = kind == .zip ? .torchArchive : .legacyTorch
        (self.section, otherSections, foreignClasses) = (chosen.section, chosen.others, objects.foreignClasses)
    }

    private static func unknown(_ file: MappedFile) -> CheckpointError {
        let first = file.bytes.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return CheckpointError(
            path: file.path,
            problem: "it is no checkpoint that is known (safetensors, torch archive); its first bytes are "
                + first.joined(separator: " "))
    }

    /// Reads every shard of an index.
    /// - Throws: `CheckpointError` with everything that is wrong: shards that are missing or damaged, tensors that are
    ///   in none or in two.
    static func shards(_ index: ShardIndex, section: String?) throws(CheckpointError) -> ContainerContents {
        let folder = (index.path as NSString).deletingLastPathComponent
        var read: [String: ContainerContents] = [:]
        var problems: [String] = []
        for name in index.files {
            do throws(CheckpointError) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                read[name] = try ContainerContents(MappedFile(path: path), section: section)
            } catch { problems.append("\(name): \(error.problem)") }
        }
        problems += index.problems(read.mapValues(\.tensors))
        guard problems.isEmpty, var all = read[index.files[0]] else {
            let rest = problems.count > 16 ? "; and \(problems.count - 16) more" : ""
            throw CheckpointError(path: index.path, problem: problems.prefix(16).joined(separator: "; ") + rest)
        }
        for name in index.files.dropFirst() { all.add(read[name]!) }
        return all
    }

    private mutating func add(_ other: ContainerContents) {
        files += other.files
        bytes += other.bytes
        tensors += other.tensors
        metadata.merge(other.metadata) { first, _ in first }
        otherSections = Set(otherSections + other.otherSections).sorted()
        otherNames = Set(otherNames + other.otherNames).sorted()
        foreignClasses = Set(foreignClasses + other.foreignClasses).sorted()
    }
}

/// What wrappers of modules (data parallel, compiled, sharded, a training program's own) leave in the names of a state
/// dict, and what libraries leave out.
enum WrappedNames {
    /// These are no part of any model's own names, wherever they stand.
    private static let anywhere = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."]
    /// These are, so they go only where every name begins with one: what data parallel training leaves, and Lightning.
    private static let leading = ["module.", "model."]
    /// What a vision transformer is called beside the head that it is taught with (facebookresearch/dino).
    private static let trunk = "backbone."
    /// What transformers 5 leaves out of the names of CLIP's text tower where that stands alone, and of which parts.
    private static let tower = "text_model."
    private static let partsOfTower = ["embeddings.", "encoder.", "final_layer_norm."]
    /// How names begin that have such a one of their own: transformers' decoders, networks in their authors' files.
    private static let own = ["model.embed_tokens.", "model.vqmodel.", "model.diffusion_model."]

    /// So do those of a decoder's layers; other models' layers may stand behind Lightning's `model.`.
    private static func isOwn(_ name: String) -> Bool {
        own.contains { name.hasPrefix($0) } || name.hasPrefix("model.layers.") && name.contains(".self_attn.")
    }

    static func unwrap(
        _ tensors: [StoredTensor], path: String
    ) throws(CheckpointError) -> (tensors: [String: StoredTensor], prefixes: [String]) {
        var named = tensors.map { (name: $0.name, tensor: $0) }
        var found: [String] = []
        for prefix in anywhere {
            let shorter = named.map { (name: removing(prefix.dropLast(), from: $0.name), tensor: $0.tensor) }
            if zip(named, shorter).contains(where: { $0.name != $1.name }) { found.append(prefix) }
            named = shorter
        }
        while let prefix = leading.first(where: { wraps($0, named.map(\.name)) }) {
            if !found.contains(prefix) { found.append(prefix) }
            named = named.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
        }
        if named.contains(where: { $0.name == trunk + "cls_token" }) {
            found.append(trunk)
            named = named.map { name, tensor in
                (name.hasPrefix(trunk) ? String(name.dropFirst(trunk.count)) : name, tensor)
            }
        }
        if named.contains(where: { $0.name == "embeddings.token_embedding.weight" }) {
            named = named.map { name, tensor in
                (partsOfTower.contains { name.hasPrefix($0) } ? tower + name : name, tensor)
            }
        }
        var result: [String: StoredTensor] = [:]
        for (name, tensor) in named {
            guard let other = result.updateValue(tensor, forKey: name) else { continue }
            throw CheckpointError(path: path, problem: "\(other.name) and \(tensor.name) are one tensor, \(name)")
        }
        return (result, found)
    }

    /// Whether every name begins with a prefix, and none of a model's own does.
    private static func wraps(_ prefix: String, _ names: [String]) -> Bool {
        !names.isEmpty
            && names.allSatisfy { name in
                name.hasPrefix(prefix) && name.count > prefix.count && !isOwn(name)
            }
    }

    /// A dotted path without a part, wherever that stands.
    private static func removing(_ part: Substring, from name: String) -> String {
        guard name.contains(part) else { return name }
        return name.split(separator: ".", omittingEmptySubsequences: false).filter { $0 != part }.joined(separator: ".")
    }
}
