import Foundation

extension PicturePreparation {
    /// transformers' `preprocessor_config.json`.
    private struct Settings: Decodable {
        let size, crop: Int
        let mean, deviation: [Float]
        /// What is asked for that is not done: a picture prepared otherwise than in training is seen wrong without a
        /// word.
        let unbuilt: [String]

        private enum CodingKeys: String, CodingKey {
            case size, resample
            case crop = "crop_size"
            case mean = "image_mean"
            case deviation = "image_std"
            case resizes = "do_resize"
            case crops = "do_center_crop"
            case rescales = "do_rescale"
            case factor = "rescale_factor"
            case normalizes = "do_normalize"
        }

        /// Pillow's number.
        private static let bicubic = 3

        /// A number, or an object of one under either name.
        private struct Side: Decodable {
            let pixels: Int
            /// Whether both sides are given, to which transformers squeezes pictures of any shape.
            let isOfBoth: Bool

            private enum CodingKeys: String, CodingKey {
                case shortest = "shortest_edge"
                case height
            }

            init(from decoder: any Decoder) throws {
                if let number = try? decoder.singleValueContainer().decode(Int.self) {
                    (pixels, isOfBoth) = (number, false)
                    return
                }
                let keys = try decoder.container(keyedBy: CodingKeys.self)
                let shortest = try keys.decodeIfPresent(Int.self, forKey: .shortest)
                (pixels, isOfBoth) = (try shortest ?? keys.decode(Int.self, forKey: .height), shortest == nil)
            }
        }

        init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let size = try keys.decode(Side.self, forKey: .size)
            let filter = try keys.value(.resample, Self.bicubic)
            let flags: [CodingKeys] = [.resizes, .crops, .rescales, .normalizes]
            var unbuilt = try flags.filter { try !keys.value($0, true) }.map { "\($0.rawValue) false" }
            if filter != Self.bicubic { unbuilt.append("resample \(filter)") }
            let factor = try keys.value(.factor, 1.0 / 255)
            if abs(255 * factor - 1) > 1e-3 { unbuilt.append("rescale_factor \(factor)") }
            if size.isOfBoth { unbuilt.append("a size of height and width") }
            (self.unbuilt, self.size) = (unbuilt, size.pixels)
            crop = try keys.decodeIfPresent(Side.self, forKey: .crop)?.pixels ?? size.pixels
            mean = try keys.decode([Float].self, forKey: .mean)
            deviation = try keys.decode([Float].self, forKey: .deviation)
        }
    }

    /// transformers' `processor_config.json`, which also says how texts are read.
    private struct Processor: Decodable {
        let pictures: Settings?

        private enum CodingKeys: String, CodingKey {
            case pictures = "image_processor"
        }
    }

    /// Since its fifth version transformers has all in one file, and asks that first.
    private static func settings(in directory: String) throws -> (path: String, settings: Settings)? {
        let (whole, own) = ("\(directory)/processor_config.json", "\(directory)/preprocessor_config.json")
        if FileManager.default.fileExists(atPath: whole),
            let settings = try ConfigurationFile.read(Processor.self, whole).pictures
        {
            return (whole, settings)
        }
        guard FileManager.default.fileExists(atPath: own) else { return nil }
        return (own, try ConfigurationFile.read(Settings.self, own))
    }

    /// What the `processor_config.json` or `preprocessor_config.json` of an encoder's folder says; nil where neither
    /// says anything.
    /// - Parameter side: pixels on a side of the encoder's pictures, where it takes no others.
    /// - Throws: an error naming the file where it is malformed, or for pictures of another size.
    package init?(directory: String, side: Int? = nil) throws {
        guard let (path, settings) = try Self.settings(in: directory) else { return nil }
        guard settings.unbuilt.isEmpty else {
            throw ConfigurationFile.Malformed(
                path: path,
                problem: settings.unbuilt.joined(separator: ", ")
                    + ": not built; the shorter side is resized by resample 3, the middle cut out and normalized")
        }
        guard settings.crop > 0, settings.size >= settings.crop, settings.mean.count == 3, settings.deviation.count == 3
        else {
            throw ConfigurationFile.Malformed(
                path: path, problem: "crop_size must not exceed size; image_mean and image_std need three numbers each")
        }
        if let side, side != settings.crop {
            throw ConfigurationFile.Malformed(
                path: path,
                problem: "crop_size is \(settings.crop), and the model's pictures have \(side) pixels a side")
        }
        self.init(
            shorterSide: settings.size, crop: settings.crop, mean: settings.mean, deviation: settings.deviation)
    }
}
