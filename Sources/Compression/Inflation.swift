import CZlib
import Foundation

/// What zlib packed: published vocabularies, and texts within pictures.
package enum Inflation {
    /// What stands around the packed bytes.
    package enum Wrapping {
        case gzip, zlib

        /// 16 more window bits: a gzip header is expected.
        fileprivate var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }
    }

    /// The contents of packed bytes.
    /// - Returns: nil when they are damaged, or the contents longer than `limit` bytes.
    package static func expanded(_ packed: some Collection<UInt8>, _ wrapping: Wrapping, limit: Int) -> Data? {
        var stream = z_stream()
        guard
            inflateInit2_(&stream, wrapping.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { inflateEnd(&stream) }
        var source = [UInt8](packed)
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
                if status == Z_STREAM_END { return result.count <= limit ? result : nil }
                guard status == Z_OK else { return nil }
            }
            return nil
        }
    }

    /// Whether bytes begin as gzip's.
    package static func isGzip(_ data: Data) -> Bool { data.starts(with: [0x1F, 0x8B]) }
}
