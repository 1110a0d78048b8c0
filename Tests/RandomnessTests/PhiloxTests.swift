import Randomness
import Testing

@Suite struct PhiloxTests {
    /// Known answer of the authors' Random123 library (kat_vectors: philox4x32 10, all zero).
    @Test func matchesTheReferenceOnZeros() {
        var generator = Philox(seed: 0, stream: 0)
        #expect((0..<4).map { _ in generator.nextUInt32() } == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    }

    @Test func normalNumbersHaveMeanZeroAndVarianceOne() {
        var generator = Philox(seed: 7, stream: 1)
        let values = (0..<40_000).map { _ in Double(generator.normal()) }
        let mean = values.reduce(0, +) / 40_000
        #expect(abs(mean) < 0.02)
        #expect(abs(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000 - 1) < 0.03)
    }

    @Test func numbersBelowABoundReachEveryValue() {
        var generator = Philox(seed: 3, stream: 9)
        let seen = Dictionary(grouping: (0..<7000).map { _ in generator.below(7) }, by: { $0 }).mapValues(\.count)
        #expect(seen.keys.sorted() == Array(0..<7))
        #expect(seen.values.allSatisfy { (850...1150).contains($0) })
    }

    @Test func streamsDiffer() {
        var a = Philox(seed: 1, purpose: 2, index: 3)
        var b = Philox(seed: 1, purpose: 2, index: 4)
        #expect(a.next() != b.next())
    }
}
