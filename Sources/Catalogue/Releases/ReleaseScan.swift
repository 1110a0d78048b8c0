import Checkpoints
import Foundation
import Hashing

/// The sets of weights in files and folders, as people download them. Headers are read, no tensor.
package struct ReleaseScan: Sendable {
    /// Those that are a part of something known.
    package private(set) var pieces: [ReleasePiece] = []
    /// Weights that are of nothing known.
    package private(set) var strangers: [String] = []
    /// Paths that were named and are not there.
    package private(set) var missing: [String] = []
    /// What lies in the folders that is neither a file nor a folder.
    package private(set) var special: [String] = []
    /// What could not be read, and why.
    package private(set) var problems: [String] = []
    /// Folders whose `model_index.json` or name make them a pipeline of diffusers.
    package private(set) var pipelines: [String] = []
    /// Folders of a pipeline's components without that file.
    package private(set) var unnamedPipelines: [String] = []
    /// Shards of which not all can be read, by what their index says they are.
    package private(set) var unread: [UnreadPiece] = []
    /// The folders that were looked into, and those in which files of tokenizers lie that were named.
    package private(set) var folders: [String] = []

    /// What was opened: files may be named one by one, a set's shards too.
    private var opened: Set<String> = []

    /// Looks into the files and folders, and into folders within those.
    package init(_ paths: [String]) {
        for path in paths { scan(path, depth: 0) }
    }

    /// The pieces of a kind.
    package func pieces(_ kind: ReleasePiece.Kind) -> [ReleasePiece] { pieces.filter { $0.kind == kind } }

    private mutating func scan(_ path: String, depth: Int) {
        let files = FileManager.default
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: path, isDirectory: &isFolder) else {
            missing.append("\(path): \(FilePlace.brokenLink(at: path) ?? "there is no such file or folder")")
            return
        }
        guard isFolder.boolValue else { return file(path) }
        if let current = Self.current(in: path) { return scan(current, depth: depth + 1) }
        folders.append(path)
        for problem in FolderListing.special(in: path) where !special.contains(problem) { special.append(problem) }
        if files.fileExists(atPath: "\(path)/model_index.json") { return pipelines.append(path) }
        let parts = [["unet", "transformer"], ["vae"]]
        if parts.allSatisfy({ $0.contains { files.fileExists(atPath: "\(path)/\($0)/config.json") } }) {
            unnamedPipelines.append(path)
        }
        for place in Checkpoint.candidates(in: path) {
            let isState = ModelLayout.isOfTraining((place as NSString).lastPathComponent)
            if place == path || !isState { open(place) }
        }
        // Hugging Face's cache has three folders above a model's own.
        guard depth < 4 else { return }
        for name in ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted() where !name.hasPrefix(".") {
            var isFolder: ObjCBool = false
            let inner = "\(path)/\(name)"
            if files.fileExists(atPath: inner, isDirectory: &isFolder), isFolder.boolValue {
                scan(inner, depth: depth + 1)
            }
        }
    }

    /// Of the states of a repository that Hugging Face's cache keeps, the one it fetched last; nil of other folders.
    private static func current(in folder: String) -> String? {
        guard let digest = try? String(contentsOfFile: "\(folder)/refs/main", encoding: .utf8) else { return nil }
        let state = "\(folder)/snapshots/\(digest.trimmingCharacters(in: .whitespacesAndNewlines))"
        return FileManager.default.fileExists(atPath: state) ? state : nil
    }

    /// A file that was named itself.
    private mutating func file(_ path: String) {
        let name = (path as NSString).lastPathComponent
        // Settings are read from beside the weights.
        let isBeside = name.hasSuffix(".json") && !name.contains(".index.")
        guard isBeside || TokenizerFiles.names.contains(name) else { return open(Checkpoint.whole(of: path)) }
        let folder = FilePlace.folder(of: path)
        if !folders.contains(folder) { folders.append(folder) }
    }

    private mutating func open(_ path: String) {
        guard opened.insert(path).inserted else { return }
        do throws(CheckpointError) {
            let checkpoint = try Checkpoint.open(path)
            if let other = AuthorComponent.unbuilt(checkpoint) {
                problems.append("\(path): it is \(other)")
            } else if let piece = ReleasePiece(checkpoint) {
                pieces.append(piece)
            } else {
                strangers.append(path)
            }
        } catch {
            problems.append(error.description)
            if let piece = UnreadPiece(path) { unread.append(piece) }
        }
    }
}
