import Checkpoints
import Layers
import Tensors

/// Stable Diffusion XL as its authors ship it: all components in one file, under the names of their own code.
struct SingleFile {
    /// Each component's weights under diffusers' names.
    private(set) var components: [String: Weights.Source] = [:]

    /// - Parameter unet: the network's sizes, which the file does not tell.
    /// - Throws: `CheckpointError` for a file that cannot be read, or is not of this layout.
    init(path: String, unet: UNet.Configuration) throws(CheckpointError) {
        let checkpoint = try Checkpoint.open(path)
        var parts: [String: [String: Tensor]] = [:]
        let prefixes = SGMNames.unet(unet)
        let levels = checkpoint.names.reduce(0) { most, name in
            let start = "first_stage_model.decoder.up."
            return name.hasPrefix(start)
                ? max(most, 1 + (Int(name.dropFirst(start.count).prefix { $0 != "." }) ?? 0)) : most
        }
        for name in checkpoint.names {
            let stored = try checkpoint.tensor(name)
            guard stored.type?.isReal == true, let (component, rest) = Self.component(name) else { continue }
            let tensor = try stored.tensor()
            switch component {
            case "unet":
                if let name = SGMNames.unet(rest, prefixes) { parts[component, default: [:]][name] = tensor }
            case "vae": parts[component, default: [:]][SGMNames.autoencoder(rest, levels: levels)] = tensor
            case "text_encoder_2":
                for (name, tensor) in Self.openCLIP(rest, tensor) { parts[component, default: [:]][name] = tensor }
            default: parts[component, default: [:]][rest] = tensor
            }
        }
        guard parts["unet"] != nil, parts["vae"] != nil else {
            throw CheckpointError(
                path: path,
                problem: "it has no model.diffusion_model and first_stage_model: it is no whole Stable Diffusion")
        }
        components = parts.mapValues { .checkpoint($0) }
    }

    private static let prefixes = [
        ("model.diffusion_model.", "unet"), ("first_stage_model.", "vae"),
        ("conditioner.embedders.0.transformer.", "text_encoder"), ("conditioner.embedders.1.model.", "text_encoder_2"),
    ]

    private static func component(_ name: String) -> (String, String)? {
        prefixes.first { name.hasPrefix($0.0) }.map { ($0.1, String(name.dropFirst($0.0.count))) }
    }

    /// One of OpenCLIP's tensors under transformers' name; query, key and value apart, the projection transposed.
    private static func openCLIP(_ name: String, _ tensor: Tensor) -> [(String, Tensor)] {
        switch name {
        case "token_embedding.weight": return [("text_model.embeddings.token_embedding.weight", tensor)]
        case "positional_embedding": return [("text_model.embeddings.position_embedding.weight", tensor)]
        case "text_projection": return [("text_projection.weight", SwapRowsAndColumns.swapped(tensor))]
        default: break
        }
        if name.hasPrefix("ln_final.") { return [("text_model.final_layer_norm." + name.dropFirst(9), tensor)] }
        let words = name.split(separator: ".").map(String.init)
        guard words.count > 4, words[1] == "resblocks" else { return [(name, tensor)] }
        let layer = "text_model.encoder.layers.\(words[2])"
        if words[4].hasPrefix("in_proj_") {
            let third = tensor.shape[0] / 3
            let kind = words[4].dropFirst("in_proj_".count)
            return ["q", "k", "v"].enumerated().map { index, letter in
                (
                    "\(layer).self_attn.\(letter)_proj.\(kind)",
                    tensor.slice(index * third..<(index + 1) * third).copy()
                )
            }
        }
        let part = words[3..<words.count - 1].joined(separator: ".")
        return [("\(layer).\(SGMNames.openCLIP[part] ?? part).\(words.last!)", tensor)]
    }
}

private enum SwapRowsAndColumns {
    /// [A, B] → [B, A].
    static func swapped(_ x: Tensor) -> Tensor {
        let (rows, columns) = (x.shape[0], x.shape[1])
        let y = Tensor(uninitialized: [columns, rows])
        for i in 0..<rows { for j in 0..<columns { y.pointer[j * rows + i] = x.pointer[i * columns + j] } }
        return y
    }
}
