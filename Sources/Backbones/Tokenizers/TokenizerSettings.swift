import Checkpoints
import Foundation

/// What is said beside a tokenizer's files: in `tokenizer_config.json`, and in `special_tokens_map.json` and
/// `added_tokens.json` of older folders.
struct TokenizerSettings {
    /// What one says goes before what the next does.
    private let files: [[String: Any]]
    /// Ids of tokens, as folders from before 2023 list them.
    private let olderTokens: [String: Int]

    /// - Parameter path: a tokenizer's file.
    /// - Throws: `TextTokenizerError` for a file that is there and no JSON object.
    init(besides path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        func read(_ name: String) throws -> [String: Any] {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard let data = FileManager.default.contents(atPath: path) else { return [:] }
            guard let members = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw TextTokenizerError(
                    path: path, problem: mistakenFile(data) ?? "a JSON object is needed: fetch it anew")
            }
            return members
        }
        let (settings, marks) = (try read("tokenizer_config.json"), try read("special_tokens_map.json"))
        // As transformers reads them: settings that list tokens need no other file, before those it went before them.
        files = settings["added_tokens_decoder"] == nil ? [marks, settings] : [settings, marks]
        olderTokens = try read("added_tokens.json") as? [String: Int] ?? [:]
    }

    /// The mark that fills up; it may be an ordinary sign, which then is that mark in every text.
    var padding: String? {
        files.lazy.compactMap { $0["pad_token"].flatMap { Self.contents(of: $0).first } }.first
    }

    /// Tokens by their ids (`added_tokens_decoder`); of older folders those of `added_tokens.json`, which are looked
    /// for in the normal text unless they are marks.
    var addedTokens: [AddedTokens.Token] {
        let listed = files.lazy.compactMap { $0["added_tokens_decoder"] as? [String: [String: Any]] }.first
        if let listed { return listed.compactMap { AddedTokens.Token($0.value, id: Int($0.key)) } }
        let marks = marks
        return olderTokens.map { content, id in
            AddedTokens.Token(content: content, id: Int32(clamping: id), isNormalized: !marks.contains(content))
        }
    }

    /// Everything that is named as a mark: `pad_token`, `additional_special_tokens`, ….
    private var marks: Set<String> {
        let named = files.joined().filter { $0.key.hasSuffix("_token") || $0.key == "additional_special_tokens" }
        return Set(named.flatMap { Self.contents(of: $0.value) })
    }

    /// A token's text, which stands alone or among its flags; or those of several.
    private static func contents(of value: Any) -> [String] {
        if let list = value as? [Any] { return list.flatMap(contents) }
        return (value as? String ?? (value as? [String: Any])?["content"] as? String).map { [$0] } ?? []
    }
}
