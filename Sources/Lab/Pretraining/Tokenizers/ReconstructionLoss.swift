import Autograd
import Glibc
import Layers

/// What picture tokenizers are trained to: |x − x̂| + (x − x̂)² + |·| on horizontal and vertical differences, so that
/// thin lines and eyes count.
struct ReconstructionLoss {
    let absolute, squared, edges: Variable

    /// Both [B, 3, H, W] in [−1, 1].
    init(_ decoded: Variable, of pictures: Variable) {
        absolute = AbsoluteError().apply([decoded, pictures])
        squared = SquaredError().apply([decoded, pictures])
        edges = AbsoluteError().apply([Differences().apply([decoded]), Differences().apply([pictures])])
    }

    var total: Variable { absolute + squared + edges }

    /// Peak signal-to-noise ratio in dB, and the parts.
    var named: [(name: String, value: Float)] {
        [("psnr", 10 * log10(4 / max(squared.scalar, 1e-9))), ("absolute", absolute.scalar), ("edges", edges.scalar)]
    }
}
