import ComputeTesting
import Foundation
import Testing

@testable import Backbones

/// `tokenizer.json` of a Unigram model as others than T5's authors write it; the ids are those that Hugging Face's
/// tokenizers 0.23 gives.
@Suite(.computing) struct UnigramFileTests {
    private func metaspace(_ prefix: String) -> [String: Any] {
        ["type": "Metaspace", "replacement": "▁", "prepend_scheme": prefix, "split": true]
    }

    private func afterBlanks(_ step: [String: Any]) -> [String: Any] {
        ["type": "Sequence", "pretokenizers": [["type": "WhitespaceSplit"], step] as [[String: Any]]]
    }

    private func tokenizer(
        _ splitting: [String: Any]?, normalizer: String? = nil, spellsBytes: Bool = false, token: [String: Any]? = nil,
        parts: [String] = []
    ) throws -> UnigramTokenizer {
        var vocabulary: [(String, Double)] = [
            ("<pad>", 0), ("</s>", 0), ("<unk>", 0), ("▁", -4), ("▁ab", -2), ("a", -3), ("b", -3), ("é", -3),
        ]
        vocabulary += parts.map { ($0, -3.0) }
        if spellsBytes { vocabulary += (0..<256).map { (String(format: "<0x%02X>", $0), 0.0) } }
        var root: [String: Any] = [
            "added_tokens": [["id": 1, "content": "</s>"] as [String: Any]] + (token.map { [$0] } ?? []),
            "model": [
                "type": "Unigram", "unk_id": 2, "byte_fallback": spellsBytes,
                "vocab": vocabulary.map { [$0.0, $0.1] as [Any] },
            ] as [String: Any],
        ]
        root["pre_tokenizer"] = splitting
        if let normalizer { root["normalizer"] = ["type": normalizer] }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("unigram-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try JSONSerialization.data(withJSONObject: root).write(to: URL(fileURLWithPath: path))
        return try UnigramTokenizer(path: path)
    }

    @Test func aTextIsCutAsTheFileSays() throws {
        let usual = try tokenizer(afterBlanks(metaspace("always")))
        #expect(usual.encode(" ab ba ") == [4, 3, 6, 5, 1] && usual.encode("a\u{85}b") == [3, 5, 3, 6, 1])
        let whole = try tokenizer(metaspace("always"))
        #expect(whole.encode(" ab ba ") == [4, 3, 6, 5, 3, 1] && whole.encode("ab  ba") == [4, 3, 3, 6, 5, 1])
        #expect(whole.encode("a\u{85}b") == [3, 5, 2, 6, 1] && whole.encode("") == [1])
        let first = try tokenizer(metaspace("first"))
        #expect(first.encode("ab</s>ba") == [4, 1, 6, 5, 1] && first.encode("ab</s> ab") == [4, 1, 4, 1])
        let firstOfWords = try tokenizer(afterBlanks(metaspace("first")))
        #expect(firstOfWords.encode("ab  ba") == [4, 6, 5, 1] && firstOfWords.encode(" ab ba ") == [5, 6, 6, 5, 1])
        #expect(try tokenizer(metaspace("never")).encode("ab</s> ab") == [5, 6, 1, 4, 1])
        let older = try tokenizer(["type": "Metaspace", "replacement": "▁", "add_prefix_space": true])
        #expect(older.encode("ab ba") == whole.encode("ab ba"))
    }

    @Test func unknownCharactersAreSpelledInBytesWhereTheFileSaysSo() throws {
        let tokenizer = try tokenizer(metaspace("always"), spellsBytes: true)
        #expect(tokenizer.encode("a\u{85}b") == [3, 5, 202, 141, 6, 1] && tokenizer.encode("zz") == [3, 130, 130, 1])
        #expect(tokenizer.unlearntWords(in: "ab zebra") == ["zebra"])
    }

    @Test func aWordWhoseRestIsSpelledIsUnlearnt() throws {
        let whole = try tokenizer(metaspace("always"))
        #expect(whole.unlearntWords(in: "ab abb a ba abb") == ["abb", "ba"])
        // In a table that was learnt from text a letter is a part of words like any.
        let parts = try tokenizer(metaspace("always"), parts: ["bb"])
        #expect(parts.unlearntWords(in: "ab aba a ba") == ["ba"])
    }

    @Test func wordsOfTheTableMayBeUnlearnt() throws {
        let tokenizer = try tokenizer(metaspace("always"))
        #expect(tokenizer.unlearntWords(in: "a b ab", with: ["ab", "b"]) == ["b", "ab"])
    }

    @Test func anAccentIsAScalarOfItsOwnUntilItIsComposed() throws {
        let plain = try tokenizer(metaspace("always"))
        #expect(plain.encode("\u{E9}") == [3, 7, 1] && plain.encode("e\u{301}") == [3, 2, 1])
        #expect(try tokenizer(metaspace("always"), normalizer: "NFC").encode("e\u{301}") == [3, 7, 1])
        #expect(try tokenizer(metaspace("always"), normalizer: "NFKD").encode("\u{E9}") == [3, 2, 1])
    }

    @Test func aTokenMayBeLookedForInTheNormalText() throws {
        let token: [String: Any] = ["id": 8, "content": "\u{FF}", "normalized": true]
        let composed = try tokenizer(metaspace("always"), normalizer: "NFC", token: token)
        #expect(composed.encode("ay\u{308}") == [3, 5, 8, 1] && composed.encode("\u{FF}ab") == [8, 4, 1])
        let first = try tokenizer(metaspace("first"), normalizer: "NFC", token: token)
        #expect(first.encode("y\u{308}ab") == [8, 5, 6, 1])
    }

    @Test func whatIsNotKnownIsRefused() throws {
        var unsplit = metaspace("always")
        unsplit["split"] = false
        let others: [[String: Any]?] = [
            nil, ["type": "WhitespaceSplit"], ["type": "Whitespace"], metaspace("sometimes"), unsplit,
            ["type": "Metaspace", "replacement": "_"], afterBlanks(["type": "Digits", "individual_digits": true]),
        ]
        for settings in others {
            let error = try #require(throws: TextTokenizerError.self) { try tokenizer(settings) }
            #expect(error.problem == WordSplitting.known)
        }
    }
}
