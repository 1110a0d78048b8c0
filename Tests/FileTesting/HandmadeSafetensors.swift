/// A safetensors file made by hand: any header over any data.
package struct HandmadeSafetensors {
    package var header: String
    package var data: [UInt8]
    /// What the first eight bytes say; the header's length unless a test lies.
    package var length: UInt64?

    /// Puts a file together.
    package init(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) {
        (self.header, self.data, self.length) = (header, data, length)
    }

    /// The file.
    package var bytes: [UInt8] { Self.littleEndian(length ?? UInt64(header.utf8.count)) + header.utf8 + data }

    /// A number's bytes, the lowest first.
    package static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
