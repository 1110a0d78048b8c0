import ComputeTesting
import FileTesting
import Foundation
import ModelTesting
import Testing

@testable import Backbones

/// Hugging Face's form of a small vocabulary: bytes a…e, word ends, and three merges.
private let tokenizerFile: Data = {
    let symbols = [
        "a", "b", "c", "d", "'", "a</w>", "b</w>", "c</w>", "d</w>", "s</w>", "'s</w>", "1</w>", "ab", "ab</w>",
        "abc</w>",
    ]
    var vocabulary = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, $0) })
    vocabulary["<|startoftext|>"] = 100
    vocabulary["<|endoftext|>"] = 101
    let model: [String: Any] = [
        "type": "BPE", "end_of_word_suffix": "</w>", "vocab": vocabulary,
        "merges": ["a b", ["a", "b</w>"], "ab c</w>", ["'", "s</w>"]],
    ]
    return try! JSONSerialization.data(withJSONObject: ["model": model])
}()

private func withFile<Result>(_ contents: Data, _ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-clip-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try contents.write(to: URL(fileURLWithPath: path))
    return try body(path)
}

/// A folder of the older form, with the vocabulary; the files beside it are still to be written.
private func vocabularyFolder() throws -> TestFolder {
    let folder = try TestFolder()
    let root = try #require(try JSONSerialization.jsonObject(with: tokenizerFile) as? [String: [String: Any]])
    let vocabulary = try JSONSerialization.data(withJSONObject: root["model"]!["vocab"]!)
    _ = try folder.write([UInt8](vocabulary), "vocab.json")
    return folder
}

@Suite(.computing) struct CLIPTokenizerTests {
    private let tokenizer = try! withFile(tokenizerFile) { try CLIPTokenizer(path: $0) }

    @Test func theEarliestMergeComesFirst() {
        #expect(tokenizer.encode("abc") == [14])  // a b c</w> → ab c</w> → abc</w>
        #expect(tokenizer.encode("ab") == [13])
        #expect(tokenizer.encode("abab") == [12, 13])
        #expect(tokenizer.encode("ABC's  a") == [14, 10, 5])
        #expect(tokenizer.encode("11") == [11, 11], "digits stand alone")
    }

    @Test func marksAreCutOutAndNeverLost() {
        #expect(tokenizer.encode("ab<|endoftext|>ab") == [13, 101, 13])
        #expect(tokenizer.marked("a a a a", length: 4) == [100, 5, 5, 101])
        #expect(tokenizer.padded("a", length: 5, with: 101) == [100, 5, 101, 101, 101])
    }

    /// The ids are those of Hugging Face's tokenizers 0.23.
    @Test func addedTokensAreFoundAsTheirFlagsSay() throws {
        let listed: [[String: Any]] = [
            ["id": 100, "content": "<|startoftext|>", "normalized": true], ["id": 101, "content": "<|endoftext|>"],
            ["id": 102, "content": "<Sks>", "normalized": true], ["id": 103, "content": "<L>", "lstrip": true],
            ["id": 104, "content": "ab ab", "normalized": true],
        ]
        var root = try #require(try JSONSerialization.jsonObject(with: tokenizerFile) as? [String: Any])
        root["added_tokens"] = listed
        let tokenizer = try withFile(JSONSerialization.data(withJSONObject: root)) { try CLIPTokenizer(path: $0) }
        #expect(tokenizer.encode("a <sKS>a  <L> a") == [5, 102, 5, 103, 5])
        #expect(tokenizer.encode("<|StartOfText|>AB \n Ab<|endoftext|>") == [100, 104, 101])
        #expect(tokenizer.vocabularySize == 105 && tokenizer.paddingID == 101)
    }

    @Test func wordsOfALearnedFileAreOneTokenAndOthersAreSpelledOut() throws {
        let words = ["dog", "doghouse", "god", "good", "a"]
        let learned = try withFile(CLIPTokenizer.file(words: words)) { try CLIPTokenizer(path: $0) }
        let ids = words.map { learned.encode($0) }
        #expect(ids.allSatisfy { $0.count == 1 } && Set(ids).count == words.count)
        #expect(learned.encode("a Good dog") == [ids[4][0], ids[3][0], ids[0][0]])
        #expect(learned.encode("zebra").count == 5)
        #expect(learned.marked("dog").last! == learned.endID && Int(learned.endID) == learned.vocabularySize - 1)
    }

