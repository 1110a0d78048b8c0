/// One component of a diffusion model in a file of its authors, where several may lie in one: `model.diffusion_model.…`
/// is the network, `first_stage_model.…` the autoencoder.
package struct AuthorComponent: Sendable {
    /// What it is, and so how its tensors are named.
    package enum Kind: String, Sendable, CaseIterable {
        case unet = "a U-Net of Stable Diffusion XL"
        case mmdit = "a transformer of Stable Diffusion 3"
        case flux = "a transformer of FLUX.1"
        case autoencoder = "an autoencoder of latent diffusion"
        /// transformers' names.
        case textTower = "a text tower of CLIP"
        /// OpenCLIP's names.
        case openTextTower = "a text tower of OpenCLIP"
        case t5 = "a T5 encoder"
    }

    /// Told by a few of its names.
    package let kind: Kind
    /// What its names begin with in the file.
    package let prefix: String
    /// The whole file, other components among it.
    package let checkpoint: Checkpoint
    private let names: Set<String>

    /// The components of a file; none where it is nothing of a diffusion model's in its authors' layout.
    package static func all(in checkpoint: Checkpoint) -> [AuthorComponent] {
        let names = checkpoint.names
        let within = prefixes.compactMap { AuthorComponent($0, checkpoint, names) }
        return within.isEmpty ? [AuthorComponent("", checkpoint, names)].compactMap { $0 } : within
    }

    /// What a file is that has names of components which are built, and is of another model; nil of every other file.
    package static func unbuilt(_ checkpoint: Checkpoint) -> String? {
        let names = checkpoint.names.map { name in
            networks.first { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) } ?? name
        }
        func has(_ start: String) -> Bool { names.contains { $0.hasPrefix(start) } }
        // It reads texts at the finest level too, and no sizes.
        if has("input_blocks.1.1.transformer_blocks.0.attn2."), !has("label_emb.") {
            return "Stable Diffusion 1 or 2, which is not built; XL, 3 and 3.5 are"
        }
        // OpenCLIP's text tower, which is XL's second, is its only one.
        if has("conditioner.embedders.0.model.") {
            return "Stable Diffusion XL's refiner, which is not built; XL itself is"
        }
        guard has("double_blocks.") else { return nil }
        if has("distilled_guidance_layer.") { return "Chroma, which is not built; FLUX.1 is" }
        return has("double_stream_modulation_img.") ? "FLUX.2, which is not built; FLUX.1 is" : nil
    }

    private static let networks = ["model.diffusion_model.", "diffusion_model."]
    private static let prefixes =
        networks + [
            "first_stage_model.", "vae.", "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model.",
            "text_encoders.clip_l.transformer.", "text_encoders.clip_g.transformer.",
            "text_encoders.t5xxl.transformer.",
        ]

    private init?(_ prefix: String, _ checkpoint: Checkpoint, _ names: [String]) {
        let own = Set(names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
        guard let kind = Kind.allCases.first(where: { $0.claims(own) }) else { return nil }
        (self.kind, self.prefix, self.checkpoint, self.names) = (kind, prefix, checkpoint, own)
    }

    /// A tensor's shape under the authors' name; nil where it is not there.
    package func shape(_ name: String) -> [Int]? {
        names.contains(name) ? try? checkpoint.shape(of: prefix + name) : nil
    }

    /// Whether there is a tensor of the authors' name, without the component's prefix.
    package func contains(_ name: String) -> Bool { names.contains(name) }

    /// How many different numbers stand in the names after a prefix.
    package func count(after start: String) -> Int { names.count(after: start) }

    /// The U-Net's form.
    package var form: UNetNames.Form { UNetNames.Form(names: names) }

    /// What its numbers cannot be read for: weights in eight or four bits with scales beside them; nil where they can.
    package var unreadable: String? {
        Checkpoint.unreadable(ScaledWeights.mark(among: names).map { prefix + $0 }, path: checkpoint.path)
    }

    /// Whether its file is marked as that of a model which predicts velocities, or whose noise ends without a picture
    /// in it, as trainers of Stable Diffusion XL mark theirs.
    package var predictsVelocity: Bool {
        checkpoint.contains("v_pred") || checkpoint.metadata["modelspec.prediction_type"] == "v"
    }
    /// Whether its noise ends without a picture in it.
    package var endsInNoise: Bool { checkpoint.contains("ztsnr") }

    /// Whether its file is marked as a model of another noise than Stable Diffusion's (EDM, arXiv 2206.00364).
    package var isOfOtherNoise: Bool {
        ["edm_mean", "edm_vpred.sigma_max", "edm_vpred.sigma_min"].contains(where: checkpoint.contains)
    }

    /// Tensors that tell its sizes, and are missing or of another shape.
    package var misshapen: [String] {
        let (name, rank) = kind.telling
        let found = shape(name)
        guard found?.count != rank else { return [] }
        let what = found.map { "has the shape \($0)" } ?? "is missing"
        return ["\(checkpoint.path): \(prefix)\(name) \(what); of \(kind.rawValue) it has \(rank) sides"]
    }

    /// Its tensors under diffusers' and transformers' names, sorted.
    /// - Throws: `CheckpointError` for shapes that the layout does not have.
    package func tensors() throws(CheckpointError) -> [RearrangedTensor] {
        let rename = renaming
        var all: [RearrangedTensor] = []
        for name in names {
            let tensor = try checkpoint.tensor(prefix + name)
            if tensor.type?.isReal == true { all += try rename(name, tensor) }
        }
        return all.sorted { $0.name < $1.name }
    }

    private typealias Renaming = (String, StoredTensor) throws(CheckpointError) -> [RearrangedTensor]

    private var renaming: Renaming {
        switch kind {
        case .unet:
            let prefixes = UNetNames.prefixes(form)
            return { name, tensor in UNetNames.renamed(name, prefixes).map { [.init($0, tensor)] } ?? [] }
        case .mmdit:
            let rename = MMDiTNames.renaming(depth: count(after: "joint_blocks."))
            return { name, tensor throws(CheckpointError) in try rename(name, tensor) }
        case .flux:
            let rename = FluxNames.renaming(
                depth: count(after: "double_blocks."), singleDepth: count(after: "single_blocks."),
                width: shape("img_in.weight")?.first ?? 0)
            return { name, tensor throws(CheckpointError) in try rename(name, tensor) }
        case .autoencoder:
            let levels = count(after: "decoder.up.")
            return { name, tensor in
                let renamed = AutoencoderNames.renamed(name, levels: levels)
                return [.init(renamed, renamed.contains(".attentions.") ? tensor.withoutKernel : tensor)]
            }
        case .openTextTower: return TextTowerNames.renamed
        case .textTower: return { name, tensor in name.hasSuffix("position_ids") ? [] : [.init(name, tensor)] }
        case .t5:
            return { name, tensor in
                name == "shared.weight" || name.hasPrefix("encoder.") ? [.init(name, tensor)] : []
            }
        }
    }
}

