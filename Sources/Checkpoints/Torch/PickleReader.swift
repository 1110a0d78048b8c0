/// Reads a pickle as data (Python's `pickletools` describes the instructions): a machine with a stack and a memory
/// that calls nothing, follows no reference and so needs no more memory than there are instructions.
struct PickleReader {
    /// What a pickle of a checkpoint never reaches; one that does is an attack or no checkpoint.
    struct Limits {
        var bytes = 1 << 28
        var instructions = 1 << 24
        var nodes = 1 << 22
        var remembered = 1 << 22
    }

    private var pickle: Pickle
    private let limits: Limits
    private var place = 0
    /// Where the instruction that is being run starts.
    private var start = 0
    private var stack: [Pickle.Value] = []
    /// Heights of the stack at which marks lie.
    private var marks: [Int] = []
    private var memory: [UInt32: Pickle.Value] = [:]
    private var globals: [String: Int32] = [:]

    /// Reads the pickle that `bytes` start with.
    static func read(_ bytes: UnsafeRawBufferPointer, limits: Limits = Limits()) throws(PickleError) -> Pickle {
        var reader = PickleReader(
            pickle: Pickle(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.bytes))), limits: limits)
        try reader.run()
        return reader.pickle
    }

    private init(pickle: Pickle, limits: Limits) { (self.pickle, self.limits) = (pickle, limits) }

    private func error(_ problem: String) -> PickleError { PickleError(place: start, problem: problem) }

    private mutating func run() throws(PickleError) {
        for _ in 0..<limits.instructions {
            start = place
            let code = try byte()
            guard start > 0 || code == PickleInstruction.proto.rawValue else {
                throw error(
                    "it does not begin with the number of its protocol, as those of 2 to 5 do; 0 and 1 are not read: "
                        + "save it anew with torch.save")
            }
            guard let instruction = PickleInstruction(rawValue: code) else {
                let hexadecimal = String(code, radix: 16)
                throw error("instruction 0x\(hexadecimal) is none that torch writes")
            }
            if instruction == .stop {
                guard stack.count == 1, marks.isEmpty else {
                    throw error("it ends with \(stack.count) values, not one")
                }
                (pickle.root, pickle.end) = (stack[0], place)
                return
            }
            if try !runLiteral(instruction), try !runContainer(instruction), try !runMemory(instruction) {
                try runObject(instruction)
            }
        }
        throw error("it has more than \(limits.instructions) instructions")
    }
}

// MARK: Bytes

extension PickleReader {
    private mutating func take(_ count: UInt64) throws(PickleError) -> UnsafeRawBufferPointer {
        guard count <= UInt64(pickle.bytes.count - place) else {
            throw error("it ends in the middle: \(count) bytes are needed, \(pickle.bytes.count - place) are left")
        }
        defer { place += Int(count) }
        return UnsafeRawBufferPointer(rebasing: pickle.bytes[place..<place + Int(count)])
    }

    private mutating func byte() throws(PickleError) -> UInt8 { try take(1)[0] }

    private mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type
    ) throws(PickleError) -> Number {
        Number(littleEndian: try take(UInt64(MemoryLayout<Number>.size)).loadUnaligned(as: type))
    }

    private mutating func span(_ count: some FixedWidthInteger) throws(PickleError) -> Pickle.Span {
        guard let count = UInt64(exactly: count) else { throw error("a length is negative") }
        let first = place
        _ = try take(count)
        return Pickle.Span(start: UInt32(first), count: UInt32(count))
    }

    /// A line, without its end.
    private mutating func line() throws(PickleError) -> String {
        guard let end = pickle.bytes[place...].prefix(4096).firstIndex(of: 0x0A) else {
            throw error("a name has no end within 4096 bytes")
        }
        defer { place = end + 1 }
        return String(decoding: pickle.bytes[place..<end], as: UTF8.self)
    }
}

// MARK: The stack

extension PickleReader {
    private mutating func push(_ value: Pickle.Value) { stack.append(value) }

    private mutating func push(_ node: Pickle.Node) throws(PickleError) {
        guard pickle.nodes.count < limits.nodes else { throw error("it makes more than \(limits.nodes) objects") }
        pickle.nodes.append(node)
        push(.node(Int32(pickle.nodes.count - 1)))
    }

    private mutating func pop() throws(PickleError) -> Pickle.Value {
        guard stack.count > marks.last ?? 0 else { throw error("it takes a value where there is none") }
        return stack.removeLast()
    }

    private func top() throws(PickleError) -> Pickle.Value {
        guard stack.count > marks.last ?? 0 else { throw error("it takes a value where there is none") }
        return stack[stack.count - 1]
    }

