import Autograd
import Checkpoints
import Layers
import Tensors

/// The learned perceptual distance (Zhang et al., arXiv 1801.03924; lpips 0.1 with AlexNet): squared differences of
/// channel-normalized features at five depths, weighted per channel by the published heads, averaged over places and
/// summed over depths.
package final class LPIPS {
    /// AlexNet's convolutions: the ends of its five slices, and the pooling that belongs to the next one.
    static let layers: [(name: String, kernel: Int, stride: Int, padding: Int, pools: Bool)] = [
        ("net.slice1.0", 11, 4, 2, false), ("net.slice2.3", 5, 1, 2, true), ("net.slice3.6", 3, 1, 1, true),
        ("net.slice4.8", 3, 1, 1, false), ("net.slice5.10", 3, 1, 1, false),
    ]
    /// Fewest pixels on a side for which the last slice has a place left.
    package static let smallestSide = 31

    private let convolutions: [ConvolutionLayer]
    /// Weight per channel of every depth, [1, C, 1, 1].
    private let heads: [Parameter]
    private let shift, scale: Parameter

    /// AlexNet's channels at the five depths.
    package static let channels = [64, 192, 384, 256, 256]

    /// - Parameter channels: of the five depths.
    package init(_ weights: Weights, channels: [Int] = LPIPS.channels) {
        convolutions = LPIPS.layers.indices.map {
            let layer = LPIPS.layers[$0]
            return ConvolutionLayer(
                weights, layer.name, from: $0 == 0 ? 3 : channels[$0 - 1], to: channels[$0], kernel: layer.kernel,
                stride: layer.stride, padding: .around(layer.padding))
        }
        heads = channels.enumerated().map { weights.parameter("lin\($0).model.1.weight", [1, $1, 1, 1], .ones) }
        shift = weights.parameter("scaling_layer.shift", [1, 3, 1, 1], .zeros)
        scale = weights.parameter("scaling_layer.scale", [1, 3, 1, 1], .ones)
    }

    /// Reads the published weights: the heads, and the trunk under lpips's own names or torchvision's
    /// (`features.0.weight` …), in one file or two, whatever their container.
    /// - Throws: `CheckpointError` for a file that cannot be read, `WeightsError` naming what the files lack.
    package convenience init(files: [String]) throws {
        var tensors = LPIPS.publishedScaling
        for file in files {
            for (name, tensor) in try Checkpoint.tensors(file) { tensors[LPIPS.ownName(name)] = tensor }
        }
        let weights = Weights(.checkpoint(tensors))
        let heads = LPIPS.channels.indices.map { tensors["lin\($0).model.1.weight"]?.shape }
        self.init(
            weights, channels: zip(heads, LPIPS.channels).map { $0.flatMap { $0.count == 4 ? $0[1] : nil } ?? $1 })
        try weights.verify()
    }

    /// The packaged heads leave the scaling out: it is a constant of the code.
    private static var publishedScaling: [String: Tensor] {
        [
            "scaling_layer.shift": Tensor([-0.030, -0.088, -0.188], shape: [1, 3, 1, 1]),
            "scaling_layer.scale": Tensor([0.458, 0.448, 0.450], shape: [1, 3, 1, 1]),
        ]
    }

    /// torchvision's `features.N.…` is lpips's `net.sliceK.N.…`.
    private static func ownName(_ name: String) -> String {
        let parts = name.split(separator: ".")
        guard parts.count == 3, parts[0] == "features" else { return name }
        return layers.first { $0.name.hasSuffix(".\(parts[1])") }.map { "\($0.name).\(parts[2])" } ?? name
    }

    /// The five feature maps [B, C, h, w] of pictures [B, 3, H, W] in [−1, 1].
    /// - Precondition: sides of at least `smallestSide` pixels.
    package func features(_ pictures: Tensor) -> [Tensor] {
        precondition(
            min(pictures.shape[2], pictures.shape[3]) >= LPIPS.smallestSide,
            "LPIPS needs \(LPIPS.smallestSide) pixels a side: \(pictures.shape)")
        return Recording.withoutGradients {
            var x = Variable(scaled(pictures))
            var maps: [Tensor] = []
            for (convolution, layer) in zip(convolutions, LPIPS.layers) {
                if layer.pools { x = MaxPool(window: 3, stride: 2).apply([x]) }
                x = ReLU().apply([convolution(x)])
                maps.append(x.value)
            }
            return maps
        }
    }

    private func scaled(_ pictures: Tensor) -> Tensor {
        let x = pictures.copy()
        let plane = x.shape[2] * x.shape[3]
        for index in 0..<x.shape[0] * 3 {
            let values = x.pointer + index * plane
            let (shift, scale) = (shift.value.pointer[index % 3], scale.value.pointer[index % 3])
            for i in 0..<plane { values[i] = (values[i] - shift) / scale }
        }
        return x
    }

    /// Each depth's share of the distance between a[i] and b[i], [B, 5].
    package func distances(_ a: Tensor, _ b: Tensor) -> Tensor {
        let (a, b) = (features(a), features(b))
        let shares = (0..<a[0].shape[0]).flatMap { sample in
            self.shares(a.map { $0.slice(sample..<sample + 1) }, b.map { $0.slice(sample..<sample + 1) })
        }
        return Tensor(shares, shape: [shares.count / heads.count, heads.count])
    }

    /// The distance between a[i] and b[i], [B].
    package func distance(_ a: Tensor, _ b: Tensor) -> Tensor {
        let shares = distances(a, b).values
        let depths = heads.count
        let samples = shares.count / depths
        return Tensor((0..<samples).map { shares[$0 * depths..<($0 + 1) * depths].reduce(0, +) }, shape: [samples])
    }

    /// The distance between two pictures by their `features`, [1, C, h, w] each.
    package func distance(_ a: [Tensor], _ b: [Tensor]) -> Float { shares(a, b).reduce(0, +) }

    private func shares(_ a: [Tensor], _ b: [Tensor]) -> [Float] {
        heads.indices.map { distance(a[$0], b[$0], heads[$0].value) }
    }

    /// The mean over places of Σ_c weight · (a/‖a‖ − b/‖b‖)², of maps [1, C, h, w]; norms over channels.
    private func distance(_ a: Tensor, _ b: Tensor, _ weights: Tensor) -> Float {
        let channels = a.shape[1]
        let plane = a.shape[2] * a.shape[3]
        let (a, b, w) = (a.pointer, b.pointer, weights.pointer)
        var total = 0.0
        for place in 0..<plane {
            var squares: (Float, Float) = (0, 0)
            for c in 0..<channels {
                squares = (
                    squares.0 + a[c * plane + place] * a[c * plane + place],
                    squares.1 + b[c * plane + place] * b[c * plane + place]
                )
            }
            let (left, right) = (1 / (squares.0.squareRoot() + 1e-10), 1 / (squares.1.squareRoot() + 1e-10))
            for c in 0..<channels {
                let difference = a[c * plane + place] * left - b[c * plane + place] * right
                total += Double(w[c] * difference * difference)
            }
        }
        return Float(total / Double(plane))
    }
}
