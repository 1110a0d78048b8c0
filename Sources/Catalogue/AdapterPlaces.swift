import Checkpoints

/// The weights of a model that adapters change, by what programs call their modules: by the model's own names, by those
/// with underscores for dots, and by those of a diffusion network's authors, who have several in one.
struct AdapterPlaces {
    /// A weight, and its rows among those of another program's module, where that has more.
    struct Place {
        /// A text encoder; nil: the network that draws.
        var component: String?
        let module: String
        /// [out, in], or [out, in, k, k] of a kernel.
        let shape: [Int]
        var rows: Range<Int>?
        /// Whether the halves of the update's rows stand the other way round.
        var isSwapped = false
    }

    private var network: [String: [Place]]
    private let encoders: [String: [String: [Place]]]
    /// The network's own matrices, by name.
    let modules: [String]

    /// - Parameter encoders: the text encoders' weights, by what diffusers calls them.
    init(_ weights: Checkpoint, encoders: [String: Checkpoint] = [:]) {
        let own = Self.own(weights, nil)
        modules = own.values.filter { $0.shape.count == 2 }.map(\.module)
        network = Self.named(own)
        self.encoders = Dictionary(
            uniqueKeysWithValues: encoders.map { ($0, Self.named(Self.own($1, $0))) })
        for (module, places) in Self.authors(own, weights) { Self.put(module, places, into: &network) }
    }

    /// The places of a module; none where the model has none of it. Of several each has its rows.
    subscript(module: NamedChanges.Module) -> [Place] {
        guard let component = module.encoder(among: encoders.keys), component.hasPrefix("text_encoder") else {
            return network[module.name] ?? []
        }
        return encoders[component]?[module.name] ?? []
    }

    private static func own(_ weights: Checkpoint, _ component: String?) -> [String: Place] {
        var own: [String: Place] = [:]
        for name in weights.names where name.hasSuffix(".weight") {
            guard let shape = try? weights.shape(of: name), shape.count > 1 else { continue }
            let module = String(name.dropLast(".weight".count))
            own[module] = Place(component: component, module: module, shape: shape)
        }
        return own
    }

    private static func named(_ own: [String: Place]) -> [String: [Place]] {
        var places: [String: [Place]] = [:]
        for (module, place) in own { put(module, [place], into: &places) }
        return places
    }

    private static func put(_ module: String, _ found: [Place], into places: inout [String: [Place]]) {
        for name in [module, module.replacingOccurrences(of: ".", with: "_")] where places[name] == nil {
            places[name] = found
        }
    }

    private static func authors(_ own: [String: Place], _ weights: Checkpoint) -> [(String, [Place])] {
        guard let form = NetworkForm(weights: weights.names) else { return [] }
        return switch form {
        case .unet(let form): unet(own, form)
        case .mmdit, .flux: joined(form.modulesOfAdapters, own)
        }
    }

    private static func joined(_ modules: [FusedModule], _ own: [String: Place]) -> [(String, [Place])] {
        modules.compactMap { module in
            let rows = module.rows { own[$0]?.shape[0] }
            let found = rows?.map {
                Place(module: $0, shape: own[$0]!.shape, rows: $1, isSwapped: module.isSwapped)
            }
            return found.map { (module.theirs, $0) }
        }
    }

    private static func unet(_ own: [String: Place], _ form: UNetNames.Form) -> [(String, [Place])] {
        let prefixes = UNetNames.prefixes(form)
        return own.values.compactMap { place in
            UNetNames.author(of: place.module, prefixes).map { ($0, [place]) }
        }
    }
}
