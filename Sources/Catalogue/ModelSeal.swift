import Checkpoints
import Foundation
import Hashing
import Jobs

/// A model's description and digests, written down and held against its files.
extension ModelFolder {
    /// Writes `model.json`, with the digest of the weights as they are now, and `SHA256SUMS`. What a description there
    /// says already stays, but for the digest and what is given here.
    /// - Parameter unlearnt: words that the tokenizer has and the model never met.
    /// - Returns: the names of the files that are sealed.
    /// - Throws: ``Undescribed``, ``ModelInstallation/Refusal`` naming every file that is missing or damaged,
    ///   `OutputPlace.Fault`, or what the file system says.
    @discardableResult
    package static func seal(_ folder: String, version: String? = nil, unlearnt: [String]? = nil) throws -> [String] {
        try OutputPlace.folder(folder)
        var description = try checkFiles(folder)
        description.name = (folder as NSString).lastPathComponent
        description.digest = try weightsDigest(in: folder)
        description.version = version ?? description.version
        description.unlearnt = unlearnt ?? description.unlearnt
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try (encoder.encode(description) + Data("\n".utf8)).write(
            to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"), options: .atomic)
        return try ChecksumFile.write(in: folder)
    }

    /// Holds a folder's files against what its family needs.
    /// - Returns: what it says it is, or what its files say.
    /// - Throws: ``Undescribed``, or ``ModelInstallation/Refusal`` naming every file that is missing or damaged.
    @discardableResult
    package static func checkFiles(_ folder: String) throws -> ModelDescription {
        let description = try Self.written(folder) ?? Self.derived(folder)
        let missing = ModelLayout.of(description.family, in: folder).missing(in: folder)
        let problems = missing + Self(folder).unsaidDamage(beside: missing)
        guard problems.isEmpty else { throw ModelInstallation.Refusal(problems: problems) }
        return description
    }

    /// Seals a folder whose model was made just now: what another model's description said there is gone.
    /// - Parameter unlearnt: words that the tokenizer has and the model never met.
    /// - Throws: ``Undescribed``, ``ModelInstallation/Refusal``, or what the file system says.
    package static func sealAnew(_ folder: String, unlearnt: [String]? = nil) throws {
        let description = URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)")
        if FileManager.default.fileExists(atPath: description.path) {
            try FileManager.default.removeItem(at: description)
        }
        try seal(folder, unlearnt: unlearnt)
    }

    /// Everything that is wrong when every byte is read: what is wrong anyway, and what is not as `SHA256SUMS` and the
    /// description say.
    package func verify() -> [String] {
        do {
            guard let sums = try ChecksumFile(in: folder) else {
                return problems + ["has no \(ChecksumFile.name): atelierctl models seal \(name)"]
            }
            let known = problems
            let found = sums.problems(in: folder).map(withLink).filter { !known.contains($0) }
            return known + found + digestProblems()
        } catch { return problems + ["\(ChecksumFile.name): \(error)"] }
    }

    /// A problem of the sums, or where the file it is of should have been.
    private func withLink(_ problem: String) -> String {
        let name = problem.components(separatedBy: ": ")[0]
        return FilePlace.brokenLink(at: "\(folder)/\(name)").map { "\(name): \($0)" } ?? problem
    }

    /// What no sum covers though the model may be whole, and what to do: text tokenizers of a model that an earlier
    /// version sealed; nil where there is nothing of that kind.
    package var sealHint: String? {
        guard let unlisted = try? ChecksumFile(in: folder)?.unlistedTokenizers(in: folder), !unlisted.isEmpty else {
            return nil
        }
        return """
            \(unlisted.joined(separator: ", ")): not in \(ChecksumFile.name), which was written before it listed such \
            files: atelierctl models seal \(name) where they are right
            """
    }

    private func digestProblems() -> [String] {
        guard let description, let found = try? Self.weightsDigest(in: folder), found != description.digest else {
            return []
        }
        return [
            """
            \(ModelDescription.fileName): its digest is \(description.digest), that of the weights \(found); \
            atelierctl models seal \(name) where the weights are right
            """
        ]
    }
}
