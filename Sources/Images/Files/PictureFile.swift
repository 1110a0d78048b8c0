import Jobs

/// A file of one of the formats, looked through but not decoded.
protocol PictureFile {
    var format: PictureFormat { get }
    /// As its rows are stored, both at least 1.
    var width: Int { get }
    var height: Int { get }
    var orientation: Orientation { get }
    /// Whether its pixels are greys, whatever the raster holds.
    var isGrey: Bool { get }
    var colours: SourceColours { get }
    var warnings: [String] { get }
    /// Decodes it.
    func raster() throws(PictureError) -> Raster
}
