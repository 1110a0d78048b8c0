import Foundation
import Hashing
import Jobs

/// The models in a folder, by what their descriptions say: no tensor is read.
package struct ModelCatalogue: Sendable {
    /// Where the models lie, each in a folder of its name.
    package let directory: String
    /// In order of their names, the damaged ones too.
    package let models: [ModelFolder]

    /// Reads every model's description and the headers of its weights.
    /// - Throws: what the file system says where the folder cannot be listed.
    package init(directory: String) throws {
        self.directory = directory
        models = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            .filter { !$0.hasPrefix(".") && ModelFolder.isModel("\(directory)/\($0)") }
            .map { ModelFolder("\(directory)/\($0)") }
    }

    /// The descriptions of those that are whole: what a worker can work with.
    package var usable: [ModelDescription] { models.filter(\.problems.isEmpty).compactMap(\.description) }

    /// What is wrong with the others, by name.
    package var unusable: [String: String] {
        Dictionary(models.filter { !$0.problems.isEmpty }.map { ($0.name, $0.problems.joined(separator: "; ")) }) {
            first, _ in first
        }
    }

    /// What jobs may name, and why not the others.
    package var choice: ModelChoice { ModelChoice(usable, unusable: unusable) }

    /// The model of a name, damaged or not.
    package subscript(_ name: String) -> ModelFolder? { models.first { $0.name == name } }

    /// What tells that something in the folder may be another than before: every model's files with their sizes and
    /// times of change; nothing of a folder that is not there. Nothing is opened.
    /// - Throws: what the file system says where the folder cannot be listed.
    package static func stamp(of directory: String) throws -> [String] {
        let files = FileManager.default
        guard access(directory, F_OK) == 0 || errno != ENOENT else { return [] }
        return try files.contentsOfDirectory(atPath: directory).sorted().flatMap { name -> [String] in
            let folder = "\(directory)/\(name)"
            return ((try? FolderListing.names(in: folder) { _ in true }) ?? []).map { file in
                let attributes = try? files.attributesOfItem(atPath: "\(folder)/\(file)")
                let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
                return "\(name)/\(file) \(attributes?[.size] as? Int ?? 0) \(time)"
            }
        }
    }
}
