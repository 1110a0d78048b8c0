import Foundation

/// A folder of one test, removed with it.
package final class TestFolder {
    package let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    package init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, removing one that was there, and gives its path. (Foundation waits for the disk, and so does
    /// cutting a file to nothing: two thousand times is long.)
    package func write(_ bytes: [UInt8], _ name: String = "a.pth") throws -> String {
        unlink("\(path)/\(name)")
        guard let file = fopen("\(path)/\(name)", "w") else { throw CocoaError(.fileWriteUnknown) }
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else { throw CocoaError(.fileWriteUnknown) }
        return "\(path)/\(name)"
    }

    /// The same of a text.
    @discardableResult
    package func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }

    package func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
