import Foundation

/// What is said beside a tokenizer's files: in `tokenizer_config.json`, and in `special_tokens_map.json` of older
/// folders.
struct TokenizerSettings {
    private let files: [[String: Any]]

    /// - Parameter path: a tokenizer's file.
    init(besides path: String) {
        let folder = (path as NSString).deletingLastPathComponent
        files = ["tokenizer_config.json", "special_tokens_map.json"].compactMap { name in
            FileManager.default.contents(atPath: folder.isEmpty ? name : "\(folder)/\(name)")
                .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
        }
    }

    /// The mark that fills up, as the newer file says; it may be an ordinary sign, which then is that mark in every
    /// text.
    var padding: String? {
        files.lazy.compactMap { marks in
            marks["pad_token"] as? String ?? (marks["pad_token"] as? [String: Any])?["content"] as? String
        }.first
    }

    /// Tokens by their ids (`added_tokens_decoder`).
    var addedTokens: [AddedTokens.Token] {
        let entries = files.lazy.compactMap { $0["added_tokens_decoder"] as? [String: [String: Any]] }.first ?? [:]
        return entries.compactMap { AddedTokens.Token($0.value, id: Int($0.key)) }
    }
}
