import Foundation

/// Lines and runs of bytes from a file, in turns.
final class InputReader {
    private let file: Int32
    private var pending = Data()

    init(_ file: Int32) { self.file = file }

    /// The next line without its end; nil where the file ends.
    func line() throws -> Data? {
        var searched = 0
        while true {
            if let end = pending.dropFirst(searched).firstIndex(of: 0x0A) {
                defer { pending = Data(pending[(end + 1)...]) }
                return Data(pending[..<end])
            }
            searched = pending.count
            guard try fill() else { return nil }
        }
    }

    /// Exactly so many bytes.
    func bytes(_ count: Int) throws -> Data {
        while pending.count < count {
            guard try fill() else { throw CocoaError(.fileReadCorruptFile) }
        }
        defer { pending = Data(pending.dropFirst(count)) }
        return Data(pending.prefix(count))
    }

    private func fill() throws -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return count > 0
        }
    }
}
