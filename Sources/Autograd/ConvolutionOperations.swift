import CKernels
import Tensors

/// 2-D convolution (cross-correlation) of x [B, C, H, W] with w [O, C, k, k] (+ b [O]); zeros are padded around.
///
/// Works band by band of output rows, so that the columns of a band stay in the cache and are never kept.
package struct Convolution: Operation {
    /// Rows and columns of zeros around a picture.
    package struct Padding {
        let top, left, bottom, right: Int
        /// In pixels.
        package init(top: Int, left: Int, bottom: Int, right: Int) {
            (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
        }
        /// `size` pixels on every side.
        package static func around(_ size: Int) -> Padding { Padding(top: size, left: size, bottom: size, right: size) }
        /// What Infinity's (and LDM's) down-sampling pads before its stride-2 convolution.
        package static let bottomRight = Padding(top: 0, left: 0, bottom: 1, right: 1)
    }

    package static let name = "convolution"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                Convolution(stride: 1, padding: .around(1)),
                [.example([2, 2, 3, 4]), .example([3, 2, 3, 3], seed: 2), .example([3], seed: 3)]),
            OperationExample(
                Convolution(stride: 2, padding: .bottomRight),
                [.example([1, 2, 4, 4]), .example([2, 2, 3, 3], seed: 2), .example([2], seed: 3)]),
            OperationExample(
                Convolution(stride: 1, padding: .around(0)),
                [.example([2, 3, 2, 2]), .example([2, 3, 1, 1], seed: 2)]),
            OperationExample(
                Convolution(stride: 1, padding: .around(2)),
                [.example([1, 2, 1, 1]), .example([2, 2, 5, 5], seed: 2)]),
        ]
    }
    let stride: Int
    let padding: Padding
    @Kept private var saved: [Tensor] = []
    /// Steps of `stride` pixels; `padding` in pixels.
    package init(stride: Int = 1, padding: Padding) {
        self.stride = stride
        self.padding = padding
    }

    struct Sizes {
        let batch, channels, height, width, outputs, kernel, outHeight, outWidth, bandRows: Int
        var columnRows: Int { channels * kernel * kernel }
        var outPlane: Int { outHeight * outWidth }
    }

    /// Of x [B, C, H, W] and w [O, C, k, k].
    private func sizes(_ x: [Int], _ w: [Int]) -> Sizes {
        let (channels, height, width, kernel) = (x[1], x[2], x[3], w[2])
        precondition(w[1] == channels, "convolution: x \(x) does not fit w \(w)")
        let outHeight = (height + padding.top + padding.bottom - kernel) / stride + 1
        let outWidth = (width + padding.left + padding.right - kernel) / stride + 1
        let band = max(1, min(outHeight, (1 << 17) / (channels * kernel * kernel * outWidth)))
        return Sizes(
            batch: x[0], channels: channels, height: height, width: width, outputs: w[0], kernel: kernel,
            outHeight: outHeight, outWidth: outWidth, bandRows: band)
    }

    private var isPointwise: Bool {
        stride == 1 && padding.top == 0 && padding.left == 0 && padding.bottom == 0 && padding.right == 0
    }

    /// The columns of one band, in `scratch`; a 1×1 convolution reads the picture as it lies.
    private func columns(_ s: Sizes, image: UnsafeMutablePointer<Float>, rows: Range<Int>, scratch: Tensor?) -> Matrix {
        guard let scratch else { return Matrix(image + rows.lowerBound * s.outWidth, stride: s.outPlane) }
        atelier_im2col(
            scratch.pointer, image, s.channels, s.height, s.width, s.kernel, stride, padding.top, padding.left,
            s.outWidth,
            rows.lowerBound, rows.upperBound)
        return Matrix(scratch.pointer, stride: rows.count * s.outWidth)
    }

    private func scratch(_ s: Sizes) -> Tensor? {
        isPointwise && s.kernel == 1 ? nil : Tensor(uninitialized: [s.columnRows * s.bandRows * s.outWidth])
    }

    private func bands(_ s: Sizes) -> [Range<Int>] { (0..<s.outHeight).parts(of: s.bandRows) }

    /// x [B, C, H, W], w [O, C, k, k] (, b [O]) → [B, O, (H + top + bottom − k)/stride + 1, (W + left + right −
    /// k)/stride + 1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let w = inputs[1]
        let s = sizes(x.shape, w.shape)
        let bands = bands(s)
        let bias = inputs.count > 2 ? inputs[2] : nil
        let y = Tensor(uninitialized: [s.batch, s.outputs, s.outHeight, s.outWidth])
        saved = [x, w]
        if canRound(s) {
            convolveRounded(s, x, w, bias: bias, into: y)
            return y
        }
        let precision = MatrixPrecision.current
        parallel(s.batch * bands.count, grain: 1) { range in
            let scratch = scratch(s)
            for task in range {
                let image = task / bands.count
                let rows = bands[task % bands.count]
                let n = rows.count * s.outWidth
                let source = x.pointer + image * s.channels * s.height * s.width
                let target = y.pointer + image * s.outputs * s.outPlane + rows.lowerBound * s.outWidth
                if let bias { for o in 0..<s.outputs { atelier_fill(target + o * s.outPlane, bias.pointer[o], n) } }
                multiplySerially(
                    Matrix(w.pointer, stride: s.columnRows), columns(s, image: source, rows: rows, scratch: scratch),
                    into: Matrix(target, stride: s.outPlane), m: s.outputs, n: n, k: s.columnRows,
                    beta: bias == nil ? 0 : 1,
                    precision: precision)
            }
        }
        return y
    }

    /// ∂/∂x [B, C, H, W], ∂/∂w [O, C, k, k] (, ∂/∂b [O]), from ∂/∂y [B, O, H', W'].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let w = $saved[1].tensor
        let s = sizes($saved[0].shape, w.shape)
        let db = needs.count > 2 && needs[2] ? biasGradient(dOutput, s) : nil
        if canRound(s), !needs[0] || canRoundBackwards(s) {
            let dx = needs[0] ? roundedInputGradient(s, w, dOutput) : nil
            return [dx, needs[1] ? roundedWeightGradient(s, $saved[0].tensor, w, dOutput) : nil, db]
        }
        let x = needs[1] ? $saved[0].tensor : nil
        let bands = bands(s)
        let precision = MatrixPrecision.current
        let shares = min(s.batch, 8)  // never as many as there are threads: a result must not depend on their number
        let dx = needs[0] ? Tensor(zeros: $saved[0].shape) : nil
        let dw = needs[1] ? (0..<shares).map { _ in Tensor(zeros: w.shape) } : []
        // Each share owns some images and a weight gradient of its own; the shares are added in order afterwards.
        parallel(shares, grain: 1) { range in
            for share in range {
                let scratch = scratch(s)
                for image in s.batch * share / shares..<s.batch * (share + 1) / shares {
                    for rows in bands {
                        backwardBand(
                            s, w: w, dOutput: dOutput, image: image, rows: rows, scratch: scratch, dx: dx,
                            weights: x.map { (x: $0, gradient: dw[share]) }, precision: precision)
                    }
                }
            }
        }
        for share in dw.dropFirst() { dw[0].accumulate(share) }
        return [dx, dw.first, db]
    }

    private func backwardBand(
        _ s: Sizes, w: Tensor, dOutput: Tensor, image: Int, rows: Range<Int>, scratch: Tensor?, dx: Tensor?,
        weights: (x: Tensor, gradient: Tensor)?, precision: MatrixPrecision
    ) {
        let n = rows.count * s.outWidth
        let imageSize = s.channels * s.height * s.width
        let dy = Matrix(
            dOutput.pointer + image * s.outputs * s.outPlane + rows.lowerBound * s.outWidth, stride: s.outPlane)
        if let (x, dw) = weights {
            let columns = columns(s, image: x.pointer + image * imageSize, rows: rows, scratch: scratch)
            multiplySerially(
                dy, Matrix(columns.pointer, stride: columns.stride, transposed: true),
                into: Matrix(dw.pointer, stride: s.columnRows),
                m: s.outputs, n: s.columnRows, k: n, beta: 1, precision: precision)
        }
        guard let dx else { return }
        let weights = Matrix(w.pointer, stride: s.columnRows, transposed: true)
        let target = dx.pointer + image * imageSize
        guard let scratch else {
            multiplySerially(
                weights, dy, into: Matrix(target + rows.lowerBound * s.outWidth, stride: s.outPlane), m: s.columnRows,
                n: n, k: s.outputs,
                precision: precision)
            return
        }
        multiplySerially(
            weights, dy, into: Matrix(scratch.pointer, stride: n), m: s.columnRows, n: n, k: s.outputs,
            precision: precision)
        atelier_col2im(
            target, scratch.pointer, s.channels, s.height, s.width, s.kernel, stride, padding.top, padding.left,
            s.outWidth,
            rows.lowerBound, rows.upperBound)
    }

    /// Of x and w; as many for the gradient of each.
    package var products: Products {
        let s = sizes($saved[0].shape, $saved[1].shape)
        let each = s.batch * s.outputs * s.columnRows * s.outPlane
        return Products(forward: each, backward: [each, each, 0])
    }

    private func biasGradient(_ dOutput: Tensor, _ s: Sizes) -> Tensor {
        let db = Tensor(zeros: [s.outputs])
        parallel(s.outputs, grain: 1) { range in
            for output in range {
                for image in 0..<s.batch {
                    let plane = dOutput.pointer + (image * s.outputs + output) * s.outPlane
                    db.pointer[output] += Float(atelier_sum(plane, s.outPlane))
                }
            }
        }
        return db
    }
}

