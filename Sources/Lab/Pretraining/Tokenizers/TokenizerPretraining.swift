import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A picture tokenizer as its pretraining sees it: whatever it quantizes by, it makes pictures of pictures.
protocol TrainableTokenizer {
    var weights: Weights { get }
    /// Beginnings of the names of the weights behind the tokens.
    var decoderNames: [String] { get }
    /// What the next step reads beside the weights and what the optimizer keeps, by name; nothing unless it says so.
    var memory: [(name: String, tensor: Tensor)] { get }

    /// Pictures [B, 3, H, W] through the tokens and back, and what else the tokenizer is to learn. `learnsTokens` is
    /// false where tokens are to stay as they are. `captions` are the pictures', for who draws tokens of them.
    mutating func pass(_ pictures: Variable, of captions: [String], step: Int, learnsTokens: Bool) -> TokenizerPass
    /// Called once a step's gradients are there; tells further figures.
    mutating func finish(_ pass: TokenizerPass, step: Int, learnsTokens: Bool) -> [(name: String, value: Float)]
    func reconstruct(_ pictures: [Picture]) -> [Picture]
}

/// What a tokenizer made of a step's pictures.
struct TokenizerPass {
    /// [B, 3, H, W].
    let decoded: Variable
    /// The tokenizer's own terms of the loss, a single number.
    let loss: Variable
    /// What the terms are called.
    let named: [(name: String, value: Float)]
    /// What was quantized, [B, e, h, w], and its codes; none where there are no codes.
    var features: Tensor?
    var codes: [Int32] = []
}

extension TrainableTokenizer {
    var memory: [(name: String, tensor: Tensor)] { [] }
    mutating func finish(_ pass: TokenizerPass, step: Int, learnsTokens: Bool) -> [(name: String, value: Float)] { [] }
}

/// Pretraining of a picture tokenizer: reconstruct Little World's pictures through the tokens.
///
/// As the stage `decoder` it leaves the encoder, and with it every token, as it is: pictures get better and a
/// transformer trained on those tokens stays true.
///
/// Loss: reconstruction, perceptual and adversarial terms (`TokenizerObjective`), and the tokenizer's own.
final class TokenizerPretraining: PretrainingStage {
    private let stage: Pretraining.Stage
    var name: String { stage.rawValue }
    let optimizer: any Optimizer
    private var tokenizer: any TrainableTokenizer
    private let options: PretrainingOptions
    private let objective: TokenizerObjective
    private var learnsTokens: Bool { stage == .tokenizer }

    init(_ stage: Pretraining.Stage, of tokenizer: any TrainableTokenizer, options: PretrainingOptions) throws {
        self.stage = stage
        self.tokenizer = tokenizer
        self.options = options
        tokenizer.weights.train { name in
            stage == .tokenizer || tokenizer.decoderNames.contains { name.hasPrefix($0) }
        }
        objective = try TokenizerObjective(options)
        let rule = Muon(tokenizer.weights.trainable, learningRate: options.learningRate, weightDecay: 0.01)
        optimizer = RememberingOptimizer(objective.optimizer(rule), beside: tokenizer.memory)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed)
        let pictures = Variable(.pictures(scenes.painted(size: options.pictureSize)))
        let pass = tokenizer.pass(
            pictures, of: scenes.map(\.caption), step: step, learnsTokens: learnsTokens)
        let losses = objective.accumulate(pass.decoded, of: pictures, step: step, other: pass.loss)
        return losses + pass.named + tokenizer.finish(pass, step: step, learnsTokens: learnsTokens)
    }

    /// Rows of pictures never seen in training above their reconstructions.
    func sheet() -> Picture {
        let pictures = options.heldOutPictures
        return PretrainingOptions.sheet(pictures) { tokenizer.reconstruct(Array(pictures[$0])) }
    }
}
