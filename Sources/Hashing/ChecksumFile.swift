import Foundation

/// The SHA-256 of every file that makes up a model, beside the files, in the form `sha256sum -c` reads: digest, two
/// spaces, name.
package struct ChecksumFile: Sendable, Equatable {
    /// What the file is called.
    package static let name = "SHA256SUMS"
    /// What a model is made of; pictures and texts beside it are for people.
    private static let kinds = [".json", ".safetensors", ".pth", ".pt", ".bin", ".ckpt"] + tokenizers
    /// Text tokenizers that are no JSON. Files that were written before these were listed lack them.
    private static let tokenizers = ["spiece.model", "merges.txt"]

    /// Digests by file name.
    package let digests: [String: SHA256Digest]

    /// Reads a folder's; nil where there is none.
    /// - Throws: ``Malformed``.
    package init?(in folder: String) throws {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.name)") else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        digests = try Dictionary(lines.enumerated().map { try Self.entry($0.element, line: $0.offset + 1) }) {
            first, _ in first
        }
    }

    /// A line that is no digest and name.
    package struct Malformed: Error, CustomStringConvertible {
        let line: Int
        /// The line's number, and the form it must have.
        package var description: String {
            "line \(line) is not a SHA-256 in lowercase, two spaces (or a space and *) and a file's name"
        }
    }

    private static func entry(_ line: Substring, line number: Int) throws -> (String, SHA256Digest) {
        let name = String(line.dropFirst(66))
        guard let digest = SHA256Digest(String(line.prefix(64))), ["  ", " *"].contains(line.dropFirst(64).prefix(2)),
            Self.isInside(name)
        else {
            throw Malformed(line: number)
        }
        return (name, digest)
    }

    /// Whether a name is of a file in the folder, or in one within it.
    private static func isInside(_ name: String) -> Bool {
        let words = name.split(separator: "/", omittingEmptySubsequences: false)
        return (1...2).contains(words.count) && words.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// Writes the digests of a model's files as they are now, over what was there.
    @discardableResult
    package static func write(in folder: String) throws -> [String] {
        let names = try parts(of: folder)
        let lines = try names.map { "\(try SHA256Digest.ofFile("\(folder)/\($0)"))  \($0)\n" }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"), options: .atomic)
        return names
    }

    /// Reads every file and says what is not as written down: changed, missing, or there without being listed, but for
    /// ``unlistedTokenizers(in:)``.
    package func problems(in folder: String) -> [String] {
        let known = digests.sorted { $0.key < $1.key }.compactMap { name, digest -> String? in
            guard let found = try? SHA256Digest.ofFile("\(folder)/\(name)") else {
                return "\(name): is missing or cannot be read"
            }
            return found == digest ? nil : "\(name): has SHA-256 \(found), \(Self.name) says \(digest)"
        }
        return known + unlisted(in: folder).filter { !Self.isTokenizer($0) }.map { "\($0): is not in \(Self.name)" }
    }

    /// Text tokenizers that are there and that no digest covers, as where the file is of an earlier version.
    package func unlistedTokenizers(in folder: String) -> [String] { unlisted(in: folder).filter(Self.isTokenizer) }

    private func unlisted(in folder: String) -> [String] {
        ((try? Self.parts(of: folder)) ?? []).filter { digests[$0] == nil }
    }

    private static func isTokenizer(_ name: String) -> Bool { tokenizers.contains { name.hasSuffix($0) } }

    private static func parts(of folder: String) throws -> [String] {
        try FolderListing.names(in: folder) { name in kinds.contains { name.hasSuffix($0) } }
    }
}
