/// What a pickle says, as data: values that point into its bytes and at each other. Nothing of it was called, and
/// nothing is built but this.
struct Pickle {
    /// Bytes of the pickle.
    struct Span: Equatable {
        let start, count: UInt32
    }

    enum Value: Equatable {
        case none
        case boolean(Bool)
        case integer(Int)
        /// A whole number of more than 64 bits, in its little-endian bytes.
        case long(Span)
        case float(Double)
        case text(Span)
        case data(Span)
        /// The index of a named thing in `globals`.
        case global(Int32)
        /// The index of what has parts in `nodes`.
        case node(Int32)
    }

    /// What has parts.
    struct Node {
        enum Kind: UInt8 {
            case list, tuple, set
            /// `items` are keys and values in turn.
            case dictionary
            /// What calling `callable` with `arguments` would make; `items` as a dictionary's, where some were set.
            case object
            /// What the file refers to from outside the pickle: `arguments` is its identifier.
            case persistent
        }

        let kind: Kind
        var items: [Value] = []
        var callable = Value.none
        var arguments = Value.none
    }

    /// A class or function, named.
    struct Global {
        let module, name: String
        var path: String { module.isEmpty ? name : "\(module).\(name)" }
    }

    /// The pickle and what follows it.
    let bytes: UnsafeRawBufferPointer
    var nodes: [Node] = []
    var globals: [Global] = []
    var root = Value.none
    /// Where the pickle ends.
    var end = 0

    subscript(span: Span) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(span.start)..<Int(span.start) + Int(span.count)])
    }

    /// The text of a value that is one.
    func text(_ value: Value) -> String? {
        guard case .text(let span) = value else { return nil }
        return String(decoding: self[span], as: UTF8.self)
    }

    func node(_ value: Value) -> Node? {
        guard case .node(let index) = value else { return nil }
        return nodes[Int(index)]
    }

    func global(_ value: Value) -> Global? {
        guard case .global(let index) = value else { return nil }
        return globals[Int(index)]
    }

    /// The elements of a list or a tuple; of a `torch.Size` those of the tuple it is made of.
    func elements(_ value: Value) -> [Value]? {
        guard let node = node(value) else { return nil }
        switch node.kind {
        case .list, .tuple: return node.items
        case .object where global(node.callable)?.path == "torch.Size":
            guard let arguments = self.node(node.arguments), let first = arguments.items.first,
                let sizes = self.node(first), sizes.kind == .tuple || sizes.kind == .list
            else { return nil }
            return sizes.items
        default: return nil
        }
    }

    /// The keys and values of a dictionary or of an object that is filled as one is, in their order.
    func pairs(_ value: Value) -> [(key: Value, value: Value)]? {
        guard let node = node(value) else { return nil }
        switch node.kind {
        case .dictionary: return inTurn(node.items)
        case .object where Self.dictionaries.contains(global(node.callable)?.path ?? ""):
            return initial(node.arguments) + inTurn(node.items)
        case .object where !node.items.isEmpty: return inTurn(node.items)
        default: return nil
        }
    }

    private static let dictionaries: Set<String> = [
        "collections.OrderedDict", "collections.Counter", "collections.defaultdict", "builtins.dict",
        "__builtin__.dict",
    ]

    private func inTurn(_ items: [Value]) -> [(key: Value, value: Value)] {
        stride(from: 0, to: items.count - 1, by: 2).map { (items[$0], items[$0 + 1]) }
    }

    /// What a dictionary's class was called with: a dictionary, or pairs, as Python 2 wrote them.
    private func initial(_ arguments: Value) -> [(key: Value, value: Value)] {
        guard let last = node(arguments)?.items.last, let content = node(last) else { return [] }
        if content.kind == .dictionary { return inTurn(content.items) }
        guard content.kind == .list || content.kind == .tuple else { return [] }
        return content.items.compactMap { pair in
            guard let pair = node(pair), pair.kind == .list || pair.kind == .tuple, pair.items.count == 2 else {
                return nil
            }
            return (pair.items[0], pair.items[1])
        }
    }
}

/// A pickle that could not be read: what is wrong and at which byte of it.
struct PickleError: Error, Equatable {
    let place: Int
    let problem: String
}
