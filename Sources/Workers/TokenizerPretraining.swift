import Autograd
import Backbones
import Images
import Layers
import LittleWorld
import Glibc
import Tensors

/// Pretraining of the picture tokenizer: reconstruct Little World's pictures through the bits.
///
/// As the stage `decoder` it leaves the encoder, and with it every bit, as it is: pictures get better and a transformer trained on
/// those bits stays true.
///
/// Loss: |x − x̂| + (x − x̂)² + the same on horizontal and vertical differences, so that thin lines and eyes count, + commitment.
final class TokenizerPretraining: PretrainingStage {
    enum Part: String { case tokenizer, decoder }

    private let part: Part
    var name: String { part.rawValue }
    let optimizer: any Optimizer
    private let model: InfinityModel
    private let options: PretrainingOptions
    private let commitment: Float = 1

    init(_ part: Part, of model: InfinityModel, options: PretrainingOptions) {
        self.part = part
        self.model = model
        self.options = options
        model.freeze()
        model.tokenizerWeights.train { part == .tokenizer || $0.hasPrefix("decoder.") }
        optimizer = Muon(model.tokenizerWeights.trainable, learningRate: options.learningRate, weightDecay: 0.01)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = (0..<options.batch).map {
            LittleWorld.scene(index: UInt64(step * options.batch + $0), seed: options.seed, split: .training)
        }
        let pictures = Variable(.pictures(scenes.painted(size: model.configuration.pictureSize)))
        let features = model.tokenizer.features(pictures)
        let sum = model.tokenizer.straightThrough(features, schedule: model.configuration.schedule)
        let decoded = model.tokenizer.decode(sum)
        let squared = SquaredError().apply([decoded, pictures]), absolute = AbsoluteError().apply([decoded, pictures])
        let edges = AbsoluteError().apply([Differences().apply([decoded]), Differences().apply([pictures])])
        let committed = SquaredError().apply([features, sum.detached])
        (absolute + squared + edges + commitment * committed).backward()
        let signal = 10 * log10(4 / max(squared.scalar, 1e-9))
        return [("psnr", signal), ("absolute", absolute.scalar), ("edges", edges.scalar), ("commitment", committed.scalar)]
    }

    func settle() {}

    /// Rows of pictures never seen in training above their reconstructions.
    func sheet() -> Picture {
        let pictures = (0..<36).map { LittleWorld.scene(index: UInt64($0), seed: 1, split: .heldOut).paint(size: model.configuration.pictureSize) }
        return Grid.rows(of: 12, stride(from: 0, to: 36, by: 12).flatMap { row in
            let originals = Array(pictures[row..<row + 12])
            return originals + model.reconstruct(originals)
        })
    }
}
