import Backbones
import ComputeTesting
import FileTesting
import Testing

@testable import Personalization

private let fixtures = sharedFolder("fixtures")

/// What prompts call concepts by where text encoders are several.
@Suite(.computing) struct ConceptSpellingsTests {
    /// As many as an adapter can know.
    @Test func everySubjectHasAWordThatNoStyleHas() {
        let names = (0..<8).map { "dog\($0)" }
        let words = names.compactMap { ConceptSpellings(of: names).byName[$0] }
        #expect(Set(words).count == 8 && words.first == ConceptSpellings.word(of: .subject))
        #expect(ConceptSpellings.word(of: .style) == "cic" && !words.contains("cic"))
    }

    @Test(.enabled(if: fixtures != nil, "the reference fixtures (../shared/fixtures) are not on this machine"))
    func theLastWordsAreOneTokenOfCLIPs() throws {
        let tokenizer = try CLIPTokenizer(path: "\(fixtures!)/clip/bpe_simple_vocab_16e6.txt.gz")
        for word in [RareWord.spellings.last!, RareWord.styleSpelling] {
            #expect(tokenizer.encode(word).count == 1, "\(word)")
        }
    }
}
