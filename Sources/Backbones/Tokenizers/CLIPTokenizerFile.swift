import Foundation

extension CLIPTokenizer {
    /// A `tokenizer.json` whose merges make each of the given words one token: what a model with a small world of words
    /// needs. Any other text is spelled out. Read by `init(path:)`, and by Hugging Face's tokenizers.
    package static func file(words: [String]) throws -> Data {
        let merges = BytePairEncoding.merges(for: Set(words.map { $0.lowercased() }).sorted(), wordEnd: "</w>")
        let alphabet = BytePairEncoding.alphabet.map(\.symbol)
        let marks = ["<|startoftext|>", "<|endoftext|>"]
        let symbols = alphabet + alphabet.map { $0 + "</w>" } + merges.map { $0.left + $0.right } + marks
        // Two merges can make the same symbol; the first gives it its id.
        let identifiers = Dictionary(symbols.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let added = marks.map { mark -> [String: Any] in
            [
                "id": identifiers[mark]!, "content": mark, "special": true, "normalized": false, "single_word": false,
                "lstrip": false, "rstrip": false,
            ]
        }
        let root: [String: Any] = [
            "version": "1.0", "added_tokens": added,
            "normalizer": [
                "type": "Sequence",
                "normalizers": [
                    ["type": "NFC"], ["type": "Replace", "pattern": ["Regex": "\\s+"], "content": " "],
                    ["type": "Lowercase"],
                ],
            ],
            "pre_tokenizer": [
                "type": "Sequence",
                "pretokenizers": [
                    [
                        "type": "Split", "behavior": "Removed", "invert": true,
                        "pattern": ["Regex": "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"],
                    ],
                    ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true],
                ],
            ],
            "post_processor": [
                "type": "RobertaProcessing", "sep": [marks[1], identifiers[marks[1]]!],
                "cls": [marks[0], identifiers[marks[0]]!],
                "trim_offsets": false, "add_prefix_space": false,
            ],
            "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
            "model": [
                "type": "BPE", "unk_token": marks[1], "continuing_subword_prefix": "", "end_of_word_suffix": "</w>",
                "fuse_unk": false,
                "vocab": identifiers, "merges": merges.map { "\($0.left) \($0.right)" },
            ],
        ]
        return try JSONSerialization.data(
            withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }
}