    private mutating func popToMark() throws(PickleError) -> [Pickle.Value] {
        guard let mark = marks.popLast() else { throw error("it takes back a mark where there is none") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func pop(_ count: Int) throws(PickleError) -> [Pickle.Value] {
        guard stack.count - count >= marks.last ?? 0 else { throw error("it takes a value where there is none") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }
}

// MARK: Instructions

extension PickleReader {
    private mutating func runLiteral(_ instruction: PickleInstruction) throws(PickleError) -> Bool {
        switch instruction {
        case .proto:
            let version = try byte()
            guard version <= 5 else { throw error("protocol \(version) is not known; 2 to 5 are") }
        case .frame:
            let length = try number(UInt64.self)
            guard length <= UInt64(pickle.bytes.count - place) else { throw error("a frame reaches beyond its end") }
        case .none: push(.none)
        case .newTrue: push(.boolean(true))
        case .newFalse: push(.boolean(false))
        case .binInt: push(.integer(Int(try number(Int32.self))))
        case .binInt1: push(.integer(Int(try byte())))
        case .binInt2: push(.integer(Int(try number(UInt16.self))))
        case .long1: push(long(try span(try byte())))
        case .long4: push(long(try span(try number(Int32.self))))
        case .binFloat: push(.float(Double(bitPattern: UInt64(bigEndian: try number(UInt64.self)))))
        case .binUnicode: push(.text(try span(try number(UInt32.self))))
        case .shortBinUnicode: push(.text(try span(try byte())))
        case .binUnicode8: push(.text(try span(try number(UInt64.self))))
        case .binString: push(.text(try span(try number(Int32.self))))
        case .shortBinString: push(.text(try span(try byte())))
        case .binBytes: push(.data(try span(try number(UInt32.self))))
        case .shortBinBytes: push(.data(try span(try byte())))
        case .binBytes8, .byteArray8: push(.data(try span(try number(UInt64.self))))
        default: return false
        }
        return true
    }

    private func long(_ span: Pickle.Span) -> Pickle.Value {
        guard span.count <= 8 else { return .long(span) }
        let bytes = pickle[span]
        var value: UInt64 = bytes.last.map { $0 < 128 ? 0 : UInt64.max } ?? 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return .integer(Int(Int64(bitPattern: value)))
    }

    private mutating func runContainer(_ instruction: PickleInstruction) throws(PickleError) -> Bool {
        switch instruction {
        case .mark: marks.append(stack.count)
        case .emptyTuple: try push(Pickle.Node(kind: .tuple))
        case .emptyList: try push(Pickle.Node(kind: .list))
        case .emptyDict: try push(Pickle.Node(kind: .dictionary))
        case .emptySet: try push(Pickle.Node(kind: .set))
        case .tuple: try push(Pickle.Node(kind: .tuple, items: try popToMark()))
        case .tuple1: try push(Pickle.Node(kind: .tuple, items: try pop(1)))
        case .tuple2: try push(Pickle.Node(kind: .tuple, items: try pop(2)))
        case .tuple3: try push(Pickle.Node(kind: .tuple, items: try pop(3)))
        case .list: try push(Pickle.Node(kind: .list, items: try popToMark()))
        case .dict: try push(Pickle.Node(kind: .dictionary, items: try pairsToMark()))
        case .frozenSet: try push(Pickle.Node(kind: .set, items: try popToMark()))
        case .append: try add(try pop(1), isPairs: false)
        case .appends, .addItems: try add(try popToMark(), isPairs: false)
        case .setItem: try add(try pop(2), isPairs: true)
        case .setItems: try add(try pairsToMark(), isPairs: true)
        default: return false
        }
        return true
    }

    private mutating func pairsToMark() throws(PickleError) -> [Pickle.Value] {
        let items = try popToMark()
        guard items.count.isMultiple(of: 2) else { throw error("a key has no value") }
        return items
    }

    /// Adds to the container on top. What an object of an unknown class appends to itself is nothing to us.
    private mutating func add(_ items: [Pickle.Value], isPairs: Bool) throws(PickleError) {
        guard case .node(let index) = try top() else { throw error("it adds to what is no container") }
        switch (pickle.nodes[Int(index)].kind, isPairs) {
        case (.dictionary, true), (.object, true), (.list, false), (.set, false):
            pickle.nodes[Int(index)].items += items
        case (.object, false), (.persistent, _): break
        default: throw error("it adds to what is no such container")
        }
    }

    private mutating func runMemory(_ instruction: PickleInstruction) throws(PickleError) -> Bool {
        switch instruction {
        case .binPut: try remember(UInt32(try byte()))
        case .longBinPut: try remember(try number(UInt32.self))
        case .memoize: try remember(UInt32(memory.count))
        case .binGet: try recall(UInt32(try byte()))
        case .longBinGet: try recall(try number(UInt32.self))
        case .dup: push(try top())
        case .pop:
            // As in Python, a mark on top goes like a value.
            if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
        case .popMark: _ = try popToMark()
        default: return false
        }
        return true
    }

    private mutating func remember(_ key: UInt32) throws(PickleError) {
        memory[key] = try top()
        guard memory.count <= limits.remembered else {
            throw error("it remembers more than \(limits.remembered) values")
        }
    }

    private mutating func recall(_ key: UInt32) throws(PickleError) {
        guard let value = memory[key] else { throw error("it recalls value \(key), which it has not remembered") }
        push(value)
    }

    private mutating func runObject(_ instruction: PickleInstruction) throws(PickleError) {
        switch instruction {
        case .global: push(global(try line(), try line()))
        case .stackGlobal:
            let names = try pop(2)
            guard let module = pickle.text(names[0]), let name = pickle.text(names[1]) else {
                throw error("a class is named by what is no text")
            }
            push(global(module, name))
        case .reduce, .newObject:
            let parts = try pop(2)
            try push(Pickle.Node(kind: .object, callable: parts[0], arguments: parts[1]))
        case .newObjectEx:
            let parts = try pop(3)
            try push(Pickle.Node(kind: .object, callable: parts[0], arguments: parts[1]))
        case .build:
            // The state of an object (`__setstate__`, attributes): nothing is done with it.
            _ = try pop()
            _ = try top()
        case .binPersID: try push(Pickle.Node(kind: .persistent, arguments: try pop()))
        default: throw error("instruction \(instruction) is out of place")
        }
    }

    private mutating func global(_ module: String, _ name: String) -> Pickle.Value {
        let key = "\(module)\n\(name)"
        if let known = globals[key] { return .global(known) }
        pickle.globals.append(Pickle.Global(module: module, name: name))
        globals[key] = Int32(pickle.globals.count - 1)
        return .global(Int32(pickle.globals.count - 1))
    }
}
