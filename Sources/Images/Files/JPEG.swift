import CJPEG
import Jobs

/// A JPEG file: its segments are read here, its pixels by libjpeg-turbo.
struct JPEGFile: PictureFile {
    let format = PictureFormat.jpeg
    private let data: [UInt8]
    private let outline: JPEGOutline

    init(_ data: [UInt8]) throws(PictureError) {
        outline = try JPEGOutline(data)
        self.data = data
    }

    var width: Int { outline.width }
    var height: Int { outline.height }
    var isGrey: Bool { outline.components == 1 }
    var orientation: Orientation { outline.camera.orientation ?? .upright }
    var colours: SourceColours {
        if let profile = outline.profile { return .profile(profile) }
        return outline.camera.isAdobeRGB && outline.components == 3 ? .adobeRGB : .sRGB
    }
    var warnings: [String] { [] }

    func raster() throws(PictureError) -> Raster {
        let isCMYK = outline.components == 4
        let samples: Raster.Samples = isCMYK ? (outline.isAdobe ? .inverseCMYK : .cmyk) : .rgb
        var raster = Raster(width: width, height: height, samples: samples)
        var report = atelier_jpeg_report()
        let succeeded = atelier_jpeg_decode(
            data, data.count, UInt32(width), UInt32(height), isCMYK, &raster.bytes, &report)
        guard succeeded else { throw .damaged(.jpeg, PNGFile.text(&report.message)) }
        return raster
    }
}
