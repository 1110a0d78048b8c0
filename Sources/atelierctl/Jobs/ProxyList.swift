import ArgumentParser
import Foundation
import Hashing
import Jobs

/// What a run leaves beside a subject's proxies, `proxies-rex.json`: which pictures they are, and what each was drawn
/// from.
struct ProxyList: Codable {
    /// One of them.
    struct Proxy: Codable {
        /// The file's, in the list's folder.
        let name: String
        let sha256: String
        /// It names the subject.
        let prompt: String
        /// Of its noise.
        let seed: UInt64?
    }

    /// The subject's; nil in lists of former versions.
    let className: String?
    let proxies: [Proxy]

    private enum CodingKeys: String, CodingKey {
        case className = "class"
        case proxies
    }

    /// Writes it where a sheet of proxies lies, under the sheet's name; gives the file.
    func write(beside sheet: String) throws -> String {
        let path = (sheet as NSString).deletingPathExtension + ".json"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        return path
    }
}

/// What a run says of its proxies as it goes: a subject's sheet comes behind all of them.
struct ProxyNotes {
    /// The subjects' class nouns, by their sheets.
    private let nouns: [String: String]
    private var drawn: [ProxyList.Proxy] = []

    /// - Parameter spec: the run's job.
    init(of spec: JobSpec) {
        var nouns: [String: String] = [:]
        if case .personalize(let spec) = spec {
            for concept in spec.concepts { nouns[ProxySource.sheet(of: concept.name)] = concept.className }
        }
        self.nouns = nouns
    }

    /// Gives the list that was written, where these were a subject's last.
    mutating func take(_ artifact: EngineEvent.Artifact) throws -> String? {
        switch artifact.role {
        case .proxy:
            drawn.append(
                .init(
                    name: artifact.name, sha256: artifact.sha256, prompt: artifact.prompt ?? "", seed: artifact.seed))
            return nil
        case .proxies:
            defer { drawn = [] }
            return try ProxyList(className: nouns[artifact.name], proxies: drawn).write(beside: artifact.path)
        default: return nil
        }
    }
}

/// A subject's proxies as they lie in the folder of the run that drew them.
struct DrawnProxies {
    private let folder: String
    private let file: String
    private let list: ProxyList
    /// Where a job says whose proxies it learns from. They have no job here, and are told from others all the same: a
    /// training goes on from no checkpoint that was begun with others.
    let source: JSONValue

    /// The subject's of a name, or the only ones that are there.
    /// - Throws: `ValidationError` where there are none, or other pictures than were drawn.
    init(of name: String, in folder: String) throws {
        let lists = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            .filter { $0.hasPrefix("proxies-") && $0.hasSuffix(".json") }
        let only = lists.count == 1 ? lists[0] : nil
        guard let file = lists.first(where: { $0 == "proxies-\(name).json" }) ?? only else {
            let found = lists.isEmpty ? "no proxies-\(name).json, which a run leaves" : lists.joined(separator: ", ")
            throw ValidationError("--proxies \(name): in \(folder) is \(found); allowed is a folder with its proxies")
        }
        let path = "\(folder)/\(file)"
        guard let data = FileManager.default.contents(atPath: path),
            let list = try? JSONDecoder().decode(ProxyList.self, from: data), !list.proxies.isEmpty
        else { throw ValidationError("--proxies \(name): \(path) is no list of proxies as a run leaves it") }
        for proxy in list.proxies
        where (try? SHA256Digest.ofFile("\(folder)/\(proxy.name)"))?.description != proxy.sha256 {
            throw ValidationError("--proxies \(name): \(folder)/\(proxy.name) is not the picture that \(file) lists")
        }
        (self.folder, self.file, self.list) = (folder, file, list)
        source = .object(["job": .string(Self.identifier(of: data))])
    }

    /// In the form of a job's id.
    private static func identifier(of list: Data) -> String {
        let digits = Array(SHA256Digest.of(list).description)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    /// As an engine is given them.
    /// - Throws: `ValidationError` where they show another class than the concept's.
    func proxies(for concept: ConceptSpec) throws -> [EngineOrder.Proxy] {
        let noun = concept.className ?? ""
        if let other = list.className, other != noun {
            throw ValidationError(
                """
                --proxies \(concept.name): in \(folder)/\(file) are proxies of \(other.withArticle); allowed are \
                proxies of \(noun.withArticle)
                """)
        }
        // Of a former version: a noun that is the beginning of another is not told from it.
        if let other = list.proxies.first(where: { !"\($0.prompt) ".contains("> \(noun) ") }) {
            throw ValidationError(
                """
                --proxies \(concept.name): in \(folder)/\(file) is “\(other.prompt)”; allowed are proxies of \
                \(noun.withArticle)
                """)
        }
        return list.proxies.map { .init(path: "\(folder)/\($0.name)", prompt: $0.prompt) }
    }
}
