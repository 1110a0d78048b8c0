import CZlib
import Foundation

/// CRC-32, as zip archives have it.
package enum CyclicRedundancyCheck {
    /// The checksum of the bytes that `checksum` is of, 0 of none, and of those that follow them.
    package static func updated(_ checksum: UInt32, with bytes: Data) -> UInt32 {
        bytes.withUnsafeBytes { bytes in
            // Of no bytes at all zlib begins anew.
            guard let first = bytes.bindMemory(to: UInt8.self).baseAddress else { return checksum }
            return UInt32(truncatingIfNeeded: crc32(UInt(checksum), first, UInt32(bytes.count)))
        }
    }
}
