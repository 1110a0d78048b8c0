import Images
import Layers

/// A stage of pretraining: one step, and what to show.
package protocol PretrainingStage: AnyObject {
    /// `tokenizer`, `transformer`, `classifier`: names its files in the run folder.
    var name: String { get }
    /// What its gradients are for.
    var optimizer: any Optimizer { get }
    /// Accumulates gradients for step `step` and returns named losses; the first is the one plotted.
    func accumulate(step: Int) -> [(name: String, value: Float)]
    /// The loss on captions that training never sees, which the weights alone decide; nil where there is none. It
    /// changes nothing that the next step reads.
    func heldOutLoss() -> Float?
    /// Pictures to look at.
    func sheet() -> Picture
}

extension PretrainingStage {
    /// None, unless a stage says so.
    package func heldOutLoss() -> Float? { nil }
}
