import Backbones
import Testing

@Suite struct DistinctTextsTests {
    @Test func eachDifferentTextIsReadOnce() {
        var read: [String] = []
        let texts = DistinctTexts(["a dog", "", "a dog", "an owl", ""])
        let lengths = texts.read { text -> Int in
            read.append(text)
            return text.count
        }
        #expect(lengths == [5, 0, 5, 6, 0])
        #expect(read == ["a dog", "", "an owl"] && texts.texts == read && texts.places == [0, 1, 0, 2, 1])
        #expect(DistinctTexts([]).read { $0 }.isEmpty)
    }
}