extension AuthorComponent.Kind {
    /// The tensor that tells its width, and how many sides that has.
    fileprivate var telling: (name: String, rank: Int) {
        switch self {
        case .unet: ("input_blocks.0.0.weight", 4)
        case .mmdit: ("x_embedder.proj.weight", 4)
        case .flux: ("img_in.weight", 2)
        case .autoencoder: ("encoder.conv_in.weight", 4)
        case .textTower: ("text_model.embeddings.token_embedding.weight", 2)
        case .openTextTower: ("token_embedding.weight", 2)
        case .t5: ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 2)
        }
    }

    fileprivate func claims(_ names: Set<String>) -> Bool {
        func all(_ needed: String...) -> Bool { needed.allSatisfy(names.contains) }
        switch self {
        case .unet: return all("input_blocks.0.0.weight", "label_emb.0.0.weight")
        case .mmdit: return all("joint_blocks.0.x_block.attn.qkv.weight")
        case .flux: return all("double_blocks.0.img_attn.qkv.weight")
        case .autoencoder:
            return all("encoder.conv_in.weight", "decoder.mid.attn_1.q.weight")
                && !names.contains("quantize.embedding.weight")
        case .textTower:
            return all("text_model.embeddings.token_embedding.weight")
                && !names.contains("visual_projection.weight")
        case .openTextTower:
            return all("token_embedding.weight", "positional_embedding", "ln_final.weight")
                && !names.contains("visual.conv1.weight")
        case .t5:
            // UMT5, which video models read, has one in every block.
            return all("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")
                && !names.contains("encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight")
        }
    }
}
