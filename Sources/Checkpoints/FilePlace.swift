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

    /// What is to be said of a link that leads nowhere: "is a link to /…/model.pth, which is not there"; nil of all
    /// else.
    package static func brokenLink(at path: String) -> String? {
        guard access(path, F_OK) != 0, errno == ENOENT,
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
        else { return nil }
        return "is a link to \(target.hasPrefix("/") ? target : "\(folder(of: path))/\(target)"), which is not there"
    }
}
