import Foundation

/// The fields of one message of a protocol buffer (protobuf.dev, the wire format), in their order.
struct ProtobufFields {
    /// A field's value as it lies there.
    enum Value {
        case number(UInt64)
        case bits32(UInt32)
        case bytes(Data)
    }

    private var rest: Data

    init(_ data: Data) { rest = data }

    /// What is wrong with a message.
    struct Damage: Error {}

    /// The next field, or nil at the end.
    mutating func next() throws(Damage) -> (field: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try number()
        guard let field = Int(exactly: key >> 3) else { throw Damage() }
        switch key & 7 {
        case 0: return (field, .number(try number()))
        case 1:
            let bytes = try take(8)
            return (field, .number(Self.littleEndian(bytes)))
        case 2: return (field, .bytes(try take(try number())))
        case 5:
            let bytes = try take(4)
            return (field, .bits32(UInt32(Self.littleEndian(bytes))))
        default: throw Damage()
        }
    }

    private static func littleEndian(_ bytes: Data) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

    private mutating func take(_ count: UInt64) throws(Damage) -> Data {
        guard count <= UInt64(rest.count) else { throw Damage() }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    /// Seven bits a byte, the lowest first.
    private mutating func number() throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        for (index, byte) in rest.prefix(10).enumerated() {
            value |= UInt64(byte & 127) << UInt64(7 * index)
            if byte < 128 {
                rest = rest.dropFirst(index + 1)
                return value
            }
        }
        throw Damage()
    }
}
