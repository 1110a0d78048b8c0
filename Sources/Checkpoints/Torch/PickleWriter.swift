/// Writes a pickle, one instruction after another (CPython, Lib/pickle.py), and tensors in it as torch describes them
/// (pytorch, torch/_utils.py).
package struct PickleWriter {
    /// What is written so far.
    package var bytes: [UInt8]

    /// Begins with the protocol's number: torch's is 2.
    package init(version: UInt8 = 2) { bytes = [0x80, version] }

    /// Ends it.
    package var ended: [UInt8] { bytes + [UInt8(ascii: ".")] }

    /// An instruction by its letter in the protocol.
    package mutating func code(_ letter: Unicode.Scalar) { bytes.append(UInt8(ascii: letter)) }

    /// Where the members of the next tuple, list or dictionary begin.
    package mutating func mark() { code("(") }

    /// A truth value.
    package mutating func boolean(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }

    /// A whole number: of 32 bits, or as a long one.
    package mutating func integer(_ value: Int) {
        if let small = Int32(exactly: value) {
            code("J")
            bytes += small.littleEndianBytes
        } else {
            bytes += [0x8A, 8] + Int64(value).littleEndianBytes
        }
    }

    /// A text.
    package mutating func text(_ text: String) {
        code("X")
        bytes += UInt32(text.utf8.count).littleEndianBytes + text.utf8
    }

    /// A class or function of Python's, by its name.
    package mutating func global(_ module: String, _ name: String) {
        code("c")
        bytes += Array("\(module)\n\(name)\n".utf8)
    }

    /// A tuple of whole numbers.
    package mutating func tuple(_ values: [Int]) {
        mark()
        for value in values { integer(value) }
        code("t")
    }

    /// A dictionary, its values written by those who give them.
    package mutating func dictionary(_ entries: [(String, (inout PickleWriter) -> Void)]) {
        code("}")
        items(entries)
    }

    /// The same as an `OrderedDict`, which a state dict is.
    package mutating func orderedDictionary(_ entries: [(String, (inout PickleWriter) -> Void)]) {
        global("collections", "OrderedDict")
        code(")")
        code("R")
        items(entries)
    }

    private mutating func items(_ entries: [(String, (inout PickleWriter) -> Void)]) {
        guard !entries.isEmpty else { return }
        mark()
        for (name, write) in entries {
            text(name)
            write(&self)
        }
        code("u")
    }

    /// A storage of `count` numbers outside of the pickle.
    /// - Parameters:
    ///   - type: the name of torch's class of storages (`FloatStorage`).
    ///   - rest: what old files say of it besides.
    package mutating func storage(
        _ type: String, _ key: String, _ count: Int, rest: (inout PickleWriter) -> Void = { _ in }
    ) {
        mark()
        text("storage")
        global("torch", type)
        text(key)
        text("cpu")
        integer(count)
        rest(&self)
        code("t")
        code("Q")
    }

    /// A tensor that is a view of the storage which `storage` writes; strides and offset in numbers.
    package mutating func tensor(
        _ shape: [Int], _ strides: [Int], _ offset: Int, storage: (inout PickleWriter) -> Void
    ) {
        rebuild("_rebuild_tensor_v2", shape, strides, offset, storage: storage) { $0.orderedDictionary([]) }
    }

    /// The same by one of torch's functions, with what that is given behind the view: hooks, a type, marks.
    package mutating func rebuild(
        _ function: String, _ shape: [Int], _ strides: [Int], _ offset: Int,
        storage: (inout PickleWriter) -> Void, rest: (inout PickleWriter) -> Void
    ) {
        global("torch._utils", function)
        mark()
        storage(&self)
        integer(offset)
        tuple(shape)
        tuple(strides)
        boolean(false)
        rest(&self)
        code("t")
        code("R")
    }
}

extension FixedWidthInteger {
    /// Its bytes, the lowest first.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
