import Testing

@testable import Broker

/// Many acknowledgements as one word: never for a delivery that was not answered.
@Suite struct UnansweredTagsTests {
    @Test func onlyTheFirstOnesInARowGoTogether() {
        var tags = UnansweredTags()
        func answered(_ answered: Set<UInt64>) -> UInt64? { tags.removeFirst { answered.contains($0) } }
        for tag in 1...6 as ClosedRange<UInt64> { tags.add(tag) }
        #expect(answered([2, 3]) == nil, "1 is not answered yet")
        let first = tags.remove(3)
        let second = tags.remove(3)
        #expect(first && !second)
        #expect(answered([1, 2, 5]) == 2)
        #expect(answered([5]) == nil)
        #expect(answered([4, 5, 6]) == 6)
        #expect(answered([1, 2, 3, 4, 5, 6]) == nil)
    }
}
