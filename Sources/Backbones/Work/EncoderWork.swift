/// A block that attends over all of its own tokens and feeds them forward, as encoders have it.
private struct EncoderBlockWork {
    let width, inner, heads, feedForward: Int
    /// Matrices of the feed-forward: two, or three where it is gated.
    let matrices: Int

    /// One block over `samples` times `tokens`.
    func callAsFunction(_ samples: Int, _ tokens: Int) -> Work {
        var work = Work()
        let rows = samples * tokens
        work.pointwise(rows * width, operations: 2)
        for _ in 0..<3 { work.linear(rows, from: width, to: inner) }
        let pairs = Double(samples) * Double(tokens) * Double(tokens)
        work.attention(rows, keys: rows, pairs: pairs, width: inner, heads: heads)
        work.linear(rows, from: inner, to: width)
        for _ in 1..<matrices { work.linear(rows, from: width, to: feedForward) }
        work.pointwise(rows * feedForward, operations: matrices - 1)
        work.linear(rows, from: feedForward, to: width)
        work.pointwise(rows * width, operations: 2)
        return work
    }
}

extension T5Encoder.Configuration {
    /// Texts of so many tokens each, together.
    func encoding(_ texts: Int, tokens: Int) -> Work {
        let block = EncoderBlockWork(
            width: width, inner: heads * headWidth, heads: heads, feedForward: feedForwardWidth,
            matrices: feedForward.isGated ? 3 : 2)
        return Double(layers) * block(texts, tokens)
    }
}

extension CLIPModel.Text {
    /// Texts, together, each filled up to the tower's length.
    package func encoding(_ texts: Int) -> Work {
        let block = EncoderBlockWork(
            width: width, inner: width, heads: heads, feedForward: feedForwardWidth, matrices: 2)
        return Double(layers) * block(texts, length)
    }
}

extension CLIPModel.Vision {
    /// Prepared pictures, together.
    package func encoding(_ pictures: Int) -> Work {
        patched(pictures, side: pictureSize / patchSize, patch: patchSize, width: width)
            + Double(layers)
            * EncoderBlockWork(width: width, inner: width, heads: heads, feedForward: feedForwardWidth, matrices: 2)(
                pictures, tokens(pictureSize / patchSize))
    }
}

extension DINOModel.Configuration {
    /// Prepared pictures, together.
    package func encoding(_ pictures: Int) -> Work {
        patched(pictures, side: pictureSize / patchSize, patch: patchSize, width: width)
            + Double(layers)
            * EncoderBlockWork(width: width, inner: width, heads: heads, feedForward: feedForwardWidth, matrices: 2)(
                pictures, tokens(pictureSize / patchSize))
    }
}

extension LPIPS {
    /// A picture's features at the five depths.
    package static func seeing(height: Int, width: Int) -> Work {
        var work = Work()
        var (height, width, channels) = (height, width, 3)
        func left(_ side: Int, kernel: Int, stride: Int, padding: Int = 0) -> Int {
            (side + 2 * padding - kernel) / stride + 1
        }
        for (layer, outputs) in zip(layers, Self.channels) {
            if layer.pools {
                (height, width) = (left(height, kernel: 3, stride: 2), left(width, kernel: 3, stride: 2))
                work.pointwise(channels * height * width)
            }
            let (kernel, stride, padding) = (layer.kernel, layer.stride, layer.padding)
            height = left(height, kernel: kernel, stride: stride, padding: padding)
            width = left(width, kernel: kernel, stride: stride, padding: padding)
            work.convolution(
                1, from: channels, to: outputs, height: height, width: width, kernel: kernel, stride: stride)
            work.pointwise(outputs * height * width)
            channels = outputs
        }
        return work
    }
}

/// Patches on a side, and the class token.
private func tokens(_ side: Int) -> Int { side * side + 1 }

/// Pictures cut into patches.
private func patched(_ pictures: Int, side: Int, patch: Int, width: Int) -> Work {
    var work = Work()
    work.convolution(pictures, from: 3, to: width, height: side, width: side, kernel: patch, stride: patch)
    work.pointwise(pictures * tokens(side) * width, operations: 2)
    return work
}
