import CWebP
import Jobs

/// A WebP file, by libwebp.
struct WebPFile: PictureFile {
    let format = PictureFormat.webp
    let width: Int
    let height: Int
    let orientation: Orientation
    let colours: SourceColours
    let warnings: [String]
    let isGrey = false
    private let data: [UInt8]

    init(_ data: [UInt8]) throws(PictureError) {
        self.data = data
        let outline: WebPOutline? = data.withUnsafeBytes { bytes in
            guard let chunks = WebPChunks(bytes) else { return nil }
            return WebPOutline(
                width: chunks.number(WEBP_FF_CANVAS_WIDTH), height: chunks.number(WEBP_FF_CANVAS_HEIGHT),
                frames: chunks.number(WEBP_FF_FRAME_COUNT), exif: chunks.chunk("EXIF"),
                xmp: chunks.chunk("XMP "), profile: chunks.chunk("ICCP"))
        }
        guard let outline, outline.width > 0, outline.height > 0, outline.frames > 0 else {
            throw .damaged(.webp, Self.reason(data))
        }
        (width, height) = (outline.width, outline.height)
        var camera = CameraRemarks()
        camera.read(exif: outline.exif ?? [])
        camera.read(xmp: outline.xmp ?? [])
        orientation = camera.orientation ?? .upright
        colours = outline.profile.map(SourceColours.profile) ?? (camera.isAdobeRGB ? .adobeRGB : .sRGB)
        warnings = outline.frames > 1 ? ["an animation of \(outline.frames) frames: the first is taken"] : []
    }

    func raster() throws(PictureError) -> Raster {
        var raster = Raster(width: width, height: height, samples: .rgba)
        let isDecoded = data.withUnsafeBytes { bytes -> Bool in
            guard let chunks = WebPChunks(bytes), let frame = chunks.firstFrame,
                frame.left + frame.width <= width, frame.top + frame.height <= height
            else { return false }
            // Where the first frame does not reach, its canvas is transparent.
            let start = 4 * (frame.top * width + frame.left)
            return raster.bytes.withUnsafeMutableBufferPointer { pixels in
                WebPDecodeRGBAInto(
                    frame.bytes.bindMemory(to: UInt8.self).baseAddress, frame.bytes.count, pixels.baseAddress! + start,
                    pixels.count - start, Int32(4 * width)) != nil
            }
        }
        guard isDecoded else { throw .damaged(.webp, "its pixels cannot be decoded") }
        return raster
    }

    /// What is wrong with a file whose chunks do not fit: most often its end is missing.
    private static func reason(_ data: [UInt8]) -> String {
        guard data.count >= 12 else { return "it ends at byte \(data.count), inside its header" }
        let claimed = 8 + data[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        return claimed > data.count
            ? "it ends at byte \(data.count) of \(claimed)" : "its chunks do not make a picture"
    }
}

private struct WebPOutline {
    let width, height, frames: Int
    let exif, xmp, profile: [UInt8]?
}

/// A frame where it lies in the file.
private struct WebPFrame {
    let left, top, width, height: Int
    let bytes: UnsafeRawBufferPointer
}

/// A file's chunks, as libwebp's demultiplexer finds them. Whoever holds it owns it; it points into the file's bytes.
private struct WebPChunks: ~Copyable {
    private let handle: OpaquePointer

    /// Nil where the chunks do not make a whole file.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var data = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
        guard let handle = WebPDemux(&data) else { return nil }
        self.handle = handle
    }

    deinit { WebPDemuxDelete(handle) }

    func number(_ feature: WebPFormatFeature) -> Int { Int(WebPDemuxGetI(handle, feature)) }

    /// A copy of a chunk's data; nil where there is none.
    func chunk(_ name: String) -> [UInt8]? {
        var iterator = WebPChunkIterator()
        guard WebPDemuxGetChunk(handle, name, 1, &iterator) != 0 else { return nil }
        defer { WebPDemuxReleaseChunkIterator(&iterator) }
        return [UInt8](UnsafeBufferPointer(start: iterator.chunk.bytes, count: iterator.chunk.size))
    }

    /// The first one; nil where it is not whole.
    var firstFrame: WebPFrame? {
        var iterator = WebPIterator()
        guard WebPDemuxGetFrame(handle, 1, &iterator) != 0 else { return nil }
        defer { WebPDemuxReleaseIterator(&iterator) }
        guard iterator.complete != 0 else { return nil }
        return WebPFrame(
            left: Int(iterator.x_offset), top: Int(iterator.y_offset), width: Int(iterator.width),
            height: Int(iterator.height),
            bytes: UnsafeRawBufferPointer(start: iterator.fragment.bytes, count: iterator.fragment.size))
    }
}
