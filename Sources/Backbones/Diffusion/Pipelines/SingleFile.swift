import Checkpoints
import Layers
import Tensors

/// A diffusion model as its authors ship it: components in one file, under the names of their own code.
struct SingleFile {
    /// Each component's weights under diffusers' names.
    let components: [String: Weights.Source]

    /// - Throws: `CheckpointError` for a file that cannot be read, or is not of this layout.
    init(path: String) throws(CheckpointError) {
        let found = AuthorComponent.all(in: try Checkpoint.open(path))
        guard found.contains(where: { Self.folder(of: $0) == "vae" }), found.count > 1 else {
            throw CheckpointError(
                path: path,
                problem: "it has no model.diffusion_model and first_stage_model: it is no whole diffusion model")
        }
        var components: [String: Weights.Source] = [:]
        for component in found {
            if let problem = component.unreadable { throw CheckpointError(path: path, problem: problem) }
            var tensors: [String: Tensor] = [:]
            for tensor in try component.tensors() {
                tensors[tensor.name] = Tensor(try tensor.floats(), shape: tensor.shape)
            }
            components[Self.folder(of: component)] = .checkpoint(tensors)
        }
        self.components = components
    }

    /// What diffusers calls the folder of a component.
    private static func folder(of component: AuthorComponent) -> String {
        switch component.kind {
        case .unet: "unet"
        case .mmdit, .flux: "transformer"
        case .autoencoder: "vae"
        case .textTower: component.prefix.contains("clip_g") ? "text_encoder_2" : "text_encoder"
        case .openTextTower: "text_encoder_2"
        case .t5: "text_encoder_3"
        }
    }
}
