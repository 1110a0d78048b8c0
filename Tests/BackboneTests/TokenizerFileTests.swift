import ComputeTesting
import FileTesting
import Foundation
import Testing

@testable import Backbones

@Suite(.computing) struct AddedTokensTests {
    private typealias Token = AddedTokens.Token

    @Test func theLeftmostThenTheLongestIsCutOut() {
        let tokens = AddedTokens([
            Token(content: "<a>", id: 1), Token(content: "<a>b", id: 2), Token(content: "é", id: 3),
        ])
        #expect(tokens.split("x<a>b <a>") == [.text("x"), .token(2), .text(" "), .token(1)])
        #expect(tokens.split("") == [] && tokens.split("<a") == [.text("<a")])
        // A letter and its accent are other scalars than the letter with it.
        #expect(tokens.split("e\u{301}é") == [.text("e\u{301}"), .token(3)])
    }

    @Test func whatATokenTakesAroundIt() {
        let tokens = AddedTokens([
            Token(content: "<l>", id: 1, takesBlanksBefore: true), Token(content: "<r>", id: 2, takesBlanksAfter: true),
            Token(content: "cat", id: 3, isWholeWord: true),
        ])
        #expect(tokens.split("a  <l> b") == [.text("a"), .token(1), .text(" b")])
        #expect(tokens.split("a <r>\n b") == [.text("a "), .token(2), .text("b")])
        #expect(tokens.split("concat cat, cats") == [.text("concat "), .token(3), .text(", cats")])
        // Marks and joiners belong to a word, fractions do not.
        #expect(tokens.split("cat\u{301} cat\u{200D}") == [.text("cat\u{301} cat\u{200D}")])
        #expect(tokens.split("cat½") == [.token(3), .text("½")])
    }

    @Test func aLaterTokenOfTheSameContentTakesItsPlace() {
        var tokens = AddedTokens([Token(content: "<unk>", id: 2)])
        tokens.add(Token(content: "<unk>", id: 300))
        #expect(tokens.split("<unk>") == [.token(300)] && tokens.identifier(of: "<unk>") == 300)
        #expect(Token.listed([["content": "x"]]) == nil && Token.listed(nil)?.isEmpty == true)
    }

    @Test func someAreLookedForInTheNormalText() {
        let tokens = AddedTokens(
            [
                Token(content: "<Rex>", id: 1, isNormalized: true), Token(content: "<M>", id: 2),
                Token(content: "CAT", id: 3, isWholeWord: true, isNormalized: true),
            ]
        ) { $0.lowercased() }
        #expect(tokens.parts(of: "A <rEX>B<M>C") == [.text("a "), .token(1), .text("b"), .token(2), .text("c")])
        #expect(tokens.parts(of: "<m> cats, Cat") == [.text("<m> cats, "), .token(3)])
        #expect(tokens.split("A <rEX>B<M>C") == [.text("A <rEX>B"), .token(2), .text("C")], "as it is written")
        #expect(tokens.identifier(of: "<Rex>") == 1 && tokens.lastID == 3)
    }
}

@Suite(.computing) struct ByteLevelWordsTests {
    @Test func wordsAreGPT2s() {
        #expect(
            ByteLevelWords.words(of: "Don't  stop,it's 42½ — now!!  ", partsDigits: false)
                == ["Don", "'t", " ", " stop", ",", "it", "'s", " 42½", " —", " now", "!!", "  "])
        #expect(ByteLevelWords.words(of: "a\n\nb\tc", partsDigits: false) == ["a", "\n", "\n", "b", "\t", "c"])
        #expect(ByteLevelWords.words(of: "", partsDigits: true) == [])
    }

    @Test func digitsStandAlone() {
        #expect(ByteLevelWords.words(of: "at 768x9", partsDigits: true) == ["at", " ", "7", "6", "8", "x", "9"])
    }
}

/// `tokenizer.json` of T5 as newer versions of transformers write it: blanks at the end are taken away, and several
/// become the mark of a word's begin.
@Suite(.computing) struct NewerNormalizerTests {
    @Test func blanksPartWordsHoweverTheyAreWritten() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-t5-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("tokenizer.json")
        let plain = try UnigramTokenizer.file(words: ["a", "red", "dog"])
        var root = try #require(try JSONSerialization.jsonObject(with: plain) as? [String: Any])
        try plain.write(to: file)
        let older = try UnigramTokenizer(path: folder.path)
        let steps: [[String: Any]] = [
            ["type": "Strip", "strip_left": false, "strip_right": true],
            ["type": "Replace", "pattern": ["Regex": " {2,}"], "content": "▁"],
        ]
        root["normalizer"] = ["type": "Sequence", "normalizers": steps]
        root["pre_tokenizer"] = ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true]
        try JSONSerialization.data(withJSONObject: root).write(to: file)
        let newer = try UnigramTokenizer(path: folder.path)
        for text in ["a red dog", "  a  red   dog  ", "a red", ""] {
            #expect(newer.encode(text) == older.encode(text), "\(text)")
        }
    }
}

