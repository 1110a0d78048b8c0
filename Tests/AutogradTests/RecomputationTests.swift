import Autograd
import ComputeTesting
import Tensors
import Testing

@Suite(.computing) struct RecomputationTests {
    /// ∂/∂x and ∂/∂w of the mean of GELU(GELU(x · w) · w), stretches of which may be computed once more.
    private func gradients(of x: Node?, once: Bool) -> (x: [Float]?, w: [Float], finished: [Int]) {
        let w = Node()
        let weight = Variable(.example([2, 3], seed: 2), node: w)
        var finished: [Int] = []
        var value = Variable(.example([2, 3]), node: x)
        for stretch in 0..<2 {
            func body(_ inputs: [Variable]) -> Variable { GELU().apply([Multiply().apply([inputs[0], weight])]) }
            value = recomputed([value], where: !once, body, finished: { finished.append(stretch) })
        }
        Mean().apply([value]).backward()
        return (x?.gradient?.values, w.gradient!.values, finished)
    }

    @Test func gradientsAreThoseOfWhatWasKept() {
        let (kept, recomputed) = (gradients(of: Node(), once: true), gradients(of: Node(), once: false))
        #expect(kept.x == recomputed.x && kept.w == recomputed.w)
        #expect(kept.finished == [])
        #expect(recomputed.finished == [1, 0], "the last stretch is the first whose gradients are complete")
    }

    @Test func weightsLearnWhereTheInputDoesNot() {
        #expect(gradients(of: nil, once: false).w == gradients(of: nil, once: true).w)
    }

    @Test func nothingIsRecordedWhereNothingIs() {
        var passes = 0
        let value = Recording.withoutGradients {
            recomputed([Variable(.example([2]))], where: true) {
                passes += 1
                return $0[0]
            }
        }
        #expect(value.node == nil && passes == 1)
    }
}
