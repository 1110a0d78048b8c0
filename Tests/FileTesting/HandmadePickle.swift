import Checkpoints

/// What a pickle made by hand can say besides what is written of state dicts.
extension PickleWriter {
    /// Any bytes.
    package mutating func raw(_ bytes: [UInt8]) { self.bytes += bytes }

    package mutating func none() { code("N") }

    /// Remembers what is on top.
    package mutating func put(_ key: UInt8) { raw([UInt8(ascii: "q"), key]) }
    package mutating func get(_ key: UInt8) { raw([UInt8(ascii: "h"), key]) }

    /// The part of a storage that is meant, as files in the legacy layout say it.
    package mutating func view(_ key: String, _ first: Int, _ count: Int) {
        mark()
        text(key)
        integer(first)
        integer(count)
        code("t")
    }
}
