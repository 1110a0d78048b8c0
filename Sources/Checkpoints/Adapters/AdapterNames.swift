/// What programs call the tensors of adapters.
enum AdapterNames {
    private static let peftEndings: [(String, ChangeParts.Kind)] = [
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora_embedding_A", .tableDown),
        (".lora_embedding_B", .tableUp), (".lora_magnitude_vector", .magnitude),
        (".lora_magnitude_vector.weight", .magnitude),
    ]
    private static let endings: [(String, ChangeParts.Kind)] =
        peftEndings + [
            (".lora.down.weight", .down), (".lora.up.weight", .up), (".lora_linear_layer.down.weight", .down),
            (".lora_linear_layer.up.weight", .up), (".lora_down.weight", .down), (".lora_up.weight", .up),
        ]

    /// The module of one of PEFT's names, and what the tensor is of its change; nil for a name of another kind.
    static func peft(_ name: String) -> (module: String, kind: ChangeParts.Kind)? { taken(unnamed(name), peftEndings) }

    /// The same of a name of PEFT, diffusers, or a program that follows them.
    static func any(_ name: String) -> (module: String, kind: ChangeParts.Kind)? {
        taken(renewed(unnamed(name)), endings)
    }

    private static func taken(
        _ name: String, _ endings: [(String, ChangeParts.Kind)]
    ) -> (module: String, kind: ChangeParts.Kind)? {
        endings.first { name.hasSuffix($0.0) }.map { (String(name.dropLast($0.0.count)), $0.1) }
    }

    /// Without the adapter's own name, which states of training have: `lora_A.default.weight`.
    private static func unnamed(_ name: String) -> String {
        name.replacing(#/\.(lora_[AB]|lora_magnitude_vector)\.[^.]+\.weight$/#) { ".\($0.output.1).weight" }
            .replacing(#/\.(lora_embedding_[AB])\.[^.]+$/#) { ".\($0.output.1)" }
    }

    /// The oldest names have the projection within the processor: `attn1.processor.to_out_lora.up.weight`; XLabs' (of
    /// FLUX.1, XLabs-AI/x-flux) have one for the attention of each stream.
    private static func renewed(_ name: String) -> String {
        guard let match = name.firstMatch(of: #/(?:\.processor)?\.(\w+)_lora([12]?)\.(down|up)\.weight$/#) else {
            return name
        }
        let attention = name[..<match.range.lowerBound]
        let projection = String(match.output.1 + match.output.2)
        let known = attention.hasSuffix(".self_attn") ? ofText : ofNetworks
        return "\(attention).\(known[projection] ?? projection).lora.\(match.output.3).weight"
    }

    private static let ofText = ["to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"]
    private static let ofNetworks = [
        "to_out": "to_out.0", "qkv1": "img_attn.qkv", "qkv2": "txt_attn.qkv", "proj1": "img_attn.proj",
        "proj2": "txt_attn.proj", "proj": "linear2",
    ]

    /// What stands before modules' names: diffusers' components, and what ComfyUI and OMI call them.
    private static let prefixes: [(String, String?)] =
        NamedChanges.components.map { ($0 + ".", Optional($0)) } + [
            ("diffusion_model.", nil), ("model.diffusion_model.", nil),
            ("text_encoders.clip_l.transformer.", "text_encoder"),
            ("text_encoders.clip_g.transformer.", "text_encoder_2"),
            ("text_encoders.t5xxl.transformer.", "text_encoder_3"),
            ("clip_l.", "text_encoder"), ("clip_g.", "text_encoder_2"), ("t5.", "text_encoder_3"),
        ]

    /// The oldest files are of one network alone, and do not say so.
    static func module(_ path: String) -> NamedChanges.Module {
        guard let (prefix, component) = prefixes.first(where: { path.hasPrefix($0.0) }) else {
            return .init(name: path)
        }
        return .init(component: component, name: String(path.dropFirst(prefix.count)))
    }

    /// The prefixes of text encoders; T5 is the third one, in FLUX too, where there is no second (`lora_flux.py`).
    static let kohyasEncoders = [
        "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_", "text_encoder_3": "lora_te3_",
    ]
    /// kohya's, OneTrainer's and LyCORIS' own.
    private static let kohyas: [(String, String?)] =
        [("lora_unet_", nil), ("lora_transformer_", nil), ("lycoris_", nil), ("lora_te_", "text_encoder")]
        + kohyasEncoders.map { ($0.value, $0.key) }

    /// The module of one of kohya's names, and what follows it; nil for a name of another program.
    static func kohya(_ name: String) -> (module: NamedChanges.Module, ending: String)? {
        guard let dot = name.firstIndex(of: "."),
            let (prefix, component) = kohyas.first(where: { name.hasPrefix($0.0) })
        else { return nil }
        let module = NamedChanges.Module(component: component, name: String(name[..<dot].dropFirst(prefix.count)))
        return (module, String(name[dot...]))
    }
}
