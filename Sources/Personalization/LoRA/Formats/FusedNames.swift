import Backbones
import Layers

/// What the authors' own code calls the modules of a diffusion network: SDXL's other names of the same, SD3's and
/// FLUX's projections that are several of ours in one.
enum FusedNames {
    static func places(
        _ network: DiffusionPipeline.Network, _ weights: Weights
    ) -> [(String, [AdapterTargets.Place])] {
        switch network {
        case .unet(let unet): sgm(unet.configuration, weights)
        case .mmdit(let mmdit): fused((0..<mmdit.configuration.depth).flatMap(sd3), weights)
        case .flux(let flux):
            fused(
                (0..<flux.configuration.depth).flatMap(fluxBlock)
                    + (0..<flux.configuration.singleDepth).flatMap(fluxSingle), weights)
        }
    }

    private static func sgm(_ c: UNet.Configuration, _ weights: Weights) -> [(String, [AdapterTargets.Place])] {
        let prefixes = SGMNames.unet(c)
        return AdapterTargets.modules(of: weights).compactMap { module, parameter in
            let fitting = prefixes.filter { module == $0.diffusers || module.hasPrefix($0.diffusers + ".") }
            guard let pair = fitting.max(by: { $0.diffusers.count < $1.diffusers.count }) else { return nil }
            var rest = String(module.dropFirst(pair.diffusers.count))
            if pair.diffusers.contains(".resnets."),
                let part = SGMNames.residual.first(where: { rest == "." + $0.diffusers })
            {
                rest = "." + part.sgm
            }
            return (pair.sgm + rest, [AdapterTargets.Place(parameter: parameter)])
        }
    }

    /// Modules that lie one after the other in the rows of another program's single one.
    private static func fused(
        _ names: [(String, [String])], _ weights: Weights
    ) -> [(String, [AdapterTargets.Place])] {
        names.compactMap { name, modules in
            var (places, start): ([AdapterTargets.Place], Int) = ([], 0)
            for module in modules {
                guard let parameter = weights.byName["\(module).weight"] else { return nil }
                let end = start + parameter.shape[0]
                places.append(.init(parameter: parameter, rows: modules.count > 1 ? start..<end : nil))
                start = end
            }
            return (name, places)
        }
    }

    private static func sd3(_ block: Int) -> [(String, [String])] {
        let (theirs, ours) = ("joint_blocks.\(block)", "transformer_blocks.\(block)")
        return [
            ("\(theirs).x_block.attn.qkv", ["to_q", "to_k", "to_v"].map { "\(ours).attn.\($0)" }),
            (
                "\(theirs).context_block.attn.qkv",
                ["add_q_proj", "add_k_proj", "add_v_proj"].map { "\(ours).attn.\($0)" }
            ),
            ("\(theirs).x_block.attn.proj", ["\(ours).attn.to_out.0"]),
            ("\(theirs).context_block.attn.proj", ["\(ours).attn.to_add_out"]),
            ("\(theirs).x_block.mlp.fc1", ["\(ours).ff.net.0.proj"]),
            ("\(theirs).x_block.mlp.fc2", ["\(ours).ff.net.2"]),
            ("\(theirs).context_block.mlp.fc1", ["\(ours).ff_context.net.0.proj"]),
            ("\(theirs).context_block.mlp.fc2", ["\(ours).ff_context.net.2"]),
            ("\(theirs).x_block.adaLN_modulation.1", ["\(ours).norm1.linear"]),
            ("\(theirs).context_block.adaLN_modulation.1", ["\(ours).norm1_context.linear"]),
        ]
    }

    private static func fluxBlock(_ block: Int) -> [(String, [String])] {
        let (theirs, ours) = ("double_blocks.\(block)", "transformer_blocks.\(block)")
        return [
            ("\(theirs).img_attn.qkv", ["to_q", "to_k", "to_v"].map { "\(ours).attn.\($0)" }),
            ("\(theirs).txt_attn.qkv", ["add_q_proj", "add_k_proj", "add_v_proj"].map { "\(ours).attn.\($0)" }),
            ("\(theirs).img_attn.proj", ["\(ours).attn.to_out.0"]),
            ("\(theirs).txt_attn.proj", ["\(ours).attn.to_add_out"]),
            ("\(theirs).img_mlp.0", ["\(ours).ff.net.0.proj"]), ("\(theirs).img_mlp.2", ["\(ours).ff.net.2"]),
            ("\(theirs).txt_mlp.0", ["\(ours).ff_context.net.0.proj"]),
            ("\(theirs).txt_mlp.2", ["\(ours).ff_context.net.2"]),
            ("\(theirs).img_mod.lin", ["\(ours).norm1.linear"]),
            ("\(theirs).txt_mod.lin", ["\(ours).norm1_context.linear"]),
        ]
    }

    private static func fluxSingle(_ block: Int) -> [(String, [String])] {
        let (theirs, ours) = ("single_blocks.\(block)", "single_transformer_blocks.\(block)")
        return [
            ("\(theirs).linear1", ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"].map { "\(ours).\($0)" }),
            ("\(theirs).linear2", ["\(ours).proj_out"]), ("\(theirs).modulation.lin", ["\(ours).norm.linear"]),
        ]
    }
}
