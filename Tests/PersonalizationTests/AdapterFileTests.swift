import ComputeTesting
import Foundation
import Personalization
import Testing

/// A file that is no adapter is told for what it is, as an adapter that cannot be used.
@Suite(.computing) struct AdapterFileTests {
    @Test(arguments: [
        ("version https://git-lfs.github.com/spec/v1\nsize 694824\n", "it is a git-lfs pointer"),
        ("<!DOCTYPE html><title>Sign in</title>", "it is a web page"),
        ("PK\u{3}\u{4}\u{0}\u{0}", "it is a zip archive"),
        ("", "it is empty"),
    ])
    func whatIsNoAdapterIsNamed(contents: String, meaning: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(contents.utf8).write(to: URL(fileURLWithPath: path))
        let error = try #require(throws: AdapterError.self) { try Adapter(path: path) }
        #expect(error.description.hasPrefix("\(path) is not an Atelier adapter: \(meaning)"))
    }
}
