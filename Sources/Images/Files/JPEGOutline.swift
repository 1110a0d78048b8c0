/// What a JPEG file claims about itself: its segments up to the first scan (ITU-T T.81, annex B), read from the bytes
/// before anything is decoded, so that a file which claims too much costs nothing.
struct JPEGOutline {
    private(set) var width = 0
    private(set) var height = 0
    private(set) var components = 0
    /// Whether Adobe's segment is there: its CMYK is written the other way round.
    private(set) var isAdobe = false
    private(set) var camera = CameraRemarks()
    /// The ICC profile; nothing of it where a part is missing.
    private(set) var profile: [UInt8]?

    init(_ data: [UInt8]) throws(PictureError) {
        var (parts, partCount): ([Int: ArraySlice<UInt8>], Int) = ([:], 0)
        var offset = 2
        while let segment = try JPEGOutline.segment(at: &offset, of: data) {
            let bytes = segment.data
            switch segment.marker {
            case 0xE1 where bytes.starts(with: "Exif\0\0".utf8):
                camera.read(exif: bytes)
            case 0xE1 where bytes.starts(with: "http://ns.adobe.com/xap/1.0/\0".utf8): camera.read(xmp: bytes)
            case 0xE2 where bytes.starts(with: "ICC_PROFILE\0".utf8) && bytes.count > 14:
                parts[Int(bytes[bytes.startIndex + 12])] = bytes.dropFirst(14)
                partCount = Int(bytes[bytes.startIndex + 13])
            case 0xEE where bytes.starts(with: "Adobe".utf8): isAdobe = true
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(segment.marker): try readFrame(bytes)
            default: break
            }
        }
        guard width > 0 else { throw .damaged(.jpeg, "it has no frame before its first scan") }
        if parts.isEmpty { return }
        // Parts are numbered from 1, and each tells how many there are.
        let profileParts = (0..<partCount).compactMap { parts[$0 + 1] }
        profile = profileParts.count == partCount ? Array(profileParts.joined()) : []
    }

    private mutating func readFrame(_ bytes: ArraySlice<UInt8>) throws(PictureError) {
        let frame = Array(bytes.prefix(6))
        guard frame.count == 6, width == 0 else { throw .damaged(.jpeg, "its frame's header is not one") }
        guard frame[0] == 8 else {
            throw .damaged(.jpeg, "its samples have \(frame[0]) bits, where 8 can be read: convert it")
        }
        (height, width) = (Int(frame[1]) << 8 | Int(frame[2]), Int(frame[3]) << 8 | Int(frame[4]))
        components = Int(frame[5])
        guard width > 0, height > 0 else { throw .damaged(.jpeg, "its frame is \(width)×\(height) pixels") }
        guard [1, 3, 4].contains(components) else {
            throw .damaged(.jpeg, "it has \(components) components, where 1, 3 or 4 are colours")
        }
    }

    /// The segment whose marker is next; nil where the first scan begins.
    private static func segment(
        at offset: inout Int, of data: [UInt8]
    ) throws(PictureError) -> (marker: UInt8, data: ArraySlice<UInt8>)? {
        // Bytes between segments, which some cameras write, are passed over; a marker may have any number of 0xFF.
        while offset < data.count, data[offset] != 0xFF { offset += 1 }
        while offset < data.count, data[offset] == 0xFF { offset += 1 }
        guard offset + 3 <= data.count else {
            throw .damaged(.jpeg, "it ends at byte \(data.count), before its pixels")
        }
        let marker = data[offset]
        offset += 1
        // Those without a length: nothing, TEM, and restarts.
        if marker <= 0x01 || (0xD0...0xD8).contains(marker) { return (marker, []) }
        if marker == 0xDA { return nil }
        let length = Int(data[offset]) << 8 | Int(data[offset + 1])
        guard length >= 2, offset + length <= data.count else {
            throw .damaged(.jpeg, "a segment of \(length) bytes at byte \(offset) does not fit into its \(data.count)")
        }
        defer { offset += length }
        return (marker, data[offset + 2..<offset + length])
    }
}
