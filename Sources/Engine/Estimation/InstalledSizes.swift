import Backbones
import Catalogue
import Checkpoints
import Foundation
import Jobs

/// The sizes of the installed models, each read when it is first asked for and again when its configuration changes.
final class InstalledSizes {
    private let directory: String
    private var known: [String: (stamp: Date, sizes: ModelSizes)] = [:]

    /// - Parameter directory: the folder of all models.
    init(directory: String) { self.directory = directory }

    /// Nil where the model is not here, damaged, or draws nothing, or no pictures of that size.
    func model(_ name: String, size: ModelDescription.Size? = nil) -> ModelSizes? {
        guard let usual = sizes(of: name) else { return nil }
        guard let size else { return usual }
        guard let shape = usual.description.shape(of: size) else { return nil }
        return shape == usual.size ? usual : sizes(of: name, in: shape)
    }

    /// Why there are no sizes of a model, for people; nil where there are.
    func fault(of name: String, size: ModelDescription.Size?) -> String? {
        guard model(name, size: size) == nil else { return nil }
        let folder = "\(directory)/\(name)"
        guard ModelDescription.isName(name), FileManager.default.fileExists(atPath: folder) else {
            return "there is no model \(name) here"
        }
        do {
            let usual = try ModelSizes(directory: folder, size: nil)
            guard let size, let shape = usual.description.shape(of: size) else {
                return "\(name) draws no pictures\(size.map { " of \($0.text)" } ?? "")"
            }
            _ = try ModelSizes(directory: folder, size: shape)
            return nil
        } catch { return "\(error)" }
    }

    /// Kept by shapes: of those there are few.
    private func sizes(of name: String, in shape: ModelDescription.Size? = nil) -> ModelSizes? {
        guard ModelDescription.isName(name) else { return nil }
        let folder = "\(directory)/\(name)"
        let key = "\(name) \(shape?.text ?? "")"
        let stamp = Self.changed("\(folder)/\(ModelDescription.fileName)")
        if let found = known[key], found.stamp == stamp { return found.sizes }
        guard let sizes = try? ModelSizes(directory: folder, size: shape) else { return nil }
        known[key] = (stamp, sizes)
        return sizes
    }

    /// Whether a model was made of a release, and can be made of it otherwise.
    func isOfRelease(_ name: String) -> Bool { ReleaseRecord(in: "\(directory)/\(name)") != nil }

    /// Other models of a model's family.
    func names(like model: ModelDescription) -> [String] {
        folders.filter { name in name != model.name && self.model(name)?.description.family == model.family }
    }

    /// Those that jobs may name here.
    var choice: ModelChoice { ModelChoice(folders.compactMap { try? ModelFolder.written("\(directory)/\($0)") }) }

    private var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
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
