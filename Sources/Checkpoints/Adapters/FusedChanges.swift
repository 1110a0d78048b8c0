/// The changes of a network of SD3 or FLUX.1 under the names that its authors' code and kohya's scripts give its
/// modules: of several that are one module there one change is made, as high in rank as all of them.
struct FusedChanges {
    typealias Changes = [(module: NamedChanges.Module, change: NamedChanges.Change)]

    /// What the names do not tell of a part that does not change.
    private static let feedForwardRatio = 4
    /// FLUX.1 has as many blocks of two streams, SD3 more.
    private static let fluxDepth = 19

    /// In kohya's form.
    private(set) var tensors: [RawTensor] = []
    /// What they are made of.
    private(set) var modules: Set<NamedChanges.Module> = []

    /// - Parameters:
    ///   - changes: all of an adapter; none is taken where it cannot be told whose network they are of.
    ///   - form: that network's, where it is known.
    /// - Throws: `CheckpointError` where numbers cannot be read, or parts of one module differ in width.
    init(_ changes: Changes, of form: NetworkForm?) throws(CheckpointError) {
        let network = changes.filter { $0.module.component?.hasPrefix("text_encoder") != true }
        let own = Dictionary(network.map { ($0.module.name, $0) }) { first, _ in first }
        for module in (form ?? Self.form(toldBy: changes, own))?.modules ?? [] {
            let parts = module.ours.map { own[$0] }
            guard parts.contains(where: { $0 != nil }) else { continue }
            modules.formUnion(parts.compactMap { $0?.module })
            let name = "lora_unet_" + module.theirs.replacing(".", with: "_")
            if parts.count == 1, var change = parts[0]?.change {
                change.isSwapped = module.isSwapped
                tensors += [
                    try RawTensor("\(name).lora_down.weight", change.down),
                    try RawTensor("\(name).lora_up.weight", upOf: change),
                    RawTensor("\(name).alpha", number: change.scale * Float(change.rank)),
                ]
            } else {
                tensors += try Self.joined(parts.map { $0?.change }, name)
            }
        }
    }

    /// The network's form; nil where names do not tell. SD3's blocks are called as FLUX.1's of two streams, so only
    /// what one of them alone has tells them apart.
    private static func form(toldBy changes: Changes, _ own: [String: Changes.Element]) -> NetworkForm? {
        func has(_ starts: String...) -> Bool { own.keys.contains { name in starts.contains { name.hasPrefix($0) } } }
        func count(_ prefix: String) -> Int { (own.keys.compactMap { $0.number(after: prefix) }.max() ?? -1) + 1 }
        let depth = count("transformer_blocks.")
        if has("single_transformer_blocks.", "x_embedder", "time_text_embed.guidance_embedder")
            || depth > 0 && changes.contains(where: { $0.module.component == "text_encoder_2" && $0.module.isOfT5 })
        {
            return .flux(depth: depth, singleDepth: count("single_transformer_blocks."))
        }
        // Only the last block's text has no more than a shift and a scale.
        let last = own.values.first {
            $0.module.name.hasSuffix(".norm1_context.linear") && $0.change.up.shape[0] == 2 * $0.change.down.shape[1]
        }
        let isOfClips = changes.contains { ["text_encoder_2", "text_encoder_3"].contains($0.module.component) }
        guard
            last != nil || has("pos_embed.") || depth > 0 && isOfClips || own.keys.contains(where: isOfTwoAttentions)
                || depth > fluxDepth || endsWithoutText(own, depth)
        else { return nil }
        let end = last?.module.name.number(after: "transformer_blocks.")
        return .mmdit(depth: (end ?? depth) + 1)
    }

    /// Whether the text has no way out of the last block, as in SD3 alone, and has one out of the first.
    private static func endsWithoutText(_ own: [String: Changes.Element], _ depth: Int) -> Bool {
        func has(_ block: Int, _ part: String) -> Bool { own["transformer_blocks.\(block).attn.\(part)"] != nil }
        return has(0, "to_add_out") && has(depth - 1, "add_q_proj") && !has(depth - 1, "to_add_out")
    }

    private static func isOfTwoAttentions(_ name: String) -> Bool {
        name.hasPrefix("transformer_blocks.") && name.contains(".attn2.")
    }

    /// Changes of parts whose rows follow each other, as one: their matrices one after the other, each `up` in the rows
    /// of its part and the columns of its `down`. Parts that have one `down`, as an import of such a module does, keep
    /// it.
    private static func joined(
        _ parts: [NamedChanges.Change?], _ name: String
    ) throws(CheckpointError) -> [RawTensor] {
        let found = parts.compactMap { $0 }
        let inputs = found[0].down.shape[1]
        for part in found where part.down.shape != [part.rank, inputs] || part.up.shape.count != 2 {
            throw part.down.problem("has shape \(part.down.shape); its neighbours' have \(inputs) columns")
        }
        var downs: [[Float]] = []
        for part in found { downs.append(try part.down.floats()) }
        let isShared = found.count == parts.count && downs.allSatisfy { $0 == downs[0] }
        let rank = isShared ? found[0].rank : found.reduce(0) { $0 + $1.rank }
        var (up, column): ([Float], Int) = ([], 0)
        for (number, part) in parts.enumerated() {
            guard let part else {
                up += [Float](repeating: 0, count: (number < 3 ? 1 : feedForwardRatio) * inputs * rank)
                continue
            }
            let values = try part.up.floats()
            for row in 0..<part.up.shape[0] {
                up += [Float](repeating: 0, count: column)
                up += values[row * part.rank..<(row + 1) * part.rank].map { part.scale * $0 }
                up += [Float](repeating: 0, count: rank - column - part.rank)
            }
            if !isShared { column += part.rank }
        }
        let down = isShared ? downs[0] : downs.flatMap { $0 }
        return [
            RawTensor("\(name).lora_down.weight", down, shape: [rank, inputs]),
            RawTensor("\(name).lora_up.weight", up, shape: [up.count / rank, rank]),
            RawTensor("\(name).alpha", number: Float(rank)),
        ]
    }
}
