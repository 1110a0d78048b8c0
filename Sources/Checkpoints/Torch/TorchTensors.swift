/// Finds the tensors in what a torch file's pickle says.
struct TorchTensors {
    let contents: TorchContents
    private var pickle: Pickle { contents.pickle }

    init(_ contents: TorchContents) { self.contents = contents }

    /// Longer names are no tensor's.
    private static let longestName = 1024
    private static let mostTensors = 1 << 20

    /// The tensors of a dictionary and the names of what else is in it.
    /// - Throws: `CheckpointError` naming up to eight tensors that do not lie in the file.
    func read(_ dictionary: Pickle.Value) throws(CheckpointError) -> (tensors: [StoredTensor], others: [String]) {
        var (tensors, others, problems): ([String: StoredTensor], Set<String>, [String]) = ([:], [], [])
        for (key, value) in pickle.pairs(dictionary) ?? [] {
            guard let name = pickle.text(key), name.utf8.count <= Self.longestName else { continue }
            // As in Python, what comes later replaces what was there.
            tensors[name] = nil
            guard let call = rebuilding(value) else {
                others.insert(name)
                continue
            }
            others.remove(name)
            do throws(TensorFault) { tensors[name] = try tensor(name, call) } catch {
                problems.append("\(name) \(error.problem)")
            }
        }
        guard tensors.count <= Self.mostTensors else { throw contents.problem("it has \(tensors.count) tensors") }
        guard problems.isEmpty else {
            let rest = problems.count > 8 ? "; and \(problems.count - 8) more" : ""
            throw contents.problem(problems.prefix(8).joined(separator: "; ") + rest)
        }
        return (Array(tensors.values), others.sorted())
    }

    /// Whether a value is a tensor, which need not lie in the file.
    func isTensor(_ value: Pickle.Value) -> Bool { rebuilding(value) != nil }

    /// Whether a dictionary names a tensor.
    func holdsTensors(_ dictionary: Pickle.Value) -> Bool {
        pickle.pairs(dictionary)?.contains { pickle.text($0.key) != nil && isTensor($0.value) } ?? false
    }

    /// How many tensors a dictionary names.
    func count(_ dictionary: Pickle.Value) -> Int {
        pickle.pairs(dictionary)?.count { pickle.text($0.key) != nil && isTensor($0.value) } ?? 0
    }

    /// The classes of objects that were not built, sorted.
    var foreignClasses: [String] {
        let called = pickle.nodes.filter { $0.kind == .object }.compactMap { pickle.global($0.callable)?.path }
        return Set(called).subtracting(Self.known).sorted()
    }

    private static let known: Set<String> = [
        "collections.OrderedDict", "torch.Size", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2",
        "torch._tensor._rebuild_from_type", "torch.tensor._rebuild_from_type", "torch.nn.parameter.Parameter",
    ]
}

/// What is wrong with one tensor.
private struct TensorFault: Error {
    let problem: String
}

extension TorchTensors {
    /// A call that makes a tensor: of which function, with which arguments.
    private struct Rebuilding {
        let version: Int
        let arguments: [Pickle.Value]
    }

    /// The call behind a value: parameters and subclasses are the tensor they are made of.
    private func rebuilding(_ value: Pickle.Value) -> Rebuilding? {
        guard let node = pickle.node(value), node.kind == .object else { return nil }
        var (callable, arguments) = (node.callable, node.arguments)
        for _ in 0..<8 {
            guard let function = pickle.global(callable)?.path, let list = pickle.elements(arguments) else {
                return nil
            }
            switch function {
            case "torch._utils._rebuild_tensor": return Rebuilding(version: 1, arguments: list)
            case "torch._utils._rebuild_tensor_v2": return Rebuilding(version: 2, arguments: list)
            case "torch._utils._rebuild_tensor_v3": return Rebuilding(version: 3, arguments: list)
            case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
                "torch.nn.parameter.Parameter":
                guard let first = list.first, let inner = pickle.node(first), inner.kind == .object else { return nil }
                (callable, arguments) = (inner.callable, inner.arguments)
            case "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
                "torch.tensor._rebuild_from_type":
                guard list.count >= 3 else { return nil }
                (callable, arguments) = (list[0], list[2])
            default: return nil
            }
        }
        return nil
    }

    /// A view of a storage: `(storage, offset, size, stride, …)`, the dtype seventh in version 3.
    private func tensor(_ name: String, _ call: Rebuilding) throws(TensorFault) -> StoredTensor {
        let list = call.arguments
        guard list.count >= (call.version == 3 ? 7 : 4), let identifier = pickle.node(list[0]),
            identifier.kind == .persistent, case .integer(let offset) = list[1],
            let shape = integers(list[2]), let strides = integers(list[3])
        else { throw TensorFault(problem: "is not described as torch describes tensors") }
        guard let reference = TorchStorageReference(identifier.arguments, in: pickle) else {
            throw TensorFault(problem: "has no storage")
        }
        guard !isNegated(call) else {
            throw TensorFault(problem: "is the negative of what is stored: save it anew after resolve_neg()")
        }
        let dtype = call.version == 3 ? pickle.global(list[6])?.name ?? "" : reference.typeName
        let type = call.version == 3 ? ElementType(torch: dtype[...]) : reference.type
        let storage = try storage(reference)
        let view = StoredTensor(
            name: name, shape: shape, type: type, typeName: type?.rawValue ?? "torch." + dtype, strides: strides,
            offset: offset, storage: storage)
        // Where the size of a number is not known, none is ever read.
        let stored = type.map { storage.count / $0.size } ?? Int.max
        if let fault = StoredTensor.fault(shape: shape, strides: strides, offset: offset, stored: stored) {
            throw TensorFault(problem: fault)
        }
        return view
    }

    /// Whether what is stored is meant with another sign, as the last of a call's arguments says.
    private func isNegated(_ call: Rebuilding) -> Bool {
        let bits = call.arguments.dropFirst(call.version == 3 ? 7 : 6).first
        let pairs = bits.flatMap(pickle.pairs) ?? []
        return pairs.contains { pickle.text($0.key) == "neg" && $0.value == .boolean(true) }
    }

    private func integers(_ value: Pickle.Value) -> [Int]? {
        guard let elements = pickle.elements(value), elements.count <= StoredTensor.mostDimensions else { return nil }
        let numbers = elements.compactMap { if case .integer(let number) = $0 { number } else { nil } }
        return numbers.count == elements.count ? numbers : nil
    }

    /// The bytes of a storage that the file holds whole.
    private func storage(_ reference: TorchStorageReference) throws(TensorFault) -> MappedBytes {
        guard let range = contents.storages[reference.key] else {
            throw TensorFault(problem: "is in storage \(reference.key), which the file does not hold")
        }
        let whole = MappedBytes(file: contents.file, range: range)
        guard let size = reference.type?.size else { return whole }
        guard reference.count <= whole.count / size else {
            throw TensorFault(
                problem: "is in storage \(reference.key) of \(reference.count) numbers, of which the file holds "
                    + "\(whole.count / size)")
        }
        let view = reference.view ?? 0..<reference.count
        return whole.part(view.lowerBound * size..<view.upperBound * size)
    }
}
