import Layers
import Randomness
import Tensors

/// Which tokens low-rank changes act on, in learning and ever after.
package enum ActingTokens: String, Codable, Sendable {
    /// All that the backbone reads, a picture's among them.
    case all
    /// Those of the concept's words in a prompt: its name, and the class noun behind it.
    case prompt
}

/// Low-rank changes of chosen weights of one backbone (LoRA, Hu et al., arXiv 2106.09685).
package struct LoRAAdapter {
    /// What is changed, and how strongly.
    package struct Options: Codable, Equatable, Sendable {
        /// r.
        package var rank = 8
        /// α: a change is α/r · B · A.
        package var alpha: Float = 16
        /// The modules that are changed, by the end of their names (`q_proj` is every layer's).
        package var targets: [String]
        /// Whether α is divided by √r instead of r (rank-stabilized, arXiv 2312.03732).
        package var isRankStabilized = false
        /// The factor of each module's update, where ranks or alphas differ between modules: an imported adapter's.
        package var scales: [String: Float]?
        /// The tokens it was learnt on; nil is all.
        package private(set) var actsOn: ActingTokens?

        /// The factor is the same for all modules.
        package init(rank: Int = 8, alpha: Float = 16, targets: [String], actsOn: ActingTokens = .all) {
            self.rank = rank
            self.alpha = alpha
            self.targets = targets
            self.actsOn = actsOn == .all ? nil : actsOn
        }

        var scale: Float { alpha / (isRankStabilized ? Float(rank).squareRoot() : Float(rank)) }

        /// Whether `module` is meant: it has a factor of its own, or, where none has, is a target or ends with one
        /// after a dot.
        func selects(_ module: String) -> Bool {
            if let scales { return scales[module] != nil }
            return targets.contains { module == $0 || module.hasSuffix("." + $0) }
        }
    }

    /// As it was made or read; where ranks differ between modules its `scales` hold.
    package let options: Options
    /// By module: the weight's name without `.weight`.
    package let updates: [String: LowRankUpdate]

    init(options: Options, updates: [String: LowRankUpdate]) {
        self.options = options
        self.updates = updates
    }

    /// A fresh adapter for `weights` that changes nothing yet: A uniform in ±1/√in, B zero, as PEFT starts them.
    /// - Throws: `LoRAError.noSuchModule` for a target that names no matrix of the model.
    package init(for weights: Weights, options: Options, seed: UInt64) throws(LoRAError) {
        let modules = Self.modules(of: weights).map(\.name)
        for target in options.targets where !modules.contains(where: { Options(targets: [target]).selects($0) }) {
            throw .noSuchModule(target, known: Set(modules.map { String($0.split(separator: ".").last!) }).sorted())
        }
        self.init(options: options, updates: Self.updates(for: weights, options, in: Weights(.fresh(seed: seed))))
    }

    /// The shapes of such an adapter's A and B, by PEFT's names.
    static func shapes(for weights: Weights, _ options: Options) -> [String: [Int]] {
        let planned = Weights(.planned)
        _ = updates(for: weights, options, in: planned)
        return Dictionary(uniqueKeysWithValues: planned.parameters.map { (prefix + $0.name, $0.shape) })
    }

    /// What options change of a model, with A and B among weights of their own.
    private static func updates(for weights: Weights, _ options: Options, in own: Weights) -> [String: LowRankUpdate] {
        var updates: [String: LowRankUpdate] = [:]
        for module in modules(of: weights) where options.selects(module.name) {
            updates[module.name] = LowRankUpdate(
                down: own.parameter(
                    "\(module.name).lora_A.weight", [options.rank, module.shape[1]], .uniform(fanIn: module.shape[1])),
                up: own.parameter("\(module.name).lora_B.weight", [module.shape[0], options.rank], .zeros),
                scale: options.scale)
        }
        return updates
    }

    private static func modules(of weights: Weights) -> [(name: String, shape: [Int])] {
        weights.parameters.filter(\.isProjection).map {
            (name: String($0.name.dropLast(".weight".count)), shape: $0.shape)
        }
    }

    /// A and B of every module, in order of names.
    package var parameters: [Parameter] { updates.keys.sorted().flatMap { [updates[$0]!.down, updates[$0]!.up] } }

    /// Adds the changes to what the model computes; its weights stay as they are.
    /// - Parameter activity: tells them which tokens to act on; nil: all.
    /// - Throws: `LoRAError.doesNotFit` naming a module the model does not have or has in another shape; nothing is
    ///   changed then.
    package func attach(to weights: Weights, activity: TokenActivity? = nil) throws(LoRAError) {
        for (parameter, update) in try targets(in: weights) {
            parameter.update = LowRankUpdate(
                down: update.down, up: update.up, scale: update.scale, columns: update.columns, activity: activity)
        }
    }

    /// Takes the changes off again; modules without any are passed over.
    package func detach(from weights: Weights) {
        for module in updates.keys { weights.byName["\(module).weight"]?.update = nil }
    }

    /// Adds the changes to the weights themselves.
    /// - Parameter share: how much of them; −1 takes a whole merge back.
    /// - Throws: `LoRAError.doesNotFit`; nothing is changed then.
    package func merge(into weights: Weights, share: Float = 1) throws(LoRAError) {
        for (parameter, update) in try targets(in: weights) { parameter.value.accumulate(update.matrix, scale: share) }
    }

    /// Adds a share of the changes for good: to the weights, and beside those that stay in their file, which in single
    /// precision would take twice the memory or four times.
    /// - Throws: `LoRAError.doesNotFit`; nothing is changed then.
    func join(_ weights: Weights, share: Float) throws(LoRAError) {
        for (parameter, update) in try targets(in: weights) {
            if parameter.mapped == nil {
                parameter.value.accumulate(update.matrix, scale: share)
            } else {
                parameter.updates.append(
                    LowRankUpdate(
                        down: update.down, up: update.up, scale: share * update.scale, columns: update.columns))
            }
        }
    }

    func targets(in weights: Weights) throws(LoRAError) -> [(Parameter, LowRankUpdate)] {
        var targets: [(Parameter, LowRankUpdate)] = []
        for (module, update) in updates.sorted(by: { $0.key < $1.key }) {
            let shape = [update.up.shape[0], update.down.shape[1]]
            guard let parameter = weights.byName["\(module).weight"], parameter.isProjection,
                parameter.shape == shape
            else {
                throw .doesNotFit(module: module, shape: shape)
            }
            targets.append((parameter, update))
        }
        return targets
    }
}

/// A LoRA adapter that cannot be used as asked.
package enum LoRAError: Error, CustomStringConvertible, Equatable {
    case noSuchModule(String, known: [String])
    case doesNotFit(module: String, shape: [Int])
    case notLoRA(String)
    /// Names in a file that mean nothing of the model.
    case homeless(path: String, names: [String])

    /// What does not fit, and what there is instead.
    package var description: String {
        switch self {
        case .noSuchModule(let name, let known):
            "no module is named \(name); there are \(known.joined(separator: ", "))"
        case .doesNotFit(let module, let shape):
            "the adapter changes \(module) of shape \(shape), which this model does not have"
        case .notLoRA(let reason): reason
        case .homeless(let path, let names):
            "\(path): \(names.count) of its parts have no place in this model: "
                + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? "; and \(names.count - 8) more" : "")
        }
    }
}
