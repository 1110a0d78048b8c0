import CLittleCMS

/// Brings a file's colours to sRGB.
struct ColourConversion {
    /// What the file's colours lost, in words.
    private(set) var warnings: [String] = []

    /// The same pixels in sRGB, of 8 bits; as they stand, with a warning, where what the file says of them does not
    /// fit.
    mutating func convert(_ raster: consuming Raster, from colours: SourceColours, isGrey: Bool) -> Raster {
        switch colours {
        case .sRGB: return plain(raster)
        case .profile(let bytes): return convert(raster, profile: bytes, isGrey: isGrey)
        case .measured(let primaries, let gamma):
            // What states a power is shown by one: the usual 1/2.2 stays as it is.
            guard let source = ColourProfile(primaries, .power(1 / gamma)),
                let target = ColourProfile(.sRGB, .power(2.2)),
                let converted = converted(raster, source, target)
            else { return unconverted(raster, "its primaries and gamma span no colours") }
            return converted
        case .coded(let coded): return convert(raster, coded)
        case .adobeRGB:
            // The standard's exponent (Adobe RGB (1998), 4.3.4.2).
            guard let source = ColourProfile(.adobeRGB, .power(563.0 / 256)),
                let converted = converted(raster, source, .sRGB)
            else { return unconverted(raster, "they are Adobe RGB's, which cannot be applied") }
            return converted
        }
    }

    private mutating func convert(_ raster: consuming Raster, profile bytes: [UInt8], isGrey: Bool) -> Raster {
        guard let profile = ColourProfile(icc: bytes) else {
            return unconverted(raster, "its colour profile is damaged")
        }
        let name = profile.name
        let channels = raster.samples.isCMYK ? 4 : 3
        if isGrey, profile.channels == 1, let ramp = GreyRamp(profile, isWide: raster.samples == .wideRGBA) {
            return ramp.applied(raster)
        }
        guard profile.channels == channels else {
            return unconverted(raster, "its colour profile \(name) is for other colours than it has")
        }
        guard let converted = converted(raster, profile, .sRGB) else {
            return unconverted(raster, "its colour profile \(name) cannot be applied")
        }
        return converted
    }

    private mutating func convert(_ raster: consuming Raster, _ coded: CodedColours) -> Raster {
        guard let (points, name) = Primaries.coded(coded.primaries),
            let function = TransferFunction(coded: coded.transfer),
            let source = ColourProfile(points, function), let converted = converted(raster, source, .sRGB)
        else {
            return unconverted(
                raster, "its colours are coded as \(coded.primaries)/\(coded.transfer) (H.273), not known here")
        }
        warnings += coded.remarks
        if function.isHighDynamicRange {
            warnings.append("colours of high dynamic range (\(name), \(function.name)) were cut at white")
        }
        return converted
    }

    private mutating func unconverted(_ raster: consuming Raster, _ reason: String) -> Raster {
        warnings.append("its colours are taken as they stand: \(reason)")
        return plain(raster)
    }

    /// Without any profile: CMYK by the simplest of formulas, and only the upper 8 of 16 bits.
    private mutating func plain(_ raster: consuming Raster) -> Raster {
        switch raster.samples {
        case .rgb, .rgba: return raster
        case .wideRGBA: return narrowed(raster)
        case .cmyk, .inverseCMYK:
            if warnings.isEmpty {
                warnings.append("its CMYK colours are approximate: it brings no colour profile")
            }
            return inked(raster)
        }
    }

    private func narrowed(_ raster: Raster) -> Raster {
        var result = Raster(width: raster.width, height: raster.height, samples: .rgba)
        raster.bytes.withUnsafeBytes { bytes in
            for (index, sample) in bytes.bindMemory(to: UInt16.self).enumerated() {
                result.bytes[index] = UInt8((UInt32(sample) * 255 + 32_767) / 65_535)
            }
        }
        return result
    }

    private func inked(_ raster: Raster) -> Raster {
        var result = Raster(width: raster.width, height: raster.height, samples: .rgb)
        let flip: UInt8 = raster.samples == .cmyk ? 255 : 0
        for index in 0..<raster.width * raster.height {
            let paper = Int(raster.bytes[4 * index + 3] ^ flip)
            for c in 0..<3 {
                result.bytes[3 * index + c] = UInt8((Int(raster.bytes[4 * index + c] ^ flip) * paper + 127) / 255)
            }
        }
        return result
    }

