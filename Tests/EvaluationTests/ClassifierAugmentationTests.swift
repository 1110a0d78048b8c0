import ComputeTesting
import Evaluation
import Tensors
import Testing

@Suite(.computing) struct ClassifierAugmentationTests {
    private let picture = Tensor.example([1, 3, 16, 16], seed: 3)

    private func changed(first: Int) -> Tensor {
        let copy = picture.copy()
        ClassifierAugmentation().apply(to: copy, seed: 5, first: first)
        return copy
    }

    @Test func aPicturesChangesDependOnItsNumberAlone() {
        let pair = Tensor.joined([picture, picture])
        ClassifierAugmentation().apply(to: pair, seed: 5, first: 7)
        #expect(pair.slice(0..<1).values == changed(first: 7).values)
        #expect(pair.slice(1..<2).values == changed(first: 8).values)
        #expect(changed(first: 7).values != changed(first: 8).values)
    }

    /// A blur and a shift keep the range; noise adds a little.
    @Test func nothingGrowsBeyondTheNoise() {
        for number in 0..<50 {
            #expect(changed(first: number).maximumMagnitude <= picture.maximumMagnitude + 0.08 + 1e-5)
        }
    }

    /// Whatever is done to a flat picture without noise leaves it flat: the filter's weights add up to one at the edges
    /// too.
    @Test func aFlatPictureStaysFlat() {
        for number in 0..<50 {
            let flat = Tensor(repeating: 0.5, shape: [1, 3, 16, 16])
            ClassifierAugmentation().apply(to: flat, seed: 5, first: number)
            #expect(flat.values.allSatisfy { abs($0 - 0.5) <= 0.08 + 1e-5 })
        }
    }
}
