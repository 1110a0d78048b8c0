import Foundation

extension PicturePreparation {
    /// transformers' `preprocessor_config.json`.
    private struct Settings: Decodable {
        let size, crop: Int
        let mean, deviation: [Float]

        private enum CodingKeys: String, CodingKey {
            case size
            case crop = "crop_size"
            case mean = "image_mean"
            case deviation = "image_std"
        }

        /// A number, or an object of one under either name.
        private struct Side: Decodable {
            let pixels: Int

            private enum CodingKeys: String, CodingKey {
                case shortest = "shortest_edge"
                case height
            }

            init(from decoder: any Decoder) throws {
                if let number = try? decoder.singleValueContainer().decode(Int.self) {
                    pixels = number
                    return
                }
                let keys = try decoder.container(keyedBy: CodingKeys.self)
                pixels = try keys.decodeIfPresent(Int.self, forKey: .shortest) ?? keys.decode(Int.self, forKey: .height)
            }
        }

        init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            size = try keys.decode(Side.self, forKey: .size).pixels
            crop = try keys.decodeIfPresent(Side.self, forKey: .crop)?.pixels ?? size
            mean = try keys.decode([Float].self, forKey: .mean)
            deviation = try keys.decode([Float].self, forKey: .deviation)
        }
    }

    /// What the `preprocessor_config.json` of an encoder's folder says; nil where there is none.
    /// - Throws: an error naming the file where it is malformed.
    package init?(directory: String) throws {
        let path = "\(directory)/preprocessor_config.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let settings = try ConfigurationFile.read(Settings.self, path)
        guard settings.crop > 0, settings.size >= settings.crop, settings.mean.count == 3, settings.deviation.count == 3
        else {
            throw ConfigurationFile.Malformed(
                path: path, problem: "crop_size must not exceed size; image_mean and image_std need three numbers each")
        }
        self.init(
            shorterSide: settings.size, crop: settings.crop, mean: settings.mean, deviation: settings.deviation)
    }
}
