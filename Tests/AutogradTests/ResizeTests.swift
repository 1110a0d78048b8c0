import Autograd
import ComputeTesting
import Tensors
import Testing

/// Small maps are resized by one dense product, large ones by a separable kernel; both must say the same.
@Suite(.computing) struct ResizeTests {
    /// Sizes below and above the border between the two.
    @Test(arguments: [2, 20])
    func areaIsTheMeanOfEachBlock(side: Int) {
        let x = Tensor.example([2, 3, 2 * side, 3 * side])
        let y = Resize.resized(x, height: side, width: side, method: .area)
        for plane in 0..<6 {
            for i in 0..<side {
                for j in 0..<side {
                    var sum: Float = 0
                    for a in 0..<2 {
                        for b in 0..<3 { sum += x.pointer[(plane * 2 * side + 2 * i + a) * 3 * side + 3 * j + b] }
                    }
                    #expect(abs(y.pointer[(plane * side + i) * side + j] - sum / 6) < 1e-5)
                }
            }
        }
    }

    @Test(arguments: [4, 20])
    func bilinearFollowsARampAndRepeatsTheEdges(side: Int) {
        let ramp = (0..<side * side).map { Float($0 / side) + 100 * Float($0 % side) }
        let y = Resize.resized(
            Tensor(ramp, shape: [1, 1, side, side]), height: 2 * side, width: 2 * side, method: .bilinear)
        func position(_ i: Int) -> Float { min(max((Float(i) + 0.5) / 2 - 0.5, 0), Float(side - 1)) }
        for i in 0..<2 * side {
            for j in 0..<2 * side {
                let expected = position(i) + 100 * position(j)
                #expect(abs(y.pointer[i * 2 * side + j] - expected) < 1e-5 * max(expected, 1))
            }
        }
    }

    /// However many planes there are, and however many threads resize them, a plane is the same.
    @Test func planesAreTheSameAloneAndTogether() {
        let x = Tensor.example([4096, 1, 16, 16])
        func resized(_ x: Tensor) -> Tensor { Resize.resized(x, height: 2, width: 2, method: .area) }
        let apart = stride(from: 0, to: 4096, by: 256).map { resized(x.slice($0..<$0 + 256)) }
        #expect(resized(x).values == Tensor.joined(apart).values)
    }

    @Test func windowsOverlapWhereSidesDoNotDivide() {
        // 5 → 3 reads 0…1, 1…3, 3…4, as PyTorch's adaptive pooling.
        let y = Resize.resized(Tensor([0, 1, 2, 3, 4], shape: [1, 1, 1, 5]), height: 1, width: 3, method: .area)
        for (value, expected) in zip(y.values, [0.5, 2, 3.5] as [Float]) { #expect(abs(value - expected) < 1e-6) }
    }
}
