import Foundation

/// An input as a file, for readers that map files; it lies in memory.
enum MemoryFile {
    private static let file = {
        let name = "/atelier-fuzz-\(getpid())"
        let file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        shm_unlink(name)
        return file
    }()
    static let path = "/proc/self/fd/\(file)"

    /// Makes the file hold these bytes and no others.
    static func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard ftruncate(file, bytes.count) == 0, pwrite(file, bytes.baseAddress, bytes.count, 0) == bytes.count else {
            fatalError("no memory for an input")
        }
    }
}
