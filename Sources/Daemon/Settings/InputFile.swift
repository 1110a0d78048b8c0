import Foundation

/// Files that people name to programs: also pipes, as `<(…)` of a shell is one, which `FileManager` does not read.
package enum InputFile {
    /// All that is in it, or comes out of it; nil where it cannot be read.
    package static func contents(_ path: String) -> Data? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        return try? file.readToEnd() ?? Data()
    }
}