    private func converted(
        _ raster: borrowing Raster, _ source: borrowing ColourProfile, _ target: borrowing ColourProfile
    ) -> Raster? {
        let (input, output): (UInt32, UInt32)
        var result: Raster
        switch raster.samples {
        case .rgb: (input, output, result) = (atelier_rgb8, atelier_rgb8, copy raster)
        case .rgba: (input, output, result) = (atelier_rgba8, atelier_rgba8, copy raster)
        case .wideRGBA:
            (input, output) = (atelier_rgba16, atelier_rgba8)
            result = Raster(width: raster.width, height: raster.height, samples: .rgba)
        case .cmyk, .inverseCMYK:
            (input, output) = (raster.samples == .cmyk ? atelier_cmyk8 : atelier_inverse_cmyk8, atelier_rgb8)
            result = Raster(width: raster.width, height: raster.height, samples: .rgb)
        }
        let hasAlpha = raster.samples == .rgba || raster.samples == .wideRGBA
        guard let transform = ColourTransform(from: source, input, to: target, output, keepsAlpha: hasAlpha) else {
            return nil
        }
        if raster.samples == .rgb || raster.samples == .rgba, Self.isIdentity(source, target) { return result }
        raster.bytes.withUnsafeBytes { old in
            result.bytes.withUnsafeMutableBytes { new in
                transform.convert(old.baseAddress!, to: new.baseAddress!, count: raster.width * raster.height)
            }
        }
        return result
    }

    /// Whether colours stay what they are, but for rounding: most profiles are sRGB's under another name.
    private static func isIdentity(_ source: borrowing ColourProfile, _ target: borrowing ColourProfile) -> Bool {
        guard let transform = ColourTransform(from: source, atelier_rgb8, to: target, atelier_rgb8) else {
            return false
        }
        let levels: [UInt8] = [0, 16, 48, 96, 128, 176, 224, 255]
        let colours = levels.flatMap { r in levels.flatMap { g in levels.flatMap { b in [r, g, b] } } }
        var converted = colours
        transform.convert(colours, to: &converted, count: colours.count / 3)
        return zip(colours, converted).allSatisfy { abs(Int($0) - Int($1)) <= 1 }
    }
}

extension Raster.Samples {
    var isCMYK: Bool { self == .cmyk || self == .inverseCMYK }
}

/// What each grey of a profile for greys alone is in sRGB.
private struct GreyRamp {
    private let colours: [UInt8]

    init?(_ profile: borrowing ColourProfile, isWide: Bool) {
        let form = isWide ? atelier_grey16 : atelier_grey8
        guard let transform = ColourTransform(from: profile, form, to: .sRGB, atelier_rgb8) else { return nil }
        let count = isWide ? 65_536 : 256
        var colours = [UInt8](repeating: 0, count: 3 * count)
        if isWide {
            transform.convert((0...UInt16.max).map { $0 }, to: &colours, count: count)
        } else {
            transform.convert((0...UInt8.max).map { $0 }, to: &colours, count: count)
        }
        self.colours = colours
    }

    func applied(_ raster: Raster) -> Raster {
        let hasAlpha = raster.samples != .rgb
        var result = Raster(width: raster.width, height: raster.height, samples: hasAlpha ? .rgba : .rgb)
        let channels = hasAlpha ? 4 : 3
        raster.bytes.withUnsafeBytes { bytes in
            let wide = raster.samples == .wideRGBA ? bytes.bindMemory(to: UInt16.self) : nil
            for index in 0..<raster.width * raster.height {
                let grey = wide.map { Int($0[4 * index]) } ?? Int(bytes[channels * index])
                for c in 0..<3 { result.bytes[channels * index + c] = colours[3 * grey + c] }
                if hasAlpha {
                    result.bytes[4 * index + 3] = wide.map { UInt8($0[4 * index + 3] >> 8) } ?? bytes[4 * index + 3]
                }
            }
        }
        return result
    }
}
