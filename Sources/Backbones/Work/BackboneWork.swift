/// What a model's computations take, by its sizes alone: no weight is read. Each family counts along its own code.
package protocol BackboneWork: Sendable {
    /// So many pictures drawn at once, of prompts of so many tokens each, their text and their decoding among it, with
    /// products as exact as the weights.
    func drawing(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work
    /// Pictures that are drawn together where more are asked for at once: fewer, the more memory each takes.
    var drawnTogether: Int { get }
    /// So many prompts, together, as the network reads them; nothing where it reads their tokens itself.
    func reading(_ prompts: Int, tokens: Int) -> Work
    /// What learning sees of pictures under their prompts: the pass there, recorded, from what is read of these to
    /// logits.
    /// - Parameter rank: of low-rank changes that hang on the attention's projections; 0 without.
    func pass(_ pictures: Int, prompt tokens: Int, rank: Int) -> Work
    /// Pictures as the network sees them: their tokens, codes or latents.
    func encoding(_ pictures: Int) -> Work
    /// Numbers of a picture as the network sees it.
    var encodedNumbers: Int { get }
    /// Numbers of the logits on a picture that methods hold the network to; 0 of other families.
    var answers: Int { get }
    /// The share of the network's multiplications whose weights ARBooth's paper lets learn; 0 of other families.
    var tunedShare: Double { get }
    /// Numbers of those weights.
    var tunedNumbers: Int { get }
    /// Blocks those weights are in.
    var blocks: Int { get }
    /// Numbers of a low-rank change of the attention of rank 1.
    var lowRankNumbers: Int { get }
}

/// What of a drawing's options changes what it takes.
package struct DrawingWork: Sendable, Equatable {
    /// Whether every picture is computed with its prompt and without.
    package var isGuided: Bool
    /// Steps of diffusion; the model's own unless given.
    package var steps: Int?
    /// How the model's weights are held.
    package var weights: Work.Weights
    /// Pictures of every prompt, which is read once for those of a batch.
    package var perPrompt = 1

    /// Guided, in the model's own steps, with weights in single precision, unless given.
    package init(isGuided: Bool = true, steps: Int? = nil, weights: Work.Weights = .single) {
        (self.isGuided, self.steps, self.weights) = (isGuided, steps, weights)
    }

    /// Rows of a batch of pictures.
    func rows(_ pictures: Int) -> Int { isGuided ? 2 * pictures : pictures }
    /// Prompts of a batch of pictures.
    func prompts(_ pictures: Int) -> Int { (pictures + perPrompt - 1) / perPrompt }
}

extension BackboneWork {
    /// As many as are asked for: a diffusion model keeps nothing of a picture but its latents.
    package var drawnTogether: Int { Int.max }

    /// Pictures drawn in parts of as many as are drawn together.
    func drawingApart(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work {
        Double(pictures) / Double(drawnTogether) * drawing(drawnTogether, prompt: tokens, sampling)
    }

    /// Nothing, of networks that read a prompt's ids themselves.
    package func reading(_ prompts: Int, tokens: Int) -> Work { Work() }
    /// 0, unless a method holds the family's network to its logits.
    package var answers: Int { 0 }
    /// 0, of families ARBooth does not learn on.
    package var tunedShare: Double { 0 }
    /// 0, of families ARBooth does not learn on.
    package var tunedNumbers: Int { 0 }
    /// 1, of families ARBooth does not learn on.
    package var blocks: Int { 1 }
}
