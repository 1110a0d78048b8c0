import Foundation

/// A model that lies whole in a hidden folder among the models, and has no name yet. It is gone with this value unless
/// it was settled.
package final class StagedModel: Sendable {
    /// Where it lies.
    package let folder: String
    /// What is strange about it.
    package let warnings: [String]
    private let hidden: HiddenFolder
    private let target: String

    /// An empty folder for the model `name` in the models' folder.
    init(_ name: String, in directory: String, warnings: [String]) throws {
        hidden = try HiddenFolder(for: .adding, in: directory)
        folder = "\(hidden.path)/\(name)"
        target = "\(directory)/\(name)"
        self.warnings = warnings
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
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
