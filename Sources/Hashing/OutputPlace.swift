import Foundation

/// Places that commands are asked to write to, held against the file system before the work begins: what could not be
/// kept is not made.
package enum OutputPlace {
    /// Why nothing can be written to a place, and what to do.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The place, why nothing can be written there, and what to do.
        package let description: String

        fileprivate init(_ path: String, _ reason: String, _ remedy: String = "give another place") {
            description = "\(path) cannot be written: \(reason); \(remedy)"
        }
    }

    /// A file, new or instead of one, in a folder that is there.
    /// - Throws: ``Fault``.
    package static func file(_ path: String) throws(Fault) {
        if isFolder(path) { throw Fault(path, "it is a folder", "give the name of a file") }
        let folder = folder(of: path)
        guard isThere(folder) else {
            throw Fault(path, "there is no folder \(folder)", "make it (mkdir -p \(folder)) or give another place")
        }
        try check(folder, for: path)
    }

    /// A file that takes nobody's place; a device or a pipe, which is there before, keeps nothing.
    /// - Parameter remedy: what to do where it is there.
    /// - Throws: ``Fault``.
    package static func newFile(_ path: String, remedy: String) throws(Fault) {
        try file(path)
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            throw Fault(path, "it is there already", remedy)
        }
    }

    /// A folder, which is made where it is not there.
    /// - Throws: ``Fault``.
    package static func folder(_ path: String) throws(Fault) { try check(nearest(to: path), for: path) }

    /// The place itself where it is there, else the folder above it that is: whose file system it comes to lie in.
    package static func nearest(to path: String) -> String {
        var nearest = path
        while !isThere(nearest), nearest != "/", nearest != "." { nearest = folder(of: nearest) }
        return nearest
    }

    private static func check(_ folder: String, for path: String) throws(Fault) {
        guard isFolder(folder) else { throw Fault(path, "\(folder) is no folder") }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw Fault(path, "\(folder): \(String(cString: strerror(errno)))")
        }
    }

    private static func folder(of path: String) -> String {
        // Foundation's stops the program at a name of one character.
        guard path.hasPrefix("/") || path.split(separator: "/").count > 1 else { return "." }
        return (path as NSString).deletingLastPathComponent
    }

    private static func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