    /// As git checks them out on Windows.
    @Test func mergesMayEndTheirLinesAsWindowsDoes() throws {
        let folder = try vocabularyFolder()
        for end in ["\n", "\r\n"] {
            let lines = ["#version: 0.2", "a b", "a b</w>", "ab c</w>", "' s</w>", ""]
            try folder.write(lines.joined(separator: end), "merges.txt")
            #expect(try CLIPTokenizer(path: folder.path).encode("ABC's  a") == [14, 10, 5])
        }
        try folder.write("#version: 0.2\n", "merges.txt")
        #expect(throws: TextTokenizerError.self) { try CLIPTokenizer(path: folder.path) }
        // What fills up is an ordinary sign, as the newer of the two files says.
        try folder.write("#version: 0.2\na b\n", "merges.txt")
        try folder.write(#"{"pad_token":"'"}"#, "tokenizer_config.json")
        #expect(try CLIPTokenizer(path: folder.path).paddingID == 4)
        let listed = #"{"102":{"content":"<pad>"},"103":{"content":"<sks>"}}"#
        try folder.write(#"{"pad_token":"<pad>","added_tokens_decoder":\#(listed)}"#, "tokenizer_config.json")
        let tokenizer = try CLIPTokenizer(path: folder.path)
        #expect(tokenizer.paddingID == 102 && tokenizer.encode("a<sks>") == [5, 103])
    }

    /// A download that broke off at the end of a line, and a pointer in a file's place.
    @Test func filesThatAreNotWholeAreNamed() throws {
        let folder = try TestFolder()
        let letters = "abcdefghijklmnopqrst".map(String.init)
        let pairs = letters.flatMap { first in letters.map { (first, $0) } }
        let symbols = letters + pairs.map { $0 + $1 } + ["<|startoftext|>", "<|endoftext|>"]
        let ids = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, $0) })
        try folder.write(String(decoding: try JSONEncoder().encode(ids), as: UTF8.self), "vocab.json")
        func merges(_ count: Int) throws {
            let lines = pairs.prefix(count).map { "\($0) \($1)" }
            try folder.write((["#version: 0.2"] + lines).joined(separator: "\n"), "merges.txt")
        }
        try merges(pairs.count)
        #expect(try CLIPTokenizer(path: folder.path).vocabularySize == symbols.count)
        try merges(300)
        let cut = #expect(throws: TextTokenizerError.self) { try CLIPTokenizer(path: folder.path) }
        let said = "it makes 300 of the 400 symbols of vocab.json: fetch it anew"
        #expect(cut?.description == "\(folder.path)/merges.txt: \(said)")
        for file in ["vocab.json", "merges.txt", "special_tokens_map.json"] {
            try merges(pairs.count)
            try folder.write(String(decoding: try JSONEncoder().encode(ids), as: UTF8.self), "vocab.json")
            try folder.write("version https://git-lfs.github.com/spec/v1\nsize 9\n", file)
            let error = #expect(throws: TextTokenizerError.self) { try CLIPTokenizer(path: folder.path) }
            let isNamed = error?.description.hasPrefix("\(folder.path)/\(file): it is a git-lfs pointer")
            #expect(isNamed == true, "\(error!)")
        }
    }

    /// transformers listed tokens in a file of their own until 2023; one that is no mark is looked for in the normal
    /// text.
    @Test func tokensOfOlderFoldersAreFound() throws {
        let folder = try vocabularyFolder()
        func tokenizer(with files: [(name: String, text: String)]) throws -> CLIPTokenizer {
            for (name, text) in files { try folder.write(text, name) }
            return try CLIPTokenizer(path: folder.path)
        }
        let older = try tokenizer(with: [
            ("merges.txt", "#version: 0.2\na b\n"), ("added_tokens.json", #"{"<Sks>":102,"<pad>":103,"<Mia>":104}"#),
            ("tokenizer_config.json", #"{"pad_token":"'"}"#),
            ("special_tokens_map.json", #"{"pad_token":{"content":"<pad>"},"additional_special_tokens":["<Mia>"]}"#),
        ])
        #expect(older.encode("a<sKS><pad>A<Mia>") == [5, 102, 103, 5, 104])
        #expect(older.encode("<mia>") != [104])
        #expect(older.paddingID == 103 && older.vocabularySize == 105, "what names marks alone goes before")
        let newer = try tokenizer(with: [
            ("tokenizer_config.json", #"{"pad_token":"'","added_tokens_decoder":{"103":{"content":"<max>"}}}"#)
        ])
        #expect(newer.encode("a<max>") == [5, 103] && newer.encode("<sks>") != [102] && newer.paddingID == 4)
    }

    /// A text with a token that has no row would stop the engine.
    @Test(arguments: ["tiny-clip", "pocket-infinity", "pocket-chameleon", "pocket-llamagen", "pocket-diffusion"])
    func moreIdsThanTheTableHasRowsAreRefused(name: String) throws {
        let models = try TinyModels()
        try models.writeEncoders()
        let folder = "\(models.folder)/\(name)"
        func read() throws {
            switch name {
            case "tiny-clip": _ = try CLIPEncoder(directory: folder)
            case "pocket-infinity": _ = try InfinityModel(directory: folder)
            case "pocket-chameleon": _ = try ChameleonModel(directory: folder)
            case "pocket-llamagen": _ = try LlamaGenModel(directory: folder)
            default: _ = try DiffusionModel(directory: folder)
            }
        }
        try read()
        let file = URL(fileURLWithPath: folder + "/tokenizer.json")
        var root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let tokens = try #require(root["added_tokens"] as? [[String: Any]])
        root["added_tokens"] = tokens + [["id": 9999, "content": "<sks>"]]
        try JSONSerialization.data(withJSONObject: root).write(to: file)
        let error = try #require(throws: TextTokenizerError.self) { try read() }
        #expect(error.problem.contains("10000 ids"), "\(error)")
    }

    @Test func aFileOfNeitherFormIsRefusedByName() throws {
        for contents in ["{\"model\":{}}", "only a comment", "comment\none two three\n"] {
            #expect(throws: TextTokenizerError.self) {
                try withFile(Data(contents.utf8)) { try CLIPTokenizer(path: $0) }
            }
        }
        #expect(throws: TextTokenizerError.self) {
            try withFile(Data([0x1F, 0x8B, 8, 0, 1, 2, 3])) { try CLIPTokenizer(path: $0) }
        }
        #expect(throws: TextTokenizerError.self) { try CLIPTokenizer(path: "/nowhere") }
    }

    /// Expected texts from ftfy 6.3 and Python's html module.
    @Test(arguments: [
        ("cafÃ© â€œquotesâ€\u{9D}", "café \"quotes\""), ("doppelt: Ã\u{83}Â©", "doppelt: é"),
        ("café déjà vu", "café déjà vu"),
        ("ﬁne ﬂow Ĳ", "fine flow ij"), ("ＦＵＬＬ\u{3000}ﾊ", "full ハ"), ("‘so’ “said”", "'so' \"said\""),
        ("a\u{0}b\u{FEFF}c", "abc"),
        ("&lt;b&gt; &amp;amp; &#65;&#x42; &copy &notit;", "<b> & ab © ¬it;"), ("e\u{301}", "\u{E9}"), ("Â°C", "°c"),
        ("it\u{92}s", "it's"), ("\u{1B}[31;1mred\u{1B}[0m", "red"), ("&Alpha;&omega; &forall;", "αω ∀"),
        ("&#128; &#0; &#x110000; &#1;&#x1FFFE;", "€ \u{FFFD} \u{FFFD}"),
        ("  many \t\n spaces ", "many spaces"), ("AT&T & &unknown; &", "at&t & &unknown; &"),
        ("&AMPa &COPY", "&a ©"), ("ΟΔΟΣ ΣΑΣ' Σ", "οδος σας' σ"), ("Σ'Σ' 𝒯Σ", "σ'ς' 𝒯ς"),
    ])
    func damagedTextIsRepaired(text: String, expected: String) {
        let repaired = TextRepair.openCLIP(text)
        #expect(repaired.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(repaired)")
    }
}
