import Foundation
import Hashing

/// Artifacts by the SHA-256 of their bytes: `root/ab/cdef…`. Same bytes, same file; a file that is there is whole.
///
/// A file comes in by copy into a temporary name, `fsync`, a read of what the disk gives back, and `rename`. No name of
/// a stranger ever becomes part of a path: only digests do.
package struct ArtifactDirectory: Sendable {
    /// A file of an engine that cannot be taken in.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        /// It lies outside the folder it was said to be in, or is not a regular file there.
        case outside(String)
        /// Its bytes are not there, or not what they were.
        case missing(String)
        /// Its bytes are not what was announced.
        case differs(path: String, announced: String, found: String)

        /// The file, and what is wrong with it.
        package var description: String {
            switch self {
            case .outside(let path): "\(path) is not a regular file inside the attempt's workspace"
            case .missing(let path): "\(path) is missing or damaged"
            case .differs(let path, let announced, let found):
                "\(path) has SHA-256 \(found), announced was \(announced)"
            }
        }
    }

    /// The folder of all artifacts.
    package let root: String

    /// Opens the store at `root`, creating the folder if needed.
    package init(root: String) throws {
        self.root = root
        try Self.make(root)
        try Self.make(incoming)
    }

    /// The store at `root`, of which nothing is made: for who only reads it, or makes its folders later.
    package init(existing root: String) { self.root = root }

    /// Where files are copied before they get their names.
    var incoming: String { root + "/incoming" }

    /// Where the bytes with this digest are, whether or not they are there.
    package func path(of digest: SHA256Digest) -> String {
        let hex = digest.description
        return "\(root)/\(hex.prefix(2))/\(hex.dropFirst(2))"
    }

    /// Whether the bytes with this digest are there.
    /// - Throws: `SystemError` where that cannot be told: a folder that cannot be looked into is no missing file.
    package func contains(_ digest: SHA256Digest) throws -> Bool {
        if access(path(of: digest), F_OK) == 0 { return true }
        guard errno == ENOENT else { throw SystemError("look for", path(of: digest)) }
        return false
    }

    /// Takes in the file at `path`, which must be a regular file inside `folder` with the announced digest. Gives its
    /// size.
    @discardableResult
    package func take(_ path: String, inside folder: String, announced: SHA256Digest) throws -> Int64 {
        guard let real = Self.realPath(path), let base = Self.realPath(folder), real.hasPrefix(base + "/") else {
            throw Refusal.outside(path)
        }
        let source = open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard source >= 0 else { throw Refusal.outside(path) }
        defer { close(source) }
        var status = stat()
        guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Refusal.outside(path) }
        if let size = size(of: announced), size == Int64(status.st_size), touch(announced) { return size }
        return try bring(source, path, announced)
    }

    /// Takes in bytes from memory; gives their digest.
    package func put(_ data: Data) throws -> SHA256Digest {
        let digest = SHA256Digest.of(data)
        if size(of: digest) == Int64(data.count), touch(digest) { return digest }
        let temporary = "\(incoming)/\(UUID().uuidString)"
        defer { unlink(temporary) }
        try data.write(to: URL(fileURLWithPath: temporary))
        try take(temporary, inside: incoming, announced: digest)
        return digest
    }

    /// Copies the artifact to a file of the caller's, readable by all, over what was there; only whole bytes ever lie
    /// at `path`.
    /// - Throws: ``Refusal/missing(_:)`` where it is not there or damaged, `SystemError`.
    package func export(_ digest: SHA256Digest, to path: String) throws {
        let source = self.path(of: digest)
        guard (try? SHA256Digest.ofFile(source)) == digest else { throw Refusal.missing(source) }
        let file = open(source, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", source) }
        defer { close(file) }
        let temporary = path + "." + UUID().uuidString
        defer { unlink(temporary) }
        _ = try Self.copy(file, to: temporary)
        guard chmod(temporary, 0o644) == 0 else { throw SystemError("change the mode of", temporary) }
        guard rename(temporary, path) == 0 else { throw SystemError("rename", path) }
    }

    /// What is wrong with the artifact, every byte of it read; nil where nothing is.
    package func problem(of digest: SHA256Digest) -> String? {
        let path = path(of: digest)
        guard let found = try? SHA256Digest.ofFile(path) else { return "\(path) is missing or cannot be read" }
        return found == digest ? nil : "\(path) has SHA-256 \(found)"
    }

    /// The size of the artifact in bytes, or nil where there is none.
    package func size(of digest: SHA256Digest) -> Int64? {
        var status = stat()
        return stat(path(of: digest), &status) == 0 ? Int64(status.st_size) : nil
    }

    private func bring(_ source: Int32, _ name: String, _ announced: SHA256Digest) throws -> Int64 {
        let temporary = "\(incoming)/\(UUID().uuidString)"
        defer { unlink(temporary) }
        let bytes = try Self.copy(source, to: temporary)
        let found = try SHA256Digest.ofFile(temporary)
        guard found == announced else {
            throw Refusal.differs(path: name, announced: announced.description, found: found.description)
        }
        try Self.inherit(temporary)
        let target = path(of: announced)
        let folder = (target as NSString).deletingLastPathComponent
        try Self.make(folder)
        guard rename(temporary, target) == 0 else { throw SystemError("rename", target) }
        try Self.synchronize(folder)
        return bytes
    }

    private static func make(_ folder: String) throws {
        guard access(folder, F_OK) != 0 else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try inherit(folder)
    }

    /// What root makes here by hand belongs to whom the folder around it belongs to: the daemon has to read it, and to
    /// write beside it.
    private static func inherit(_ path: String) throws {
        guard geteuid() == 0 else { return }
        let folder = (path as NSString).deletingLastPathComponent
        var status = stat()
        guard stat(folder, &status) == 0 else { throw SystemError("look at", folder) }
        guard status.st_uid != 0 else { return }
        guard chown(path, status.st_uid, status.st_gid) == 0 else { throw SystemError("change the owner of", path) }
    }

    private static func copy(_ source: Int32, to path: String) throws -> Int64 {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o440)
        guard target >= 0 else { throw SystemError("create", path) }
        defer { close(target) }
        var total: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = read(source, buffer.baseAddress, buffer.count)
            guard count >= 0 else { throw SystemError("read", path) }
            if count == 0 { break }
            var start = 0
            while start < count {
                let written = write(target, buffer.baseAddress! + start, count - start)
                guard written > 0 else { throw SystemError("write", path) }
                start += written
            }
            total += Int64(count)
        }
        guard fsync(target) == 0 else { throw SystemError("fsync", path) }
        return total
    }

    private static func synchronize(_ folder: String) throws {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw SystemError("fsync", folder) }
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
