import Foundation
import Testing

/// A safetensors file made by hand: any header over any data.
struct HandmadeSafetensors {
    var header: String
    var data: [UInt8]
    /// What the first eight bytes say; the header's length unless a test lies.
    var length: UInt64?

    init(_ header: String, _ data: [UInt8] = [], length: UInt64? = nil) { (self.header, self.data, self.length) = (header, data, length) }

    var bytes: [UInt8] { Self.littleEndian(length ?? UInt64(header.utf8.count)) + header.utf8 + data }

    static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

/// A folder of one test, removed with it.
final class TestFolder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-layers-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, removing one that was there, and gives its path. (Foundation waits for the disk, and so does cutting a file to
    /// nothing: two thousand times is long.)
    func write(_ bytes: [UInt8], _ name: String = "a.safetensors") throws -> String {
        unlink("\(path)/\(name)")
        let file = try #require(fopen("\(path)/\(name)", "w"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        #expect(fclose(file) == 0)
        return "\(path)/\(name)"
    }

    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
