import Backbones
import Checkpoints
import Foundation
import Jobs

/// The sizes of the installed models, each read when it is first asked for and again when its configuration changes.
final class InstalledSizes {
    private let directory: String
    private var known: [String: (stamp: Date, sizes: ModelSizes)] = [:]

    /// - Parameter directory: the folder of all models.
    init(directory: String) { self.directory = directory }

    /// Nil where the model is not here, damaged, or draws nothing.
    func model(_ name: String, size: ModelDescription.Size? = nil) -> ModelSizes? {
        guard ModelDescription.isName(name) else { return nil }
        let folder = "\(directory)/\(name)"
        let key = "\(name) \(size?.text ?? "")"
        let stamp = Self.changed("\(folder)/\(ModelDescription.fileName)")
        if let found = known[key], found.stamp == stamp { return found.sizes }
        guard let sizes = try? ModelSizes(directory: folder, size: size) else { return nil }
        known[key] = (stamp, sizes)
        return sizes
    }

    /// Other models of a model's family.
    func names(like model: ModelDescription) -> [String] {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return folders.sorted().filter { name in
            name != model.name && self.model(name)?.description.family == model.family
        }
    }

    /// Nil where CLIP or DINO is not here.
    func encoders(_ names: ModelDescription.Encoders) -> EncoderSizes? {
        try? EncoderSizes(
            clip: "\(directory)/\(names.clip)", dino: "\(directory)/\(names.dino)", lpips: "\(directory)/lpips")
    }

    private static func changed(_ path: String) -> Date {
        (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
    }
}