/// A `spiece.model` made by hand.
@Suite(.computing) struct SentencePieceTests {
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }

    private func piece(_ text: String, _ score: Float, kind: UInt8? = nil) -> [UInt8] {
        let score = [2 << 3 | 5] + HandmadeSafetensors.littleEndian(score.bitPattern)
        return field(1, field(1, Array(text.utf8)) + score + (kind.map { [3 << 3, $0] } ?? []))
    }

    private func tokenizer(_ bytes: [UInt8]) throws -> UnigramTokenizer {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("spiece-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try UnigramTokenizer(path: path)
    }

    private var model: [UInt8] {
        piece("<pad>", 0, kind: 3) + piece("</s>", 0, kind: 3) + piece("<unk>", 0, kind: 2) + piece("▁", -4)
            + piece("▁ab", -2) + piece("a", -3) + piece("b", -3)
            // What is not known is passed over: a varint, 64 and 32 bits, and bytes.
            + [15 << 3, 0x96, 0x01] + [14 << 3 | 1] + [UInt8](repeating: 7, count: 8) + field(13, [1, 2])
    }

    @Test func piecesMarksAndTheUnknownAreRead() throws {
        let tokenizer = try tokenizer(model)
        #expect(tokenizer.encode("ab  ba") == [4, 3, 6, 5, 1])
        #expect(tokenizer.encode("a</s>zz") == [3, 5, 1, 3, 2, 1], "a mark within, then one unknown for a run")
        // T5's extra marks come after the pieces, the first of them last.
        #expect(tokenizer.identifier(of: "<extra_id_0>") == 106 && tokenizer.identifier(of: "<extra_id_99>") == 7)
        #expect(tokenizer.adding(placeholders: ["<rex>"]).encode("<rex>") == [107, 1])
    }

    @Test(arguments: [
        ("tokenizer_config.json", #"{"added_tokens_decoder":{"107":{"content":"<sks>"}}}"#),
        ("added_tokens.json", #"{"<sks>":107}"#),
    ])
    func tokensThatAreListedBesideItAreFound(file: String, text: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-t5-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(model).write(to: folder.appendingPathComponent("spiece.model"))
        try Data(text.utf8).write(to: folder.appendingPathComponent(file))
        let tokenizer = try UnigramTokenizer(path: folder.path)
        #expect(tokenizer.encode("ab<sks>") == [4, 107, 1] && tokenizer.vocabularySize == 108)
    }

    @Test func damagedAndOtherModelsAreRefused() throws {
        for cut in [1, 3, 9, model.count] {
            #expect(throws: TextTokenizerError.self, "\(cut)") { try tokenizer(Array(model.dropLast(cut))) }
        }
        let error = try #require(throws: TextTokenizerError.self) { try tokenizer(model + field(2, [3 << 3, 2])) }
        #expect(error.problem == "its model is of kind 2; Unigram (1) is needed")
        #expect(throws: TextTokenizerError.self) { try tokenizer(piece("a", 0)) }
        #expect(throws: TextTokenizerError.self) { try tokenizer([0xFF] + [UInt8](repeating: 0xFF, count: 20)) }
    }

    @Test func whatIsSomethingElseIsNamed() throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\nsize 791656\n"
        for (text, words) in [(pointer, "a git-lfs pointer"), ("<!DOCTYPE html>\n", "a web page")] {
            let error = try #require(throws: TextTokenizerError.self) { try tokenizer(Array(text.utf8)) }
            #expect(error.problem.contains(words), "\(error)")
        }
    }
}

@Suite(.computing) struct ByteLevelTokenizerTests {
    private func tokenizer(_ changes: [String: Any]) throws -> ByteLevelTokenizer {
        var root: [String: Any] = [
            "added_tokens": [["id": 9, "content": "<m>"]],
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
            "model": ["type": "BPE", "vocab": ["a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġa": 4], "merges": ["a b", "Ġ a"]],
        ]
        root.merge(changes) { $1 }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bpe-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try JSONSerialization.data(withJSONObject: root).write(to: URL(fileURLWithPath: path))
        return try ByteLevelTokenizer(path: path)
    }

    @Test func wordsAreMergedBetweenAddedTokens() throws {
        let tokenizer = try tokenizer([:])
        #expect(tokenizer.encode("ab a<m> ab") == [3, 4, 9, 2, 3])
        #expect(tokenizer.vocabularySize == 10)
        #expect(tokenizer.adding(placeholders: ["<x>", "<y>"]).encode("a<y><x>") == [0, 11, 10])
    }

    @Test func whatIsNotKnownIsRefused() throws {
        for settings in [
            ["type": "ByteLevel", "add_prefix_space": true], ["type": "Whitespace"],
            ["type": "Sequence", "pretokenizers": [["type": "Digits", "individual_digits": false]]],
        ] as [[String: Any]] {
            let error = try #require(throws: TextTokenizerError.self) { try tokenizer(["pre_tokenizer": settings]) }
            #expect(error.problem.hasPrefix("pre_tokenizer: known are"))
        }
        #expect(throws: TextTokenizerError.self) { try tokenizer(["normalizer": ["type": "Odd"]]) }
        #expect(throws: TextTokenizerError.self) { try tokenizer(["model": ["vocab": [:], "merges": ["a"]]]) }
    }
}
