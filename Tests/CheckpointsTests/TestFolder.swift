import Foundation
import Testing

/// A folder of one test, removed with it.
final class TestFolder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-checkpoints-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, removing one that was there, and gives its path. (Foundation waits for the disk, and so does
    /// cutting a file to nothing: two thousand times is long.)
    func write(_ bytes: [UInt8], _ name: String = "a.pth") throws -> String {
        unlink("\(path)/\(name)")
        let file = try #require(fopen("\(path)/\(name)", "w"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        #expect(fclose(file) == 0)
        return "\(path)/\(name)"
    }

    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
