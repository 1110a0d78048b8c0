import Autograd
import Tensors

/// Names of what is pretrained.
package enum Pretraining {
    /// What is trained at once, in the order of training.
    package enum Stage: String, CaseIterable, Sendable {
        /// The picture tokenizer, or what is one to a diffusion model: its autoencoder.
        case tokenizer
        /// The transformer and its text encoder, on the tokenizer's tokens.
        case transformer
        /// The picture tokenizer's decoder once more, on the same tokens and, of a next-scale model, on those that its
        /// transformer draws.
        case decoder
    }

    /// The embedded models.
    package enum Model: String, CaseIterable, Sendable {
        case infinity = "pocket-infinity"
        case chameleon = "pocket-chameleon"
        case diffusion = "pocket-diffusion"
        case llamagen = "pocket-llamagen"

        /// How the model is trained and written.
        package func pretraining(_ options: PretrainingOptions) -> any ModelPretraining {
            switch self {
            case .infinity: InfinityPretraining(options: options)
            case .chameleon: ChameleonPretraining(options: options)
            case .diffusion: DiffusionPretraining(options: options)
            case .llamagen: LlamaGenPretraining(options: options)
            }
        }
    }
}

extension Pretraining {
    /// Computes as pretraining does: products in bfloat16, and all that a step computes kept, for it lacks time alone.
    static func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        Storage.keepFreedMemory()
        return try MatrixPrecision.$current.withValue(.bfloat16) {
            try CheapOutputs.$least.withValue(.max) { try body() }
        }
    }
}
