import Foundation

/// The bytes of a picture's file.
enum FileBytes {
    /// - Throws: `PictureError`, before anything is read when it is not a regular file or larger than `limits`.
    static func read(_ path: String, _ limits: PictureLimits) throws(PictureError) -> [UInt8] {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        guard Int(status.st_size) <= limits.bytes else { throw .tooManyBytes(Int(status.st_size), limit: limits.bytes) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "its contents do not come")
        }
        return [UInt8](data)
    }
}
