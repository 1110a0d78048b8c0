import Foundation

/// The tensors of a model's file, of its shards or of a folder that holds either, whatever container they are in.
/// Nothing is copied: the files are mapped, and stay so while this value or a tensor of it is held.
package final class Checkpoint: Sendable {
    /// What was found, for people.
    package struct Report: Sendable, Equatable, CustomStringConvertible {
        /// The form of the files.
        package enum Container: String, Sendable {
            case safetensors
            case torchArchive = "torch archive"
            case legacyTorch = "torch file in the legacy layout"
        }

        /// Of all files.
        package var container: Container
        /// How many files; above one, an index named them.
        package var files: Int
        /// The keys that led to the state dict, joined by dots; nil where it is outermost.
        package var section: String?
        /// Other state dicts in the file, which `section` can name.
        package var otherSections: [String]
        /// What programs put before or into the names, taken away here.
        package var strippedPrefixes: [String]
        /// Names beside the tensors that are none.
        package var otherNames: [String]
        /// Classes of objects in the file, none of which was built.
        package var foreignClasses: [String]
        /// How many.
        package var tensors: Int
        /// Numbers in all tensors.
        package var parameters: Int
        /// Length of all files.
        package var bytes: Int

        /// One line: form, shards, tensors, section, and what was taken off the names.
        package var description: String {
            let place = section.map { " in \($0)" } ?? ""
            let others = otherSections.isEmpty ? "" : "; also there: " + otherSections.joined(separator: ", ")
            let stripped =
                strippedPrefixes.isEmpty ? "" : "; taken off the names: " + strippedPrefixes.joined(separator: ", ")
            return "\(container.rawValue)\(files > 1 ? " in \(files) shards" : ""): \(tensors) tensors of "
                + "\(parameters) numbers\(place)\(others)\(stripped)"
        }
    }

    /// The file, index or folder that was opened.
    package let path: String
    /// What was found when it was opened.
    package let report: Report
    /// A safetensors file's own notes.
    package let metadata: [String: String]
    private let tensors: [String: StoredTensor]

    /// Opens a file of weights, an index of shards, or the folder in which either lies.
    /// - Parameter section: the wrapper to read (`trainer.gpt_fsdp`), where a torch file holds several.
    /// - Throws: `CheckpointError`: what the file is instead, or everything that is wrong with its shards.
    package static func open(_ path: String, section: String? = nil) throws(CheckpointError) -> Checkpoint {
        let file = try MappedFile(path: CheckpointFolder.file(at: path))
        let contents =
            FileKind(of: file.bytes) == .json
            ? try ContainerContents.shards(ShardIndex(file), section: section)
            : try ContainerContents(file, section: section)
        return try Checkpoint(path: path, contents)
    }

    private init(path: String, _ contents: ContainerContents) throws(CheckpointError) {
        let (tensors, prefixes) = try WrappedNames.unwrap(contents.tensors, path: path)
        (self.path, self.tensors, metadata) = (path, tensors, contents.metadata)
        report = Report(
            container: contents.container, files: contents.files, section: contents.section,
            otherSections: contents.otherSections, strippedPrefixes: prefixes, otherNames: contents.otherNames,
            foreignClasses: contents.foreignClasses, tensors: tensors.count,
            parameters: tensors.values.reduce(0) { $0.addingReportingOverflow($1.count).partialValue },
            bytes: contents.bytes)
    }

    /// The tensors' names, sorted; without the prefixes that the report names.
    package var names: [String] { tensors.keys.sorted() }

    /// Whether there is a tensor of a name.
    package func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// - Throws: `CheckpointError` with some of the names there are.
    package func shape(of name: String) throws(CheckpointError) -> [Int] { try tensor(name).shape }

    /// The tensor of a name, from which its numbers are read.
    /// - Throws: `CheckpointError` with some of the names there are.
    package func tensor(_ name: String) throws(CheckpointError) -> StoredTensor {
        if let tensor = tensors[name] { return tensor }
        if report.otherNames.contains(name) {
            throw CheckpointError(path: path, problem: "\(name) is no tensor, but an object that is not read")
        }
        throw .noTensor(name, of: names, path: path)
    }
}
