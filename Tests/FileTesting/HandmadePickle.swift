/// A pickle made by hand, one instruction after another (CPython, Lib/pickle.py).
package struct HandmadePickle {
    package var bytes: [UInt8]

    /// Begins with the protocol's number.
    package init(version: UInt8 = 2) { bytes = [0x80, version] }

    /// Ends it.
    package var ended: [UInt8] { bytes + [UInt8(ascii: ".")] }

    /// Any bytes.
    package mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }

    /// An instruction by its letter in the protocol.
    package mutating func code(_ letter: Unicode.Scalar) { bytes.append(UInt8(ascii: letter)) }

    package mutating func mark() { code("(") }
    package mutating func none() { code("N") }
    package mutating func boolean(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }

    /// A whole number: of 32 bits, or as a long one.
    package mutating func integer(_ value: Int) {
        if let small = Int32(exactly: value) {
            code("J")
            bytes += HandmadeSafetensors.littleEndian(small)
        } else {
            bytes += [0x8A, 8] + HandmadeSafetensors.littleEndian(Int64(value))
        }
    }

    package mutating func text(_ text: String) {
        code("X")
        bytes += HandmadeSafetensors.littleEndian(UInt32(text.utf8.count)) + text.utf8
    }

    package mutating func global(_ module: String, _ name: String) {
        code("c")
        bytes += Array("\(module)\n\(name)\n".utf8)
    }

    /// Remembers what is on top.
    package mutating func put(_ key: UInt8) { bytes += [UInt8(ascii: "q"), key] }
    package mutating func get(_ key: UInt8) { bytes += [UInt8(ascii: "h"), key] }

    /// A tuple of whole numbers.
    package mutating func tuple(_ values: [Int]) {
        mark()
        for value in values { integer(value) }
        code("t")
    }

    /// A storage outside of the pickle; `view` as old files have it.
    package mutating func storage(
        _ type: String, _ key: String, _ count: Int, isLegacy: Bool = false, view: (key: String, Int, Int)? = nil
    ) {
        mark()
        text("storage")
        global("torch", type)
        text(key)
        text("cuda:0")
        integer(count)
        if let view {
            mark()
            text(view.key)
            integer(view.1)
            integer(view.2)
            code("t")
        } else if isLegacy {
            none()
        }
        code("t")
        code("Q")
    }

    /// A tensor that is a view of the storage which `storage` writes.
    package mutating func tensor(
        _ shape: [Int], _ strides: [Int], _ offset: Int, storage: (inout HandmadePickle) -> Void
    ) {
        rebuild("_rebuild_tensor_v2", shape, strides, offset, storage: storage) {
            $0.global("collections", "OrderedDict")
            $0.code(")")
            $0.code("R")
        }
    }

    /// The same by one of torch's functions, with what that is given behind the view: hooks, a type, marks.
    package mutating func rebuild(
        _ function: String, _ shape: [Int], _ strides: [Int], _ offset: Int,
        storage: (inout HandmadePickle) -> Void, rest: (inout HandmadePickle) -> Void
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

    /// A dictionary, its values written by those who give them.
    package mutating func dictionary(_ entries: [(String, (inout HandmadePickle) -> Void)]) {
        code("}")
        mark()
        for (name, write) in entries {
            text(name)
            write(&self)
        }
        code("u")
    }
}
