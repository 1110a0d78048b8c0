extension LoRAAdapter {
    /// The changes of some of the model's blocks alone, by their number. B-LoRA (Frenkel et al., arXiv 2403.14572)
    /// joins two adapters by taking one block's change from what was learnt of a subject, and another's from what was
    /// learnt of a style.
    package func keeping(where isKept: (Int) -> Bool) -> LoRAAdapter {
        LoRAAdapter(options: options, updates: updates.filter { LoRAAdapter.block(of: $0.key).map(isKept) ?? false })
    }

    /// 3 of `model.layers.3.self_attn.q_proj`; nil of a module outside the blocks.
    static func block(of module: String) -> Int? {
        let parts = module.split(separator: ".")
        return parts.firstIndex { ["layers", "blocks"].contains($0) }.flatMap { place in
            place + 1 < parts.count ? Int(parts[place + 1]) : nil
        }
    }
}
