import Foundation

/// A whole file mapped read-only; unmapped with the object.
final class MappedFile: @unchecked Sendable {  // The mapped bytes never change.
    let path: String
    let bytes: UnsafeRawBufferPointer

    /// - Throws: `CheckpointError` for what is missing, no regular file, or cannot be mapped.
    init(path: String) throws(CheckpointError) {
        self.path = path
        // A named pipe must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CheckpointError(path: path, problem: FilePlace.brokenLink(at: path) ?? reason)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, (status.st_mode & S_IFMT) == S_IFREG else {
            throw CheckpointError(path: path, problem: "it is not a regular file")
        }
        guard status.st_size > 0 else {
            throw CheckpointError(path: path, problem: "it is empty (0 bytes); fetch it again")
        }
        guard let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else {
            throw CheckpointError(path: path, problem: "it could not be mapped: \(String(cString: strerror(errno)))")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
    }

    /// Takes the whole pages within `bytes`, a part of this file's, out of the process's memory until they are read
    /// again.
    func forget(_ bytes: UnsafeRawBufferPointer) {
        let page = Int(getpagesize())
        let start = (Int(bitPattern: bytes.baseAddress) + page - 1) / page * page
        let end = (Int(bitPattern: bytes.baseAddress) + bytes.count) / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_DONTNEED)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

/// Some of a mapped file's bytes, which it keeps mapped.
struct MappedBytes: Sendable {
    let file: MappedFile
    let range: Range<Int>

    var pointer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }
    var count: Int { range.count }

    /// A part, counted from this one's start.
    /// - Precondition: it lies within.
    func part(_ part: Range<Int>) -> MappedBytes {
        precondition(part.upperBound <= range.count)
        return MappedBytes(file: file, range: range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
    }
}
