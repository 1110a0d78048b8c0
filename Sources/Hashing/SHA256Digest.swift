import COpenSSL
import Foundation

/// The SHA-256 of some bytes (FIPS 180-4), computed by libcrypto. Prints as 64 hexadecimal digits in lowercase.
package struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    /// 64 hexadecimal digits in lowercase.
    package let description: String

    /// The form of messages: `sha256:` and the digits.
    package var prefixed: String { "sha256:" + description }

    /// Reads 64 hexadecimal digits in lowercase, with or without `sha256:` before them; nil for anything else.
    package init?(_ text: String) {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let isHex = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard digits.utf8.count == 64, isHex else { return nil }
        description = digits
    }

    /// The digest of `bytes`.
    package static func of(_ bytes: some Sequence<UInt8>) -> SHA256Digest {
        var hash = SHA256Computation()
        hash.update(Array(bytes))
        return hash.finish()
    }

    /// The digest of a file's bytes, read a mebibyte at a time. Throws when it cannot be read.
    package static func ofFile(_ path: String) throws -> SHA256Digest {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256Computation()
        while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { hash.update(part) }
        return hash.finish()
    }

    fileprivate init(digits: String) { description = digits }
}

/// A digest in the making: bytes go in part by part. Owns libcrypto's context.
package struct SHA256Computation: ~Copyable {
    private let context: OpaquePointer

    /// Begins.
    package init() {
        _ = CryptographyLibrary.staysUntilTheEnd
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    package mutating func update(_ bytes: some ContiguousBytes) {
        bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// Ends and gives the digest.
    package consuming func finish() -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        EVP_DigestFinal_ex(context, &digest, &length)
        return SHA256Digest(digits: digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}
