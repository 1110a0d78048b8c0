import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A picture tokenizer with a codebook.
protocol CodebookTokenizer {
    var quantizer: VectorQuantizer { get }
    /// What of pictures [B, 3, H, W] is compared with the codes, [B, e, h, w].
    func compared(_ pictures: Variable) -> Variable
    /// The nearest code of every position of what is compared: [B · h · w].
    func nearest(_ compared: Variable) -> [Int32]
    /// Codes [B · h · w] as they are compared, [B, e, h, w]; gradients reach the codebook.
    func codes(_ indices: [Int32], like compared: Variable) -> Variable
    func decode(_ features: Variable) -> Variable
    /// Codes of pictures [B, 3, H, W], each [h · w] row by row.
    func codes(_ pictures: Tensor) -> [[Int32]]
    /// Pictures of codes, each [height · width] row by row; [B, 3, H, W], not clamped.
    func decode(_ codes: [[Int32]], height: Int, width: Int) -> Tensor
    /// Pixels of a code on a side.
    var patchSize: Int { get }
    /// What the mean squared difference of features and codes counts.
    var distanceWeight: Float { get }
}

extension ChameleonTokenizer: CodebookTokenizer {
    func compared(_ pictures: Variable) -> Variable { features(pictures) }
    func nearest(_ compared: Variable) -> [Int32] { quantizer.indices(compared.value) }
    func codes(_ indices: [Int32], like compared: Variable) -> Variable {
        quantizer.features(
            indices, batch: compared.shape[0], height: compared.shape[2], width: compared.shape[3])
    }
    var patchSize: Int { configuration.patchSize }
    var distanceWeight: Float { 1 }
}

extension LlamaGenTokenizer: CodebookTokenizer {
    func compared(_ pictures: Variable) -> Variable { normalized(features(pictures)) }
    func nearest(_ compared: Variable) -> [Int32] { indices(compared) }
    func codes(_ indices: [Int32], like compared: Variable) -> Variable {
        features(indices, batch: compared.shape[0], height: compared.shape[2], width: compared.shape[3])
    }
    var patchSize: Int { configuration.patchSize }
    /// Numbers of length one are small: over the width of a code their squares sum to the distance.
    var distanceWeight: Float { configuration.normalizes ? Float(configuration.codeWidth) : 1 }
}

/// A VQGAN learns its codes (van den Oord et al., arXiv 1711.00937), of which those that nobody uses start anew from
/// features (Dhariwal et al., arXiv 2005.00341): its own loss is codebook ‖sg(z) − c‖² + commitment β ‖z − sg(c)‖².
struct CodebookTraining: TrainableTokenizer {
    private static let commitment: Float = 0.25

    private enum Purpose: UInt64 { case restarts = 31 }

    let weights: Weights
    let decoderNames = ["decoder.", "post_quant_conv."]
    private let tokenizer: any CodebookTokenizer
    private let restarts: CodeRestarts

    init(_ tokenizer: any CodebookTokenizer, weights: Weights, seed: UInt64) {
        (self.tokenizer, self.weights) = (tokenizer, weights)
        restarts = CodeRestarts(
            codebook: tokenizer.quantizer.codebook.value, seed: seed, purpose: Purpose.restarts.rawValue)
    }

    var memory: [(name: String, tensor: Tensor)] { [(name: "restarts.idle", tensor: restarts.idle)] }

    mutating func pass(_ pictures: Variable, of captions: [String], step: Int, learnsTokens: Bool) -> TokenizerPass {
        let features = tokenizer.compared(pictures)
        if step == 0, learnsTokens { restarts.startCodes(from: features.value) }
        let indices = tokenizer.nearest(features)
        let codes = tokenizer.codes(indices, like: features)
        let difference = codes.value.copy()
        difference.accumulate(features.value, scale: -1)
        let codebook = tokenizer.distanceWeight * SquaredError().apply([codes, features.detached])
        let committed = tokenizer.distanceWeight * SquaredError().apply([features, codes.detached])
        return TokenizerPass(
            decoded: tokenizer.decode(features + Variable(difference)),
            loss: codebook + CodebookTraining.commitment * committed, named: [("codebook", codebook.scalar)],
            features: features.value, codes: indices)
    }

    mutating func finish(_ pass: TokenizerPass, step: Int, learnsTokens: Bool) -> [(name: String, value: Float)] {
        let used = restarts.note(pass.codes)
        if learnsTokens, let features = pass.features { restarts.restartIdleCodes(from: features, step: step) }
        return [("used", Float(used))]
    }

    func reconstruct(_ pictures: [Picture]) -> [Picture] {
        let patch = tokenizer.patchSize
        return tokenizer.decode(
            tokenizer.codes(.pictures(pictures)), height: pictures[0].height / patch, width: pictures[0].width / patch
        ).pictures()
    }
}
