/// Where in a torch file the weights are: training programs wrap the state dict, each in its own way.
struct TorchSections {
    private let tensors: TorchTensors
    private var pickle: Pickle { tensors.contents.pickle }

    init(_ tensors: TorchTensors) { self.tensors = tensors }

    /// The wrappers that are known, the first that holds tensors taken: averaged weights before those they were
    /// averaged from.
    static let known = [
        "vae", "ema", "model_ema", "ema_model", "ema_state_dict", "state_dict_ema", "params_ema",
        "trainer.gpt_ema_fsdp", "trainer.gpt_fsdp", "model", "module", "state_dict", "model_state_dict", "params",
        "net", "network", "weights", "teacher",
    ]
    private static let deepest = 4
    /// How many times as many tensors a later wrapper has that is taken before an earlier one.
    private static let fewest = 8

    /// The dictionary of tensors that is meant, its keys joined by dots (nil: the file's outermost one), and every
    /// other one there is.
    /// - Parameter wanted: the section to read, instead of the first known.
    func choose(_ wanted: String?) throws(CheckpointError) -> (value: Pickle.Value, section: String?, others: [String])
    {
        let found = sections()
        if let wanted {
            guard let value = value(at: wanted, in: pickle.root), tensors.holdsTensors(value) else {
                throw tensors.contents.problem("it has no tensors in \(wanted)" + Self.list(found))
            }
            return (value, wanted, found.filter { $0 != wanted })
        }
        if let (value, section) = known(in: pickle.root, depth: 0) {
            return (value, section, found.filter { $0 != section })
        }
        if tensors.holdsTensors(pickle.root) { return (pickle.root, nil, found) }
        throw tensors.contents.problem(nothing(found))
    }

    /// The first known wrapper that holds tensors, or one within it; not one of a few numbers (`ema.decay`) before one
    /// of many.
    private func known(in dictionary: Pickle.Value, depth: Int) -> (Pickle.Value, String)? {
        var found: [(value: Pickle.Value, section: String, tensors: Int)] = []
        for section in Self.known {
            guard let value = value(at: section, in: dictionary) else { continue }
            if tensors.holdsTensors(value) {
                found.append((value, section, tensors.count(value)))
            } else if depth < Self.deepest, let (inner, name) = known(in: value, depth: depth + 1) {
                found.append((inner, "\(section).\(name)", tensors.count(inner)))
            }
        }
        let most = found.map(\.tensors).max() ?? 0
        return found.first { Self.fewest * $0.tensors >= most }.map { ($0.value, $0.section) }
    }

    private func value(at path: String, in dictionary: Pickle.Value) -> Pickle.Value? {
        path.split(separator: ".").reduce(dictionary) { value, key in
            value.flatMap { pickle.pairs($0)?.last { pickle.text($0.key) == String(key) }?.value }
        }
    }

    /// Every dictionary of tensors, by the keys that lead to it; the outermost is not named.
    private func sections() -> [String] {
        var found: [String] = []
        var seen: Set<Int32> = []
        var level: [(path: String, value: Pickle.Value)] = [("", pickle.root)]
        for _ in 0..<Self.deepest {
            var next: [(path: String, value: Pickle.Value)] = []
            for (path, value) in level {
                for (key, value) in pickle.pairs(value) ?? [] {
                    guard case .node(let index) = value, seen.count < 1 << 16, let name = pickle.text(key),
                        pickle.pairs(value) != nil, seen.insert(index).inserted
                    else { continue }
                    let inner = path.isEmpty ? name : "\(path).\(name)"
                    if tensors.holdsTensors(value) { found.append(inner) }
                    next.append((inner, value))
                }
            }
            level = next
        }
        return found
    }

    private func nothing(_ found: [String]) -> String {
        if let whole = object(pickle.root) {
            return "it is \(whole), not a state dict: save the model's state_dict() with torch.save"
        }
        let keys = (pickle.pairs(pickle.root) ?? []).compactMap { pickle.text($0.key) }
        for key in keys where Self.known.contains(key) {
            guard let whole = value(at: key, in: pickle.root).flatMap(object) else { continue }
            return "its \(key) is \(whole), not a state dict: save the model's state_dict() with torch.save"
        }
        return "it holds no tensors where weights are looked for (\(Self.known.joined(separator: ", ")), or outermost)"
            + Self.list(found)
            + (keys.isEmpty ? "" : "; its outermost keys: \(keys.prefix(8).joined(separator: ", "))")
    }

    /// What a value is that is an object and no dictionary; nil of every other.
    private func object(_ value: Pickle.Value) -> String? {
        guard let node = pickle.node(value), node.kind == .object, pickle.pairs(value) == nil else { return nil }
        if tensors.isTensor(value) { return "one tensor" }
        return "one object of class \(pickle.global(node.callable)?.path ?? "unknown")"
    }

    private static func list(_ found: [String]) -> String {
        found.isEmpty ? "" : "; there are tensors in \(found.prefix(16).joined(separator: ", "))"
    }
}
