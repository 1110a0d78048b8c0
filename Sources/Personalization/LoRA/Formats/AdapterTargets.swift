import Backbones
import Checkpoints
import Layers
import Tensors

/// The modules of a model that an adapter's names can mean: its components' weights, and what other programs call them.
package struct AdapterTargets {
    /// Where a change goes: a weight, and which rows of the file's update are its own.
    struct Place {
        let parameter: Parameter
        var rows: Range<Int>?
        /// Whether the halves of the update's rows stand the other way round.
        var isSwapped = false
    }

    /// By component, in the order in which they are asked.
    private let components: [(name: String, weights: Weights)]
    /// Modules by the names without dots that programs make of them, for each component.
    private let flat: [String: [String: [Place]]]

    /// A model of one component, as Chameleon's and Infinity's transformers.
    package init(_ weights: Weights) { self.init([("transformer", weights)], network: nil) }

    /// A diffusion model.
    package init(_ pipeline: DiffusionPipeline) {
        let names = ["unet", "transformer"] + pipeline.weights.keys.filter { $0.hasPrefix("text_encoder") }.sorted()
        self.init(names.compactMap { name in pipeline.weights[name].map { (name, $0) } }, network: pipeline.network)
    }

    private init(_ components: [(String, Weights)], network: DiffusionPipeline.Network?) {
        self.components = components.map { (name: $0.0, weights: $0.1) }
        var flat: [String: [String: [Place]]] = [:]
        for (name, weights) in components {
            var table: [String: [Place]] = [:]
            for (module, parameter) in Self.modules(of: weights) {
                table[Self.flattened(module)] = [Place(parameter: parameter)]
            }
            if name == "unet" || name == "transformer", let network {
                for (other, places) in FusedNames.places(network, weights) { table[Self.flattened(other)] = places }
            }
            flat[name] = table
        }
        self.flat = flat
    }

    static func flattened(_ module: String) -> String { module.replacingOccurrences(of: ".", with: "_") }

    /// Matrices and kernels by their modules' names.
    static func modules(of weights: Weights) -> [(String, Parameter)] {
        weights.parameters.filter { $0.name.hasSuffix(".weight") && $0.shape.count > 1 }.map {
            (String($0.name.dropLast(".weight".count)), $0)
        }
    }

    /// Where a module's change goes; none where there is no such module.
    func places(_ module: NamedChanges.Module) -> [Place] {
        let component = module.encoder(among: components.map(\.name))
        for (name, _) in components where component == nil || component == name {
            if let places = flat[name]?[Self.flattened(module.name)] { return places }
        }
        return []
    }

    /// The weight of a name.
    func weight(_ name: String) -> Parameter? {
        components.lazy.compactMap { $0.weights.byName[name] }.first
    }
}