/// [B, C, H, W] → [B, C, 2H, 2W], every pixel four times.
package struct UpsampleNearest: Operation {
    package static let name = "upsampleNearest"
    package static var examples: [OperationExample] { [OperationExample(UpsampleNearest(), [.example([1, 2, 2, 3])])] }
    package init() {}

    /// x [B, C, H, W] → [B, C, 2H, 2W].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let (b, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let y = Tensor(uninitialized: [b, c, 2 * h, 2 * w])
        parallel(b * c, grain: 4) { atelier_upsample_nearest(y.pointer, x.pointer, $0.lowerBound, $0.upperBound, h, w) }
        return y
    }

    /// ∂/∂x [B, C, H, W]: the sum of each four pixels of ∂/∂y [B, C, 2H, 2W].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let (b, c, h, w) = (dOutput.shape[0], dOutput.shape[1], dOutput.shape[2] / 2, dOutput.shape[3] / 2)
        let dx = Tensor(uninitialized: [b, c, h, w])
        parallel(b * c, grain: 4) {
            atelier_upsample_nearest_backward(dx.pointer, dOutput.pointer, $0.lowerBound, $0.upperBound, h, w)
        }
        return [dx]
    }
}

/// The largest of every window×window square of [B, C, H, W], `stride` apart, without padding; squares that would reach
/// past the edge are left out. Of equal values the first counts; NaN is larger than any.
package struct MaxPool: Operation {
    package static let name = "maxPool"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                MaxPool(window: 3, stride: 2), [Tensor((0..<60).map { Float($0 * 37 % 60) / 8 }, shape: [1, 2, 5, 6])])
        ]
    }
    let window, stride: Int
    private var shape: [Int] = []
    /// For every output, the input it was taken from.
    private var origins: [Int32] = []
    /// Squares of `window` × `window` pixels, `stride` apart.
    package init(window: Int, stride: Int) { (self.window, self.stride) = (window, stride) }

    /// x [B, C, H, W] → [B, C, (H − window)/stride + 1, (W − window)/stride + 1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let (height, width) = (x.shape[2], x.shape[3])
        precondition(height >= window && width >= window, "maxPool: \(x.shape) is smaller than the window \(window)")
        shape = x.shape
        let (rows, columns) = ((height - window) / stride + 1, (width - window) / stride + 1)
        let y = Tensor(uninitialized: [x.shape[0], x.shape[1], rows, columns])
        var origins = [Int32](repeating: 0, count: y.count)
        origins.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let origins = buffer.baseAddress!
            parallel(x.shape[0] * x.shape[1], grain: 4) { planes in
                for output in planes.lowerBound * rows * columns..<planes.upperBound * rows * columns {
                    let plane = output / (rows * columns)
                    let row = output / columns % rows * stride
                    let column = output % columns * stride
                    let corner = (plane * height + row) * width + column
                    let origin = largest(x.pointer, from: corner, width: width)
                    y.pointer[output] = x.pointer[origin]
                    origins[output] = Int32(origin)
                }
            }
        }
        self.origins = origins
        return y
    }

    private func largest(_ x: UnsafeMutablePointer<Float>, from corner: Int, width: Int) -> Int {
        var best = corner
        for i in 0..<window {
            for j in 0..<window {
                let place = corner + i * width + j
                if x[place] > x[best] || x[place].isNaN { best = place }
            }
        }
        return best
    }

    /// ∂/∂x [B, C, H, W], each number of ∂/∂y added where its maximum was.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(zeros: shape)
        for (output, origin) in origins.enumerated() { dx.pointer[Int(origin)] += dOutput.pointer[output] }
        return [dx]
    }
}
