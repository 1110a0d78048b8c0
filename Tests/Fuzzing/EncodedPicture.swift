import FileTesting
import Images

/// A picture in one of the formats whose pixels other people's libraries decode.
private func isRead(_ bytes: [UInt8]) -> Bool {
    let limits = PictureLimits(side: 512, pixels: 1 << 16, bytes: 1 << 16)
    do throws(PictureError) {
        let decoded = try DecodedPicture(bytes, limits: limits)
        let (picture, outline) = (decoded.picture, decoded.outline)
        precondition(picture.pixels.count == 3 * picture.width * picture.height)
        precondition(picture.width <= limits.side && picture.height <= limits.side)
        precondition(outline.width == picture.width && outline.height == picture.height)
        return true
    } catch {
        precondition(!error.description.isEmpty && error.description.utf8.count < 1000)
        return false
    }
}

enum JPEGPicture: FuzzTarget {
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        var bytes = Array(bytes)
        if isRead(bytes) || bytes.count < 3 { return }
        // What begins otherwise is another format.
        bytes.replaceSubrange(0..<3, with: [0xFF, 0xD8, 0xFF])
        _ = isRead(bytes)
    }

    static var seeds: [String: [UInt8]] {
        [
            "baseline": EncodedPictures.jpeg, "subsampled": EncodedPictures.subsampledJPEG,
            "progressive": EncodedPictures.progressiveJPEG, "grey": EncodedPictures.greyJPEG,
            "cmyk": EncodedPictures.cmykJPEG,
            "exif": EncodedPictures.jpeg(EncodedPictures.jpeg, exif: HandmadeExif.orientation(6)),
            "profile": EncodedPictures.jpeg(EncodedPictures.jpeg, profile: HandmadeProfile.displayP3),
        ]
    }

    static let words = ["Exif\\x00\\x00", "ICC_PROFILE\\x00", "Adobe", "JFIF\\x00"]
}

enum WebPPicture: FuzzTarget {
    /// As it came, and with the lengths of the file and its head made right.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        var bytes = Array(bytes)
        if isRead(bytes) || bytes.count < 20 { return }
        let length = bytes.count - 8
        bytes.replaceSubrange(0..<12, with: Array("RIFF".utf8) + little(length) + Array("WEBP".utf8))
        _ = isRead(bytes)
    }

    private static func little(_ value: Int) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static var seeds: [String: [UInt8]] {
        [
            "lossy": EncodedPictures.webp, "alpha": EncodedPictures.alphaWebP, "animated": EncodedPictures.animatedWebP,
            "exif": EncodedPictures.webp(EncodedPictures.webp, exif: HandmadeExif.orientation(8, isBig: false)),
            "profile": EncodedPictures.webp(EncodedPictures.webp, profile: HandmadeProfile.swapped),
        ]
    }

    static let words = ["RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "ANIM", "ANMF", "ALPH", "ICCP", "EXIF", "XMP "]
}

/// A colour profile, in a JPEG where numbers are three and in a PNG of 16 bits where they are one.
enum ColourProfileFile: FuzzTarget {
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        let profile = Array(bytes.prefix(60_000))
        precondition(isRead(EncodedPictures.jpeg(EncodedPictures.greyJPEG, profile: profile)))
        precondition(isRead(EncodedPictures.jpeg(EncodedPictures.cmykJPEG, profile: profile)))
        precondition(isRead(EncodedPictures.webp(EncodedPictures.webp, profile: profile)))
    }

    static let seeds = [
        "p3": HandmadeProfile.displayP3, "swapped": HandmadeProfile.swapped, "grey": HandmadeProfile.linearGrey,
        "inks": HandmadeProfile.inks,
    ]
    static let words = [
        "acsp", "mntr", "prtr", "scnr", "spac", "link", "abst", "RGB ", "GRAY", "CMYK", "XYZ ", "Lab ", "rXYZ", "gXYZ",
        "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "wtpt", "chad", "A2B0", "B2A0", "curv", "para", "mft1", "mft2", "mAB ",
        "mBA ", "mpet", "desc", "mluc", "text", "sf32",
    ]
}
