import CKernels
import Tensors

/// Convolution by the kernels that round to bfloat16, for sizes they are made for.
extension Convolution {
    func canRound(_ s: Sizes) -> Bool { MatrixPrecision.isRounding && stride == 1 && s.outWidth % 16 == 0 }

    /// Whether the picture's gradient can be convolved too: its zeros around must not become negative.
    func canRoundBackwards(_ s: Sizes) -> Bool {
        s.width % 16 == 0 && padding.top < s.kernel && padding.left < s.kernel
    }

    /// x [B, C, H, W], w [O, C, k, k] (, b [O]) → y [B, O, H', W'].
    func convolveRounded(_ s: Sizes, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) {
        convolve(kernelSizes(s), pictures: s.batch, x, w, bias: bias, into: y)
    }

    /// Some positions at a time, so that a large picture is the work of several threads: the bits of one do not depend
    /// on which are written with it.
    private func convolve(
        _ sizes: atelier_convolution, pictures: Int, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
    ) {
        let positions = sizes.out_height * sizes.out_width
        parallel(pictures * positions, grain: min(positions, Self.leastPositions)) {
            var sizes = sizes
            atelier_convolution_bfloat16(
                &sizes, y.pointer, x.pointer, w.pointer, bias?.pointer, $0.lowerBound, $0.upperBound)
        }
    }

    /// Fewer would not be worth rounding the kernel for; a multiple of what a vector holds.
    private static var leastPositions: Int { 128 }

    /// ∂/∂x [B, C, H, W]: ∂/∂y [B, O, H', W'] convolved with the kernel turned around.
    func roundedInputGradient(_ s: Sizes, _ w: Tensor, _ dOutput: Tensor) -> Tensor {
        let dx = Tensor(uninitialized: [s.batch, s.channels, s.height, s.width])
        let turned = turned(w, s)
        let sizes = atelier_convolution(
            channels: s.outputs, height: s.outHeight, width: s.outWidth, outputs: s.channels, kernel: s.kernel,
            pad_top: s.kernel - 1 - padding.top, pad_left: s.kernel - 1 - padding.left, out_height: s.height,
            out_width: s.width)
        convolve(sizes, pictures: s.batch, dOutput, turned, bias: nil, into: dx)
        return dx
    }

    /// ∂/∂w [O, C, k, k].
    func roundedWeightGradient(_ s: Sizes, _ x: Tensor, _ w: Tensor, _ dOutput: Tensor) -> Tensor {
        let shares = min(s.batch, 8)  // never as many as there are threads: a result must not depend on their number
        let dw = (0..<shares).map { _ in Tensor(uninitialized: w.shape) }
        let sizes = kernelSizes(s)
        parallel(shares, grain: 1) {
            var sizes = sizes
            for share in $0 {
                atelier_convolution_bfloat16_weights(
                    &sizes, dw[share].pointer, x.pointer, dOutput.pointer, s.batch * share / shares,
                    s.batch * (share + 1) / shares)
            }
        }
        for share in dw.dropFirst() { dw[0].accumulate(share) }
        return dw[0]
    }

    private func kernelSizes(_ s: Sizes) -> atelier_convolution {
        atelier_convolution(
            channels: s.channels, height: s.height, width: s.width, outputs: s.outputs, kernel: s.kernel,
            pad_top: padding.top, pad_left: padding.left, out_height: s.outHeight, out_width: s.outWidth)
    }

    /// w [O, C, k, k] → [C, O, k, k], rows and columns of the kernel from last to first.
    private func turned(_ w: Tensor, _ s: Sizes) -> Tensor {
        let turned = Tensor(uninitialized: [s.channels, s.outputs, s.kernel, s.kernel])
        let taps = s.kernel * s.kernel
        parallel(s.channels, grain: 8) { range in
            for channel in range {
                for output in 0..<s.outputs {
                    let source = w.pointer + (output * s.channels + channel) * taps
                    let target = turned.pointer + (channel * s.outputs + output) * taps
                    for tap in 0..<taps { target[tap] = source[taps - 1 - tap] }
                }
            }
        }
        return turned
    }
}
