import Backbones
import Checkpoints
import Layers

/// What the authors' own code calls the modules of a diffusion network: SDXL's other names of the same, SD3's and
/// FLUX's projections that are several of ours in one.
enum FusedNames {
    static func places(
        _ network: DiffusionPipeline.Network, _ weights: Weights
    ) -> [(String, [AdapterTargets.Place])] {
        switch network {
        case .unet(let unet): sgm(unet.configuration, weights)
        case .mmdit(let mmdit): fused((0..<mmdit.configuration.depth).flatMap(MMDiTNames.projections), weights)
        case .flux(let flux):
            fused(
                (0..<flux.configuration.depth).flatMap(FluxNames.projections)
                    + (0..<flux.configuration.singleDepth).flatMap(FluxNames.singleProjections), weights)
        }
    }

    private static func sgm(_ c: UNet.Configuration, _ weights: Weights) -> [(String, [AdapterTargets.Place])] {
        let form = UNetNames.Form(
            blocksPerLevel: c.blocksPerLevel, attendsDown: c.attendsDown, attendsUp: c.attendsUp)
        let prefixes = UNetNames.prefixes(form)
        return AdapterTargets.modules(of: weights).compactMap { module, parameter in
            let fitting = prefixes.filter { module == $0.diffusers || module.hasPrefix($0.diffusers + ".") }
            guard let pair = fitting.max(by: { $0.diffusers.count < $1.diffusers.count }) else { return nil }
            var rest = String(module.dropFirst(pair.diffusers.count))
            if pair.diffusers.contains(".resnets."),
                let part = UNetNames.residual.first(where: { rest == "." + $0.diffusers })
            {
                rest = "." + part.sgm
            }
            return (pair.sgm + rest, [AdapterTargets.Place(parameter: parameter)])
        }
    }

    /// Modules that lie one after the other in the rows of another program's single one.
    private static func fused(_ modules: [FusedModule], _ weights: Weights) -> [(String, [AdapterTargets.Place])] {
        modules.compactMap { module in
            var (places, start): ([AdapterTargets.Place], Int) = ([], 0)
            for name in module.ours {
                guard let parameter = weights.byName["\(name).weight"] else { return nil }
                let end = start + parameter.shape[0]
                places.append(.init(parameter: parameter, rows: module.ours.count > 1 ? start..<end : nil))
                start = end
            }
            return (module.theirs, places)
        }
    }
}
