import Foundation

/// Files of text tokenizers in a folder.
enum TokenizerFiles {
    /// What they are called.
    static let names = [
        "tokenizer.json", "vocab.json", "merges.txt", "spiece.model", "special_tokens_map.json",
        "tokenizer_config.json", "added_tokens.json",
    ]

    /// All that lie there; none where no tokenizer can be read from them.
    static func all(in folder: String) -> [String] {
        let there = names.filter { has($0, in: folder) }
        let isWhole =
            there.contains("tokenizer.json") || there.contains("spiece.model")
            || (there.contains("vocab.json") && there.contains("merges.txt"))
        return isWhole ? there : []
    }

    /// Those of T5's vocabulary.
    static func unigram(in folder: String) -> [String] {
        let pieces = ["spiece.model"].filter { has($0, in: folder) }
        return pieces + (says("\"Unigram\"", "tokenizer.json", in: folder) ? ["tokenizer.json"] : [])
    }

    /// Those of CLIP's byte pairs.
    static func bytePairs(in folder: String) -> [String] {
        if says("<|startoftext|>", "tokenizer.json", in: folder) { return ["tokenizer.json"] }
        guard says("<|startoftext|>", "vocab.json", in: folder), has("merges.txt", in: folder) else { return [] }
        return ["vocab.json", "merges.txt"]
    }

    /// Chameleon's, in the first of the folders that has it: under transformers' name, else under Meta's.
    static func chameleons(in folders: [String]) -> String? {
        for name in ["tokenizer.json", "text_tokenizer.json"] {
            if let folder = folders.first(where: { says("<racm3:break>", name, in: $0) }) { return "\(folder)/\(name)" }
        }
        return nil
    }

    private static func has(_ name: String, in folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)")
    }

    private static func says(_ text: String, _ name: String, in folder: String) -> Bool {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"), options: .mappedIfSafe)
        else { return false }
        return data.range(of: Data(text.utf8)) != nil
    }
}
