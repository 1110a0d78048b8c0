import CLittleCMS

/// What numbers mean, as Little CMS knows it. Whoever holds it owns it.
struct ColourProfile: ~Copyable {
    fileprivate let handle: cmsHPROFILE

    private init?(_ handle: cmsHPROFILE?) {
        guard let handle else { return nil }
        self.handle = handle
    }

    /// Reads an ICC profile; nil where it is none.
    init?(icc bytes: [UInt8]) {
        self.init(bytes.withUnsafeBytes { cmsOpenProfileFromMem($0.baseAddress, UInt32($0.count)) })
    }

    /// Describes an RGB space; nil where its primaries span none.
    init?(_ primaries: Primaries, _ transfer: TransferFunction) {
        guard let curve = Self.curve(of: transfer) else { return nil }
        defer { cmsFreeToneCurve(curve) }
        func point(_ point: Primaries.Point) -> cmsCIExyY { cmsCIExyY(x: point.x, y: point.y, Y: 1) }
        var white = point(primaries.white)
        var triple = cmsCIExyYTRIPLE(
            Red: point(primaries.red), Green: point(primaries.green), Blue: point(primaries.blue))
        var curves: [OpaquePointer?] = [curve, curve, curve]
        self.init(cmsCreateRGBProfile(&white, &triple, &curves))
    }

    static var sRGB: ColourProfile { ColourProfile(cmsCreate_sRGBProfile())! }

    deinit { cmsCloseProfile(handle) }

    /// How many numbers a colour has; nil where it is neither grey, RGB nor CMYK.
    var channels: Int? {
        switch cmsGetColorSpace(handle) {
        case cmsSigGrayData: 1
        case cmsSigRgbData: 3
        case cmsSigCmykData: 4
        default: nil
        }
    }

    /// What it calls itself.
    var name: String {
        var text = [CChar](repeating: 0, count: 80)
        _ = "en".withCString { language in
            "US".withCString { country in
                cmsGetProfileInfoASCII(handle, cmsInfoDescription, language, country, &text, UInt32(text.count))
            }
        }
        let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? "without a name" : "“\(name)”"
    }

    /// Light is cut where a page's white ends.
    private static func curve(of transfer: TransferFunction) -> OpaquePointer? {
        if case .power(let exponent) = transfer { return cmsBuildGamma(nil, exponent) }
        let last = 4095
        let table = (0...last).map { index -> UInt16 in
            UInt16((min(max(transfer.light(Double(index) / Double(last)), 0), 1) * 65_535).rounded())
        }
        return cmsBuildTabulatedToneCurve16(nil, UInt32(table.count), table)
    }
}

/// A way from one profile's numbers to another's. Whoever holds it owns it.
struct ColourTransform: ~Copyable {
    private let handle: cmsHTRANSFORM

    /// Nil where there is no such way.
    /// - Parameters:
    ///   - input: as Little CMS writes the form of pixels.
    init?(
        from source: borrowing ColourProfile, _ input: UInt32, to target: borrowing ColourProfile, _ output: UInt32,
        keepsAlpha: Bool = false
    ) {
        let handle = cmsCreateTransform(
            source.handle, input, target.handle, output, UInt32(INTENT_PERCEPTUAL),
            keepsAlpha ? atelier_copy_alpha : 0)
        guard let handle else { return nil }
        self.handle = handle
    }

    deinit { cmsDeleteTransform(handle) }

    /// Converts so many pixels; both places may be one where pixels take as many bytes before and after.
    func convert(_ input: UnsafeRawPointer, to output: UnsafeMutableRawPointer, count: Int) {
        cmsDoTransform(handle, input, output, UInt32(count))
    }
}
