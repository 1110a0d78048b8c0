/// The formats of pictures that can be read, told by a file's first bytes, never by its name.
package enum PictureFormat: String, Sendable, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"
    case webp = "WebP"

    /// How a PNG begins (PNG, third edition, 5.2).
    package static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// The format of what begins so; nil where it is none of them.
    package init?(_ bytes: some Sequence<UInt8>) {
        let start = Array(bytes.prefix(16))
        if ForeignFile.isApplesPNG(start) { return nil }
        if start.starts(with: Self.pngSignature) {
            self = .png
        } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if start.starts(with: "RIFF".utf8), start.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webp
        } else {
            return nil
        }
    }

    /// As browsers know it, `image/png`.
    package var mediaType: String { "image/\(rawValue.lowercased())" }

    /// All of them, for whoever brings another.
    package static let words = "a PNG, a JPEG or a WebP"
}
