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

    /// A model that is not here, or draws no pictures of a size.
    private struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// Nil where the model is not here, damaged, or draws nothing, or no pictures of that size.
    func model(_ name: String, size: ModelDescription.Size? = nil) -> ModelSizes? { try? sizes(of: name, size: size) }

    /// Why there are no sizes of a model, for people; nil where there are.
    func fault(of name: String, size: ModelDescription.Size?) -> String? {
        do {
            _ = try sizes(of: name, size: size)
            return nil
        } catch { return "\(error)" }
    }

    private func sizes(of name: String, size: ModelDescription.Size?) throws -> ModelSizes {
        let usual = try sizes(of: name)
        guard let size else { return usual }
        guard let shape = usual.description.shape(of: size) else {
            throw Missing(description: "\(name) draws no pictures of \(size.text)")
        }
        return try shape == usual.size ? usual : sizes(of: name, in: shape)
    }

    /// Kept by shapes: of those there are few.
    private func sizes(of name: String, in shape: ModelDescription.Size? = nil) throws -> ModelSizes {
        let folder = "\(directory)/\(name)"
        guard ModelDescription.isName(name), FileManager.default.fileExists(atPath: folder) else {
            throw Missing(description: "there is no model \(name) here")
        }
        let key = "\(name) \(shape?.text ?? "")"
        let stamp = Self.changed("\(folder)/\(ModelDescription.fileName)")
        if let found = known[key], found.stamp == stamp { return found.sizes }
        let sizes = try ModelSizes(directory: folder, size: shape)
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
