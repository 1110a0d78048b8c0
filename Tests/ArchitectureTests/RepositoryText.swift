import Foundation

/// The files of the repository that people write, as lines of text.
struct RepositoryText {
    /// Where people write; what lies elsewhere (`.build`, what the demo leaves) is not looked into.
    private static let folders = ["Sources", "Tests", "docs", "models", "ops", "sql", "systemd", "web", ".ci"]

    /// From the root, as `git` names it.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// What the file is written in: its ending, or the program its first line names (`bash`, `python3`).
    var language: String {
        let ending = (path as NSString).pathExtension
        if !ending.isEmpty { return ending }
        guard let first = lines.first, first.hasPrefix("#!") else { return "" }
        return first.split(whereSeparator: { " /".contains($0) }).last.map(String.init) ?? ""
    }

    /// Every file that is text, in order of its path.
    static let all = read()

    private static func read() -> [RepositoryText] {
        let root = PackageDescription.root
        let top = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let nested = folders.flatMap { folder in
            (FileManager.default.enumerator(atPath: root + "/" + folder)?.compactMap { $0 as? String } ?? [])
                .map { folder + "/" + $0 }
        }
        return (top + nested).sorted().compactMap { path in
            guard isFile(root + "/" + path), let text = try? String(contentsOfFile: root + "/" + path, encoding: .utf8)
            else { return nil }
            return RepositoryText(path: path, text: text)
        }
    }

    private static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }
}
