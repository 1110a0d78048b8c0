import Foundation

/// A model that lies whole in a hidden folder among the models, and has no name yet. It is gone with this value unless
/// it was settled.
package final class StagedModel: Sendable {
    /// Where it lies.
    package let folder: String
    /// What is strange about it.
    package let warnings: [String]
    /// Where its parts come from, by their names below the folder, those of weights without their ending.
    private let sources: [String: String]
    /// The folder it was copied from; nil of a release.
    private let origin: String?
    private let hidden: HiddenFolder
    private let target: String

    /// An empty folder for the model `name` in the models' folder.
    /// - Parameters:
    ///   - origin: the folder it is copied from.
    ///   - sources: the files that its parts come from, where it is no copy.
    init(
        _ name: String, in directory: String, warnings: [String], origin: String? = nil, sources: [String: String] = [:]
    ) throws {
        hidden = try HiddenFolder(for: .adding, in: directory)
        folder = "\(hidden.path)/\(name)"
        target = "\(directory)/\(name)"
        (self.warnings, self.origin, self.sources) = (warnings, origin, sources)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// A problem of one of its files, by the name of the file that it was made of: the staged one is gone when who
    /// reads it looks for it.
    package func naming(sourceOf problem: String) -> String {
        // What is wrong with several parts together is said of the folder.
        let whole = origin ?? (target as NSString).lastPathComponent
        var named = problem.replacingOccurrences(of: "\(folder):", with: "\(whole):")
        if let origin { return named.replacingOccurrences(of: "\(folder)/", with: "\(origin)/") }
        for (part, source) in sources.sorted(by: { $0.key.count > $1.key.count }) {
            // A file's own name first: `tokenizer.json` is no part of the weights `tokenizer`.
            for place in [part + ":"] + ModelLayout.containers.map({ "\(part)\($0):" }) {
                named = named.replacingOccurrences(of: "\(folder)/\(place)", with: "\(source):")
            }
        }
        return named.replacingOccurrences(of: "\(folder)/", with: "")
    }

    /// Seals it, verifies it and gives it its place.
    /// - Throws: ``ModelInstallation/Refusal`` with everything that is wrong, or what the file system says.
    package func settle() throws -> ModelFolder {
        // A copy that is not what was checked is caught here; so is a description under another name.
        try ModelFolder.seal(folder)
        let problems = ModelFolder(folder).verify()
        guard problems.isEmpty else { throw ModelInstallation.Refusal(problems: problems) }
        guard rename(folder, target) == 0 else {
            throw ModelInstallation.Refusal(problems: ["\(target): \(String(cString: strerror(errno)))"])
        }
        return ModelFolder(target)
    }
}
