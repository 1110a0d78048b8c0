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
        case .mmdit(let mmdit): fused(.mmdit(depth: mmdit.configuration.depth), weights)
        case .flux(let flux):
            fused(.flux(depth: flux.configuration.depth, singleDepth: flux.configuration.singleDepth), weights)
        }
    }

    private static func sgm(_ c: UNet.Configuration, _ weights: Weights) -> [(String, [AdapterTargets.Place])] {
        let form = UNetNames.Form(
            blocksPerLevel: c.blocksPerLevel, attendsDown: c.attendsDown, attendsUp: c.attendsUp)
        let prefixes = UNetNames.prefixes(form)
        return AdapterTargets.modules(of: weights).compactMap { module, parameter in
            UNetNames.author(of: module, prefixes).map { ($0, [AdapterTargets.Place(parameter: parameter)]) }
        }
    }

    /// Modules that lie one after the other in the rows of another program's single one.
    private static func fused(_ form: NetworkForm, _ weights: Weights) -> [(String, [AdapterTargets.Place])] {
        form.modulesOfAdapters.compactMap { module in
            let rows = module.rows { weights.byName["\($0).weight"]?.shape[0] }
            let places = rows?.map {
                AdapterTargets.Place(
                    parameter: weights.byName["\($0).weight"]!, rows: $1, isSwapped: module.isSwapped)
            }
            return places.map { (module.theirs, $0) }
        }
    }
}
