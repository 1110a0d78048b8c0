import Foundation

/// A folder beside the repository, or where ATELIER_SHARED says; nil where it is not on this machine.
package func sharedFolder(_ name: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let shared =
        ProcessInfo.processInfo.environment["ATELIER_SHARED"]
        ?? root.deletingLastPathComponent().appendingPathComponent("shared").path
    return FileManager.default.fileExists(atPath: "\(shared)/\(name)") ? "\(shared)/\(name)" : nil
}
