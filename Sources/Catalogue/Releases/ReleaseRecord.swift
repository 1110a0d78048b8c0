import Foundation
import Jobs

/// What a model was made of, kept beside its description as `release.json` for people.
package struct ReleaseRecord: Codable, Sendable, Equatable {
    /// The file's name.
    package static let fileName = "release.json"

    /// What was recognized.
    package var title: String
    /// The released file or folder behind each part of the model.
    package var sources: [String: String]
    /// Whether the weights are links to those.
    package var isLinked: Bool
    /// What is strange about it.
    package var warnings: [String]

    init(_ release: RecognizedRelease, links: Bool) {
        title = release.title
        let parts = release.parts.map { ($0.stem, Self.source($0.piece.path, $0.piece.checkpoint.report.section)) }
        sources = Dictionary(parts + release.files.map { ($0.key, Self.source($0.value)) }) { first, _ in first }
        (isLinked, warnings) = (links, release.warnings)
    }

    /// Where a file lies, whoever asks from where, and the wrapper in it that was read.
    private static func source(_ path: String, _ section: String? = nil) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path + (section.map { " (\($0))" } ?? "")
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: "\(folder)/\(Self.fileName)"))
    }

    /// A model's, where it was made of a release.
    package init?(in folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)"),
            let record = try? JSONDecoder().decode(ReleaseRecord.self, from: data)
        else { return nil }
        self = record
    }
}

extension RecognizedRelease {
    /// What a model is called unless its user says: like the one folder that was given, or its largest file, without
    /// what no name has; in Hugging Face's cache like the repository.
    func usualName(_ paths: [String]) -> String {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: paths.first ?? "", isDirectory: &isFolder)
        let path = paths.count == 1 && isFolder.boolValue ? paths[0] : parts[0].piece.path
        let name = ReleasePiece.usualName(of: path)
        let stem = isFolder.boolValue && paths.count == 1 ? name : (name as NSString).deletingPathExtension
        let allowed = stem.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" }
        let trimmed = String(allowed).drop { !($0.isLetter || $0.isNumber) }.prefix(64)
        return trimmed.isEmpty ? "model" : String(trimmed)
    }
}
