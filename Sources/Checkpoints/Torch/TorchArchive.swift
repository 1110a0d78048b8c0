/// What `torch.save` writes since 1.6: a zip archive of `NAME/data.pkl` and one entry `NAME/data/KEY` a storage, stored
/// as they are (pytorch, torch/serialization.py).
enum TorchArchive {
    static func read(_ file: MappedFile) throws(CheckpointError) -> TorchContents {
        func problem(_ text: String) -> CheckpointError { CheckpointError(path: file.path, problem: text) }
        let archive = try ZipArchive(file)
        let entries = archive.entries
        let root = try root(of: entries, problem)
        if let name = archive.compressed.first {
            throw problem(
                "its entry \(name) is compressed, and torch.save compresses nothing: unzip it and pack it again with "
                    + "zip -0")
        }
        if let order = entries[root + "byteorder"], !file.bytes[order].elementsEqual("little".utf8) {
            throw problem("its numbers are big-endian; only little-endian ones are read")
        }
        let pickle: Pickle
        do throws(PickleError) {
            pickle = try PickleReader.read(UnsafeRawBufferPointer(rebasing: file.bytes[entries[root + "data.pkl"]!]))
        } catch { throw problem("its data.pkl, byte \(error.place): \(error.problem)") }
        var storages: [String: Range<Int>] = [:]
        for (name, range) in entries where name.hasPrefix(root + "data/") {
            storages[String(name.dropFirst(root.count + 5))] = range
        }
        return TorchContents(file: file, pickle: pickle, storages: storages)
    }

    /// The folder in which `data.pkl` is, with its slash.
    private static func root(
        of entries: [String: Range<Int>], _ problem: (String) -> CheckpointError
    ) throws(CheckpointError) -> String {
        let roots = entries.keys.filter { $0.hasSuffix("/data.pkl") && $0.split(separator: "/").count == 2 }
            .map { String($0.dropLast(8)) }.sorted()
        let isProgram = entries.keys.contains { $0.hasSuffix("/constants.pkl") || $0.contains("/code/") }
        if isProgram {
            throw problem(
                "it is a TorchScript archive, a program with its weights, not a state dict: load it with "
                    + "torch.jit.load and save its state_dict()")
        }
        guard roots.count <= 1 else { throw problem("it has \(roots.count) data.pkl: \(roots.prefix(3))") }
        if let root = roots.first { return root }
        if !entries.isEmpty, entries.keys.allSatisfy({ $0.hasSuffix(".npy") }) {
            throw problem("it is a NumPy archive (.npz), not a checkpoint")
        }
        if let name = entries.keys.sorted().first(where: { $0.hasSuffix(".weights.h5") }) {
            throw problem("it is a Keras archive (\(name)): take the model's safetensors or torch files")
        }
        let some = entries.keys.sorted().prefix(3).joined(separator: ", ")
        throw problem("it is a zip archive without data.pkl, so torch.save did not write it; it holds \(some)")
    }
}
