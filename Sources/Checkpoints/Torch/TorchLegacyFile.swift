/// What `torch.save` wrote before 1.6, and writes when asked: pickles in a row (a magic number, the protocol, the
/// system's sizes, the object, the storages' keys), then each storage's count and its bytes (pytorch,
/// torch/serialization.py, `_legacy_save`).
struct TorchLegacyFile {
    private let file: MappedFile
    private var place = 0

    static func read(_ file: MappedFile) throws(CheckpointError) -> TorchContents {
        var reader = TorchLegacyFile(file: file)
        return try reader.read()
    }

    private init(file: MappedFile) { self.file = file }

    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    private func problem(_ text: String) -> CheckpointError { CheckpointError(path: file.path, problem: text) }

    private mutating func read() throws(CheckpointError) -> TorchContents {
        let magic = try pickle("magic number")
        guard case .long(let span) = magic.root, magic[span].elementsEqual(Self.magic) else {
            throw problem("it is a pickle that torch.save did not write: save the model's state_dict() with torch.save")
        }
        guard try pickle("protocol").root == .integer(1001) else { throw problem("its protocol is not 1001") }
        try checkOrder(try pickle("system"))
        let object = try pickle("object")
        let keys = try pickle("storages' keys")
        guard let list = keys.elements(keys.root) else { throw problem("its storages' keys are no list") }
        var storages: [String: Range<Int>] = [:]
        let references = try references(of: object)
        for key in list {
            guard let key = keys.text(key), let reference = references[key] else {
                throw problem("it holds a storage that its object does not name")
            }
            guard storages.updateValue(try storage(reference), forKey: key) == nil else {
                throw problem("it holds storage \(key) twice")
            }
        }
        return TorchContents(file: file, pickle: object, storages: storages)
    }

    private mutating func pickle(_ what: String) throws(CheckpointError) -> Pickle {
        let rest = UnsafeRawBufferPointer(rebasing: file.bytes[place...])
        do throws(PickleError) {
            let pickle = try PickleReader.read(rest)
            place += pickle.end
            return pickle
        } catch { throw problem("its \(what), byte \(place + error.place): \(error.problem)") }
    }

    private func checkOrder(_ system: Pickle) throws(CheckpointError) {
        let isLittle = system.pairs(system.root)?.last { system.text($0.key) == "little_endian" }?.value
        guard isLittle != .boolean(false) else {
            throw problem("its numbers are big-endian; only little-endian ones are read")
        }
    }

    /// Every storage the object refers to.
    private func references(of object: Pickle) throws(CheckpointError) -> [String: TorchStorageReference] {
        var references: [String: TorchStorageReference] = [:]
        for node in object.nodes where node.kind == .persistent {
            guard let reference = TorchStorageReference(node.arguments, in: object) else { continue }
            if let other = references[reference.key],
                other.typeName != reference.typeName || other.count != reference.count
            {
                throw problem("storage \(reference.key) is \(other.typeName) and \(reference.typeName)")
            }
            references[reference.key] = reference
        }
        return references
    }

    /// The bytes of the storage that is next.
    private mutating func storage(_ reference: TorchStorageReference) throws(CheckpointError) -> Range<Int> {
        guard let type = reference.type else {
            throw problem("storage \(reference.key) is \(reference.typeName), whose size is not known")
        }
        guard place <= file.bytes.count - 8 else {
            throw problem("it is cut short before storage \(reference.key); fetch it again")
        }
        let count = Int64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place, as: Int64.self))
        place += 8
        guard count == reference.count else {
            throw problem("storage \(reference.key) has \(count) numbers, and its object says \(reference.count)")
        }
        guard reference.count <= (file.bytes.count - place) / type.size else {
            throw problem("it is cut short in storage \(reference.key); fetch it again")
        }
        defer { place += reference.count * type.size }
        return place..<place + reference.count * type.size
    }
}
