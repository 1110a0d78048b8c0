/// Whose network a diffusion model has, and how deep it is: what its authors' code calls its modules follows from that.
package enum NetworkForm: Sendable, Equatable {
    /// Stable Diffusion XL's.
    case unet(UNetNames.Form)
    /// Stable Diffusion 3's, of so many blocks.
    case mmdit(depth: Int)
    /// FLUX.1's, of so many blocks of two streams and of one.
    case flux(depth: Int, singleDepth: Int)

    /// That of weights under diffusers' names; nil of other networks.
    package init?(weights list: [String]) {
        let names = Set(list)
        let depth = names.count(after: "transformer_blocks.")
        if names.contains("single_transformer_blocks.0.proj_mlp.weight") {
            self = .flux(depth: depth, singleDepth: names.count(after: "single_transformer_blocks."))
        } else if names.contains("pos_embed.proj.weight") {
            self = .mmdit(depth: depth)
        } else if names.contains("conv_in.weight") {
            self = .unet(UNetNames.Form(weights: names))
        } else {
            return nil
        }
    }

    /// The authors' matrices, each with diffusers' that are one in it; none of a U-Net, whose are the same.
    package var modules: [FusedModule] {
        switch self {
        case .unet: []
        case .mmdit(let depth): MMDiTNames.modules(depth: depth)
        case .flux(let depth, let singleDepth): FluxNames.modules(depth: depth, singleDepth: singleDepth)
        }
    }

    /// What adapters may call their modules: these matrices, those that only adapters have a name for, and each part of
    /// several in one.
    package var modulesOfAdapters: [FusedModule] {
        var modules = modules
        if case .flux(_, let singleDepth) = self { modules += FluxNames.ofAdapters(singleDepth: singleDepth) }
        return modules + modules.flatMap(\.parts)
    }

    /// That of a U-Net; nil of other networks.
    var unet: UNetNames.Form? {
        if case .unet(let form) = self { return form }
        return nil
    }
}
