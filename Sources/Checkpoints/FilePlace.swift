import Foundation

/// Where a file lies.
package enum FilePlace {
    /// The folder a file lies in; `.` of a bare name. Foundation's own traps on a path of one letter.
    package static func folder(of path: String) -> String {
        path.contains("/") ? (path as NSString).deletingLastPathComponent : "."
    }

    /// The folder a file lies in; a folder itself.
    package static func nearestFolder(to path: String) -> String {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return isFolder.boolValue ? path : folder(of: path)
    }
}
