import ComputeTesting
import Layers
import Tensors
import Testing

@testable import Personalization

@Suite(.computing) struct KeptTextsTests {
    private let word = Parameter(name: "word", value: Tensor(zeros: [1, 2]))

    @Test func textsAreReadOnceAndByThemselvesUnlessAWordLearns() {
        var read: [[String]] = []
        let texts = KeptTexts<[String]>(
            besides: [word], joined: { $0.flatMap { $0 } },
            read: {
                read.append($0)
                return $0
            })
        word.isTrainable = false
        #expect(texts(["a dog", "a cat", "a dog"]) == ["a dog", "a cat", "a dog"])
        #expect(texts(["a cat"]) == ["a cat"])
        #expect(read == [["a dog"], ["a cat"]])
        word.isTrainable = true
        #expect(texts(["a dog", "a cat"]) == ["a dog", "a cat"])
        #expect(read.last == ["a dog", "a cat"])
    }

    @Test func memoryDoesNotGrowWithTheTexts() {
        var count = 0
        let texts = KeptTexts<[String]>(
            besides: [Parameter](), joined: { $0.flatMap { $0 } },
            read: {
                count += 1
                return $0
            })
        let many = (0..<100).map(String.init)
        #expect(texts(many) == many)
        #expect(count == 100)
        #expect(texts(many) == many)
        #expect(count == 136, "64 are kept")
    }
}
