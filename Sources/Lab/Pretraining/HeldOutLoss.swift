import Autograd
import Layers
import LittleWorld

/// The loss on captions that training never sees: whether more pictures still help is seen by it.
enum HeldOutLoss {
    /// Among a stage's losses.
    static let name = "held-out"
    private static let batch = 16
    private static let scenes = HeldOutScenes.captioned(count: 64)

    /// The mean over the same scenes, in the same batches, of every run and at every step; nothing is recorded.
    /// - Parameter loss: of scenes and their batch's number, a single number.
    static func mean(_ loss: ([Scene], _ batch: Int) -> Variable) -> Float {
        Recording.withoutGradients {
            let starts = stride(from: 0, to: scenes.count, by: batch)
            let losses = starts.enumerated().map { loss(Array(scenes[$1..<$1 + batch]), $0).scalar }
            return losses.reduce(0, +) / Float(losses.count)
        }
    }
}
