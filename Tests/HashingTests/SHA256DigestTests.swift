import Foundation
import Hashing
import Testing

@Suite struct SHA256DigestTests {
    /// FIPS 180-4's own examples, and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]) func knownDigests(_ text: String, _ digits: String) {
        #expect(SHA256Digest.of(Data(text.utf8)).description == digits)
        #expect(SHA256Digest.of(Data(text.utf8)).prefixed == "sha256:" + digits)
    }

    @Test func aFileOfSeveralPartsHasTheDigestOfItsBytes() throws {
        let bytes = (0..<(5 << 19) + 3).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try SHA256Digest.ofFile(path) == SHA256Digest.of(bytes))
        #expect(throws: (any Error).self) { try SHA256Digest.ofFile(path + ".none") }
    }

    @Test func onlySixtyFourLowercaseDigitsAreADigest() {
        let digits = String(repeating: "0a", count: 32)
        #expect(SHA256Digest(digits)?.description == digits)
        #expect(SHA256Digest("sha256:" + digits)?.description == digits)
        for text in [
            "", digits.uppercased(), digits + "0", String(digits.dropLast()), "sha1:" + digits, digits.dropLast() + "é",
        ] {
            #expect(SHA256Digest(text) == nil, "\(text)")
        }
    }
}
