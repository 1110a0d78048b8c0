import CZlib
import Foundation

/// Compressed files as published vocabularies come.
enum Gzip {
    /// The contents of a gzip file held in memory.
    /// - Returns: nil when it is damaged, or longer than `limit` bytes.
    static func expanded(_ compressed: Data, limit: Int = 64 << 20) -> Data? {
        var stream = z_stream()
        // 16 more window bits: a gzip header is expected.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(&stream) }
        var source = [UInt8](compressed)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var result = Data()
        return source.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            while result.count <= limit {
                let status = chunk.withUnsafeMutableBufferPointer { chunk in
                    stream.next_out = chunk.baseAddress
                    stream.avail_out = UInt32(chunk.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                result.append(contentsOf: chunk.prefix(chunk.count - Int(stream.avail_out)))
                if status == Z_STREAM_END { return result }
                guard status == Z_OK else { return nil }
            }
            return nil
        }
    }

    static func isCompressed(_ data: Data) -> Bool { data.starts(with: [0x1F, 0x8B]) }
}
