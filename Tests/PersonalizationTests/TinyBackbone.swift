import Backbones
import ModelTesting
import Personalization

/// A tiny model of each family that concepts are learnt on.
enum TinyBackbone: String, CaseIterable {
    case infinity, chameleon, llamagen, diffusion

    /// A fresh one; always of the same weights.
    func model() throws -> any TunableBackbone {
        switch self {
        case .infinity: try tinyModel()
        case .chameleon: try tinyChameleon()
        case .llamagen: try tinyLlamaGen()
        case .diffusion: try tinyDiffusion()
        }
    }
}
