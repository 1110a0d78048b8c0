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

/// What wrappers of modules (data parallel, compiled, sharded) leave in the names of a state dict.
enum WrappedNames {
    /// These are no part of any model's own names, wherever they stand.
    private static let anywhere = ["_orig_mod.", "_fsdp_wrapped_module."]
    /// This one is, so it goes only where every name begins with it.
    private static let leading = "module."

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
        while !named.isEmpty, named.allSatisfy({ $0.name.hasPrefix(leading) && $0.name.count > leading.count }) {
            if !found.contains(leading) { found.append(leading) }
            named = named.map { (String($0.name.dropFirst(leading.count)), $0.tensor) }
        }
        var result: [String: StoredTensor] = [:]
        for (name, tensor) in named {
            guard let other = result.updateValue(tensor, forKey: name) else { continue }
            throw CheckpointError(path: path, problem: "\(other.name) and \(tensor.name) are one tensor, \(name)")
        }
        return (result, found)
    }

    /// A dotted path without a part, wherever that stands.
    private static func removing(_ part: Substring, from name: String) -> String {
        guard name.contains(part) else { return name }
        return name.split(separator: ".", omittingEmptySubsequences: false).filter { $0 != part }.joined(separator: ".")
    }
}
