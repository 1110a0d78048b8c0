import Checkpoints

/// The matrices of a model that adapters change, by what programs call their modules: by the model's own names, by
/// those with underscores for dots, and by those of a diffusion network's authors, who have several in one.
struct AdapterPlaces {
    /// A matrix, and its rows among those of another program's module, where that has more.
    struct Place {
        let module: String
        /// [out, in].
        let shape: [Int]
        var rows: Range<Int>?
    }

    private var places: [String: [Place]] = [:]
    /// The model's own matrices, by name.
    let modules: [String]

    init(_ weights: Checkpoint) {
        var own: [String: Place] = [:]
        for name in weights.names where name.hasSuffix(".weight") {
            guard let shape = try? weights.shape(of: name), shape.count == 2 else { continue }
            let module = String(name.dropLast(".weight".count))
            own[module] = Place(module: module, shape: shape)
        }
        modules = Array(own.keys)
        for (module, place) in own { put(module, [place]) }
        for (module, places) in Self.authors(own, weights) { put(module, places) }
    }

    /// The places of a module; none where the model has none of it. Of several each has its rows.
    subscript(module: NamedChanges.Module) -> [Place] { places[module.name] ?? [] }

    private mutating func put(_ module: String, _ found: [Place]) {
        for name in [module, module.replacingOccurrences(of: ".", with: "_")] where places[name] == nil {
            places[name] = found
        }
    }

    private static func authors(_ own: [String: Place], _ weights: Checkpoint) -> [(String, [Place])] {
        if weights.contains("single_transformer_blocks.0.proj_mlp.weight") {
            let blocks = (0..<own.keys.count(after: "transformer_blocks.")).flatMap(FluxNames.projections)
            return joined(
                blocks + (0..<own.keys.count(after: "single_transformer_blocks.")).flatMap(FluxNames.singleProjections),
                own)
        }
        if weights.contains("pos_embed.proj.weight") {
            return joined((0..<own.keys.count(after: "transformer_blocks.")).flatMap(MMDiTNames.projections), own)
        }
        return weights.contains("conv_in.weight") ? unet(own, weights) : []
    }

    private static func joined(_ modules: [FusedModule], _ own: [String: Place]) -> [(String, [Place])] {
        modules.compactMap { module in
            let rows = module.rows { own[$0]?.shape[0] }
            let found = rows?.map { Place(module: $0, shape: own[$0]!.shape, rows: $1) }
            return found.map { (module.theirs, $0) }
        }
    }

    private static func unet(_ own: [String: Place], _ weights: Checkpoint) -> [(String, [Place])] {
        func attends(_ way: String) -> [Bool] {
            (0..<weights.names.count(after: way)).map { weights.contains("\(way)\($0).attentions.0.proj_in.weight") }
        }
        let blocks = weights.names.count(after: "down_blocks.0.resnets.")
        let prefixes = UNetNames.prefixes(
            .init(blocksPerLevel: blocks, attendsDown: attends("down_blocks."), attendsUp: attends("up_blocks.")))
        return own.values.compactMap { place in
            UNetNames.author(of: place.module, prefixes).map { ($0, [place]) }
        }
    }
}
