import Autograd
import ComputeTesting
import Tensors
import Testing

@testable import Backbones

@Suite(.computing) struct KeyValueCacheTests {
    private let heads = 4
    private let keyHeads = 2
    private let headWidth = 6

    /// What a cache answers to a text of five tokens, with a bias, and to three tokens one by one, in sequences of
    /// which one holds more.
    private func answers(isHalf: Bool, rounded: Bool) -> [[Float]] {
        let cache = KeyValueCache(batch: 2, capacity: 9, width: keyHeads * headWidth, isHalf: isHalf)
        func numbers(_ rows: Int, _ tokens: Int, _ heads: Int, _ seed: UInt64) -> Variable {
            let tensor = Tensor.example([rows, tokens, heads * headWidth], seed: seed)
            // Eight bits of a number are all that bfloat16 has.
            if rounded {
                for i in 0..<tensor.count { tensor.pointer[i] = (tensor.pointer[i] * 16).rounded() / 16 }
            }
            return Variable(tensor)
        }
        func ask(
            _ tokens: Int, _ seed: UInt64, sequences: Range<Int>? = nil, isCausal: Bool, bias: Tensor? = nil
        )
            -> [Float]
        {
            let rows = sequences?.count ?? 2
            return cache.attend(
                numbers(rows, tokens, heads, seed), numbers(rows, tokens, keyHeads, seed + 1),
                numbers(rows, tokens, keyHeads, seed + 2), sequences: sequences, heads: heads, keyHeads: keyHeads,
                logitScale: 0.7, isCausal: isCausal, bias: bias
            ).value.values
        }
        let bias = Tensor.example([1, 5, 5], seed: 90)
        var said = [
            ask(5, 1, sequences: 0..<1, isCausal: true, bias: bias), ask(2, 4, sequences: 1..<2, isCausal: true),
        ]
        for step in 0..<3 { said.append(ask(1, UInt64(10 + 3 * step), isCausal: false)) }
        #expect(cache.counts == [8, 5])
        return said
    }

    /// Of three sequences the last begins as the first one does.
    @Test(arguments: [false, true]) func whatIsTakenOverIsWhatWasRead(isHalf: Bool) {
        func answers(_ beginnings: [Int]) -> (read: Int, numbers: [Float]) {
            let cache = KeyValueCache(batch: 3, capacity: 5, width: keyHeads * headWidth, isHalf: isHalf)
            func numbers(_ rows: Int, _ tokens: Int, _ heads: Int, _ seed: Int) -> Variable {
                Variable(.example([rows, tokens, heads * headWidth], seed: UInt64(seed)))
            }
            var read = 0
            let begun = [cache].begin(beginnings) { beginning, sequence in
                read += 1
                let (tokens, seed) = (3 + beginning % 2, 10 * (beginning % 2))
                let said = cache.attend(
                    numbers(1, tokens, heads, seed + 1), numbers(1, tokens, keyHeads, seed + 2),
                    numbers(1, tokens, keyHeads, seed + 3), sequences: sequence..<sequence + 1, heads: heads,
                    keyHeads: keyHeads, logitScale: 0.7, isCausal: true)
                return said.value.reshaped([tokens, heads * headWidth]).slice(tokens - 1..<tokens)
            }
            let next = cache.attend(
                numbers(3, 1, heads, 31), numbers(3, 1, keyHeads, 32), numbers(3, 1, keyHeads, 33), heads: heads,
                keyHeads: keyHeads, logitScale: 0.7)
            #expect(cache.counts == [4, 5, 4])
            return (read, begun.values + next.value.values)
        }
        let (once, each) = (answers([0, 1, 0]), answers([0, 1, 2]))
        #expect(once.read == 2 && each.read == 3 && once.numbers == each.numbers)
    }

    @Test func halvesAnswerAsFloatsDoWhereNothingIsRounded() {
        for (half, float) in zip(answers(isHalf: true, rounded: true), answers(isHalf: false, rounded: true)) {
            #expect(half.count == float.count && zip(half, float).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func whatIsRoundedIsNearby() {
        let (halves, floats) = (answers(isHalf: true, rounded: false), answers(isHalf: false, rounded: false))
        let differences = zip(halves, floats).map { largestDifference($0, $1) }
        #expect(differences.allSatisfy { $0 < 1e-2 } && differences.contains { $0 > 0 }, "\(differences)")
    }

    @Test func onlyLargeOnesAreKeptInHalves() {
        #expect(KeyValueCache.bytes(blocks: 8, batch: 16, capacity: 336, width: 256) == 4 * 2 * 8 * 16 * 336 * 256)
        // Lumina-mGPT 7B at 768²: 32 blocks, a picture and its guidance.
        #expect(KeyValueCache.bytes(blocks: 32, batch: 2, capacity: 2500, width: 4096) == 2 * 2 * 32 * 2 * 2500 * 4096)
    }

    /// Infinity 125M and 2B at 256², and LlamaGen-XL: of one picture with its guidance, and of eight.
    @Test(arguments: [(12, 521, 768), (32, 521, 2048), (36, 376, 1280)])
    func howTheyAreKeptDoesNotDependOnHowManyPicturesAreDrawn(blocks: Int, capacity: Int, width: Int) {
        let one = KeyValueCache.bytes(blocks: blocks, batch: 2, capacity: capacity, width: width)
        let eight = KeyValueCache.bytes(blocks: blocks, batch: 16, capacity: capacity, width: width)
        #expect(eight == 8 * one)
    }
}
