/// How a pickle of torch refers to numbers that lie outside of it: `("storage", class, key, place, count)`; the place
/// (cpu, cuda:0) is of no interest.
struct TorchStorageReference {
    /// The class's name, without its module.
    let typeName: String
    let type: ElementType?
    let key: String
    /// How many numbers.
    let count: Int
    /// The part of it that is meant, in numbers: old files share storages so.
    let view: Range<Int>?

    /// Nil where an identifier is not of this form.
    init?(_ identifier: Pickle.Value, in pickle: Pickle) {
        guard let parts = pickle.elements(identifier), parts.count == 5 || parts.count == 6,
            pickle.text(parts[0]) == "storage", let storage = pickle.global(parts[1]), let key = pickle.text(parts[2]),
            case .integer(let count) = parts[4], count >= 0
        else { return nil }
        (typeName, self.key, self.count) = (storage.name, key, count)
        type = ElementType(torch: storage.name[...])
        guard parts.count == 6, parts[5] != .none else {
            view = nil
            return
        }
        guard let range = Self.view(parts[5], in: pickle, of: count) else { return nil }
        view = range
    }

    /// `(key, first number, count)`.
    private static func view(_ value: Pickle.Value, in pickle: Pickle, of count: Int) -> Range<Int>? {
        guard let parts = pickle.elements(value), parts.count == 3, case .integer(let first) = parts[1],
            case .integer(let size) = parts[2], first >= 0, size >= 0, first <= count, size <= count - first
        else { return nil }
        return first..<first + size
    }
}

/// What a torch file holds: its pickle, and where the storages are that it refers to.
struct TorchContents {
    let file: MappedFile
    let pickle: Pickle
    /// The bytes of each storage, by key.
    let storages: [String: Range<Int>]

    func problem(_ text: String) -> CheckpointError { CheckpointError(path: file.path, problem: text) }
}
