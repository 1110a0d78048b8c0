import Autograd
import CKernels
import ComputeTesting
import Tensors
import Testing

/// Kernels that round to bfloat16 must say what single precision says, but for the rounding: 8 bits of mantissa.
@Suite(.computing, .enabled(if: MatrixPrecision.$current.withValue(.bfloat16) { MatrixPrecision.isRounding }))
struct RoundingTests {
    private static func attentions() -> [OperationExample] {
        let scales: [Int32] = (0..<45).map { $0 < 1 ? 1 : $0 < 5 ? 5 : $0 < 21 ? 21 : 45 }
        return [
            OperationExample(Attention(heads: 2, layout: .packed, logitScale: 1), [.example([2, 33, 192])]),
            OperationExample(
                Attention(heads: 2, layout: .packed, logitScale: 0.3, visible: scales), [.example([2, 45, 192])]),
            OperationExample(
                Attention(heads: 1, layout: .packed, logitScale: 0.2, visible: (1...50).map { $0 }),
                [.example([1, 50, 384])]),
            OperationExample(
                Attention(heads: 2, layout: .queryAndPackedKeys, logitScale: 0.5, keyRanges: [0..<1, 1..<1, 1..<40]),
                [.example([3, 14, 64]), .example([40, 128], seed: 2)]),
            OperationExample(
                Attention(heads: 4, keyHeads: 2, layout: .separate, logitScale: 0.2),
                [.example([2, 400, 128]), .example([2, 70, 64], seed: 2), .example([2, 70, 64], seed: 3)]),
            OperationExample(
                Attention(heads: 4, keyHeads: 2, layout: .packed, logitScale: 0.2, visible: scales),
                [.example([2, 45, 256])]),
        ]
    }

    private static func convolutions() -> [OperationExample] {
        [
            OperationExample(
                Convolution(padding: .around(1)),
                [.example([3, 5, 16, 16]), .example([7, 5, 3, 3], seed: 2), .example([7], seed: 3)]),
            OperationExample(
                Convolution(padding: .around(1)), [.example([9, 40, 4, 48]), .example([33, 40, 3, 3], seed: 2)]),
            OperationExample(
                Convolution(padding: .around(0)), [.example([2, 12, 6, 32]), .example([20, 12, 1, 1], seed: 2)]),
            OperationExample(
                Convolution(padding: .bottomRight), [.example([2, 3, 5, 16]), .example([4, 3, 2, 2], seed: 2)]),
        ]
    }

    /// The value and all gradients, one after the other.
    private func results(_ example: OperationExample, _ precision: MatrixPrecision) -> [[Float]] {
        MatrixPrecision.$current.withValue(precision) {
            let leaves = example.inputs.map { _ in Node() }
            let y = example.operation.apply(zip(example.inputs, leaves).map { Variable($0, node: $1) })
            y.backward(seed: .example(y.shape, seed: 77))
            return [y.value.values] + leaves.map { $0.gradient!.values }
        }
    }

    @Test(arguments: 0..<10)
    func roundedKernelsMatchSinglePrecision(number: Int) {
        let example = (Self.attentions() + Self.convolutions())[number]
        let single = results(example, .single)
        for (index, (rounded, exact)) in zip(results(example, .bfloat16), single).enumerated() {
            let scale = max(exact.map(abs).max()!, 1e-3)
            let worst = largestDifference(rounded, exact) / scale
            #expect(worst < 2e-2, "result \(index): \(worst) of the largest value")
            // A bias' gradient is a sum, which nothing rounds.
            #expect(worst > 0 || index > 0, "the value is the same to the bit: nothing was rounded")
        }
    }

    /// A large picture is the work of several threads, whose number must not show in its bits.
    @Test(arguments: [16, 48, 400])
    func aConvolutionHasTheSameBitsInParts(step: Int) {
        let (pictures, height, width) = (2, 9, 48)
        let (x, w) = (Tensor.example([pictures, 5, height, width]), Tensor.example([7, 5, 3, 3], seed: 2))
        let (bias, count) = (Tensor.example([7], seed: 3), pictures * height * width)
        func convolved(by step: Int) -> [Float] {
            var sizes = atelier_convolution(
                channels: 5, height: height, width: width, outputs: 7, kernel: 3, pad_top: 1, pad_left: 1,
                out_height: height, out_width: width)
            let y = Tensor(zeros: [pictures, 7, height, width])
            for first in stride(from: 0, to: count, by: step) {
                atelier_convolution_bfloat16(
                    &sizes, y.pointer, x.pointer, w.pointer, bias.pointer, first, min(first + step, count))
            }
            return y.values
        }
        #expect(convolved(by: step) == convolved(by: count))
    }
}
