import Checkpoints
import Foundation
import Hashing
import Jobs

/// Models brought into the models folder, and taken out of it.
package struct ModelInstallation: Sendable {
    /// Where the models lie.
    package let directory: String

    /// Into and out of `directory`.
    package init(directory: String) { self.directory = directory }

    /// Why a model was not brought in: everything at once.
    package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// A sentence each.
        package let problems: [String]
        /// A line a problem, sixteen at most and how many more there are.
        package var description: String {
            let rest = problems.count - 16
            return (problems.prefix(16) + (rest > 0 ? ["… and \(rest) more"] : [])).joined(separator: "\n")
        }

        /// For each of these reasons.
        package init(problems: [String]) { self.problems = problems }
    }

    /// Copies a model's folder, checked whole before it has its name: a daemon never sees half of it.
    /// - Parameter name: what it will be called; like its folder unless given.
    /// - Returns: the model as it lies there now.
    /// - Throws: ``Refusal`` with everything that is wrong, or what the file system says.
    package func add(_ source: String, name: String? = nil) throws -> ModelFolder {
        try stage(source, name: name).settle()
    }

    /// As ``add(_:name:)``, up to where it would get its name.
    package func stage(_ source: String, name: String? = nil) throws -> StagedModel {
        let name = name ?? URL(fileURLWithPath: source).standardizedFileURL.lastPathComponent
        try check(source, as: name, "\(directory)/\(name)")
        let staged = try StagedModel(name, in: directory, warnings: [], origin: source)
        let partial = staged.folder
        for file in try Self.files(of: source) {
            let folder = ("\(partial)/\(file)" as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: URL(fileURLWithPath: "\(source)/\(file)").resolvingSymlinksInPath().path,
                toPath: "\(partial)/\(file)")
        }
        return staged
    }

    /// Brings in a release as it is downloaded: recognized by names and shapes, its weights converted once or linked,
    /// checked whole before it has its name.
    /// - Parameters:
    ///   - paths: files and folders of the release.
    ///   - name: what it will be called; like the folder or the transformer's file unless given.
    ///   - links: whether the weights stay where they are.
    /// - Returns: the model as it lies there now, and what is strange about it.
    /// - Throws: ``Refusal`` with everything that is missing or does not fit, or what the file system says.
    package func add(
        release paths: [String], name: String? = nil, wishes: ReleaseWishes = ReleaseWishes(), links: Bool = false,
        precision: CheckpointConversion.Precision = .stored
    ) throws -> (model: ModelFolder, warnings: [String]) {
        let staged = try stage(release: paths, name: name, wishes: wishes, links: links, precision: precision)
        return (try staged.settle(), staged.warnings)
    }

    /// As ``add(release:name:wishes:links:precision:)``, up to where it would get its name.
    package func stage(
        release paths: [String], name: String? = nil, wishes: ReleaseWishes = ReleaseWishes(), links: Bool = false,
        precision: CheckpointConversion.Precision = .stored
    ) throws -> StagedModel {
        let found = try Self.recognized(paths, wishes)
        let name = name ?? found.usualName(paths)
        let target = "\(directory)/\(name)"
        let problems = nameProblems(name, target) + (links ? [found.unlinkable].compactMap { $0 } : [])
        guard problems.isEmpty else { throw Refusal(problems: problems) }
        let record = ReleaseRecord(found, links: links)
        let staged = try StagedModel(name, in: directory, warnings: found.warnings, sources: record.sources)
        try found.write(to: staged.folder, links: links, precision: precision)
        try record.write(to: staged.folder)
        return staged
    }

    private static func recognized(_ paths: [String], _ wishes: ReleaseWishes) throws -> RecognizedRelease {
        do throws(UnrecognizedRelease) { return try ReleaseScan(paths).recognized(wishes) } catch {
            throw Refusal(problems: error.problems)
        }
    }

    private func nameProblems(_ name: String, _ target: String) -> [String] {
        var problems: [String] = []
        if !ModelDescription.isName(name) {
            problems.append("\(name) is no name of a model: allowed are \(ModelDescription.nameRule)")
        }
        if access(target, F_OK) == 0 {
            problems.append("\(target) is there already: atelierctl models remove \(name), or give another --name")
        }
        return problems
    }

    /// Whether a folder holds a model in a layout of ours, which is copied as it is.
    package static func isModel(_ folder: String) -> Bool {
        guard ModelFolder.isModel(folder), FolderListing.special(in: folder).isEmpty,
            let description = try? ModelFolder.written(folder) ?? ModelFolder.derived(folder)
        else { return false }
        let layout = ModelLayout.of(description.family, in: folder)
        return layout.missing(in: folder).isEmpty && !isPublished(folder, layout)
    }

    /// Whether a folder that nothing describes has weights of ours and torch's beside: so encoders are published, in
    /// several containers of which one is to be taken.
    private static func isPublished(_ folder: String, _ layout: ModelLayout) -> Bool {
        let names = Set(ModelFolder.weightFiles(in: folder))
        return access("\(folder)/\(ModelDescription.fileName)", F_OK) != 0 && !names.isDisjoint(with: layout.files)
            && names.contains { !$0.hasSuffix(".safetensors") }
    }

    /// Removes a model, first from sight, then from the disk.
    /// - Throws: ``Refusal`` where it is not there or cannot be removed.
    package func remove(_ name: String) throws {
        guard ModelDescription.isName(name), ModelFolder.isModel("\(directory)/\(name)") else {
            throw Refusal(problems: ["there is no model \(name) in \(directory)"])
        }
        let hidden = try HiddenFolder(for: .removing, in: directory)
        defer { withExtendedLifetime(hidden) {} }
        guard rename("\(directory)/\(name)", "\(hidden.path)/\(name)") == 0 else {
            throw Refusal(problems: ["\(directory)/\(name): \(String(cString: strerror(errno)))"])
        }
        try FileManager.default.removeItem(atPath: hidden.path)
    }

    private func check(_ source: String, as name: String, _ target: String) throws {
        var problems = nameProblems(name, target)
        let found = ModelFolder(source)
        if found.weights.isEmpty {
            problems.append("\(source): has no file of weights (\(ModelLayout.containers.joined(separator: ", ")))")
        } else {
            problems += found.damage
        }
        // A description is written where there is none, and its name becomes that of the folder it gets.
        do {
            let family = try (ModelFolder.written(source) ?? ModelFolder.derived(source)).family
            let missing = ModelLayout.of(family, in: source).missing(in: source)
            problems = missing + problems.filter { !missing.contains($0) }
        } catch { problems.append("\(error)") }
        if let sums = try? ChecksumFile(in: source) { problems += sums.problems(in: source) }
        guard problems.isEmpty else { throw Refusal(problems: problems) }
    }

    /// What is copied: what a model is made of, and its texts; not what pretraining left beside it. A pipeline has
    /// settings and tokenizers in folders, and shards of weights that are linked.
    private static func files(of source: String) throws -> [String] {
        let endings = [".json", ".md", ".txt", ".model"]
        return try FolderListing.names(in: source) { name in
            ModelLayout.isWeights(name) || endings.contains { name.hasSuffix($0) }
        }
    }
}
