import Jobs
import Personalization

/// One row's way to its pictures, as tables compare them.
struct TableVariant {
    enum Way {
        /// A subject is learned by a method, with these of its options.
        case learned(PersonalizationMethod, [String: JSONValue])
        /// A subject is learned from its references, turned, mirrored and cropped, in place of Proxy-Tuning's proxies.
        case augmented([String: JSONValue])
        /// Four subjects are learned at once, from the proxies of a supervisor of each.
        case together([String: JSONValue])
        /// Subjects are learned apart, each from its own proxies, and what was learned of them acts together.
        case joined(AdapterJoining, [String: JSONValue])
        /// What the papers compare with.
        case baseline(Baseline)
        /// What the supervisor of Proxy-Tuning with these options learned itself.
        case supervisor([String: JSONValue])
        /// The model as it is, asked for the class.
        case untuned
        /// No pictures are drawn: the references are held against each other.
        case references
        /// Nothing is learnt and no model draws: the world paints the subject as it is asked for.
        case world
    }

    /// Stands in the file of results.
    let key: String
    let title: String
    /// The folder among the models; nil where nothing is drawn.
    let model: String?
    let way: Way
    /// Whether prompts name a second subject, to the right of the cell's.
    var isOfTwo = false

    /// Subjects that are known together.
    var subjects: Int {
        if case .together = way { return TableSettings.together }
        return isOfTwo ? 2 : 1
    }

    /// The same model as it was before this variant learnt; nil where nothing is learnt.
    var untuned: TableVariant? {
        switch way {
        case .learned, .augmented, .together, .joined, .baseline, .supervisor:
            TableVariant.untuned.first { $0.model == model }
        case .untuned, .references, .world: nil
        }
    }

    /// The method that learns, and its options; nil where nothing is learnt, or by no method of jobs.
    var learning: (method: PersonalizationMethod, options: [String: JSONValue])? {
        switch way {
        case .learned(let method, let options): (method, options)
        case .augmented(let options), .together(let options), .joined(_, let options), .supervisor(let options):
            (.proxyTuning, options)
        case .baseline, .untuned, .references, .world: nil
        }
    }
}

extension TableVariant {
    /// The models that rows are measured on.
    typealias Embedded = Pretraining.Model

    private static let infinity = Embedded.infinity.rawValue, chameleon = Embedded.chameleon.rawValue
    private static let llamagen = Embedded.llamagen.rawValue, diffusion = Embedded.diffusion.rawValue

    static func baseline(_ baseline: Baseline, on model: Embedded) -> TableVariant {
        TableVariant(
            key: "\(baseline.rawValue)-\(model.key)", title: "\(baseline.title), \(model.title)", model: model.rawValue,
            way: .baseline(baseline))
    }

    static func together(_ model: Embedded) -> TableVariant {
        TableVariant(
            key: "together-\(model.key)", title: "four subjects together, \(model.title)", model: model.rawValue,
            way: .together([:]))
    }

    /// Two of the four that one student has learnt together.
    static func twoOfFour(_ model: Embedded) -> TableVariant {
        TableVariant(
            key: "two-together-\(model.key)", title: "two in a prompt, of four together, \(model.title)",
            model: model.rawValue, way: .together([:]), isOfTwo: true)
    }

    /// Two that were learnt apart.
    static func two(_ joining: AdapterJoining, _ model: Embedded) -> TableVariant {
        TableVariant(
            key: "two-\(joining.rawValue)-\(model.key)",
            title: "two in a prompt, adapters \(joining.rawValue), \(model.title)",
            model: model.rawValue, way: .joined(joining, [:]), isOfTwo: true)
    }

    static let arbooth = TableVariant(key: "arbooth", title: "ARBooth", model: infinity, way: .learned(.arbooth, [:]))
    static let fullTuning = TableVariant(
        key: "arbooth-full-tuning", title: "full tuning", model: infinity,
        way: .learned(.arbooth, ["tuning": .string("full")]))
    static let unweighted = TableVariant(
        key: "arbooth-unweighted", title: "without scale weighting", model: infinity,
        way: .learned(.arbooth, ["scale_weighting": .bool(false)]))
    static let undistilled = TableVariant(
        key: "arbooth-undistilled", title: "without prior distillation", model: infinity,
        way: .learned(.arbooth, ["distillation": .bool(false)]))

    static let coar = TableVariant(
        key: "coar", title: "CoAR (LMCL + DPP + CASR)", model: chameleon, way: .learned(.coar, [:]))
    static let contextAlone = TableVariant(
        key: "coar-lmcl", title: "LMCL", model: chameleon,
        way: .learned(.coar, ["prior_preservation": .bool(false), "self_regularization": .bool(false)]))
    static let contextAndPrior = TableVariant(
        key: "coar-lmcl-dpp", title: "LMCL + DPP", model: chameleon,
        way: .learned(.coar, ["self_regularization": .bool(false)]))

    static let loraOnInfinity = lora("lora-infinity", "LoRA, Infinity", infinity, [:])
    static let loraOnInfinityUnpreserved = lora(
        "lora-infinity-unpreserved", "LoRA without prior preservation, Infinity", infinity, unpreserved)
    static let loraOnChameleon = lora("lora-chameleon", "LoRA, Chameleon", chameleon, [:])
    static let loraOnChameleonUnpreserved = lora(
        "lora-chameleon-unpreserved", "LoRA without prior preservation, Chameleon", chameleon, unpreserved)

    static let untunedInfinity = TableVariant(
        key: "untuned-infinity", title: "untuned Infinity", model: infinity, way: .untuned)
    static let untunedChameleon = TableVariant(
        key: "untuned-chameleon", title: "untuned Chameleon", model: chameleon, way: .untuned)
    static let untunedLlamaGen = TableVariant(
        key: "untuned-llamagen", title: "untuned LlamaGen", model: llamagen, way: .untuned)
    static let untunedDiffusion = TableVariant(
        key: "untuned-diffusion", title: "untuned diffusion model", model: diffusion, way: .untuned)
    static let untuned = [untunedInfinity, untunedChameleon, untunedLlamaGen, untunedDiffusion]
    static let references = TableVariant(
        key: "references", title: "references against each other", model: nil, way: .references)
    static let world = TableVariant(
        key: "world", title: "what the world itself paints", model: nil, way: .world)
    static let worldOfTwo = TableVariant(
        key: "two-world", title: "two in a prompt, what the world itself paints", model: nil, way: .world,
        isOfTwo: true)

    private static let unpreserved: [String: JSONValue] = ["prior_preservation": .bool(false)]

    private static func lora(
        _ key: String, _ title: String, _ model: String, _ options: [String: JSONValue]
    ) -> TableVariant {
        TableVariant(key: key, title: title, model: model, way: .learned(.lora, options))
    }
}

extension Pretraining.Model {
    /// As rows' keys say it.
    fileprivate var key: String { String(rawValue.dropFirst("pocket-".count)) }

    /// As rows' titles say it.
    fileprivate var title: String {
        switch self {
        case .infinity: "Infinity"
        case .chameleon: "Chameleon"
        case .llamagen: "LlamaGen"
        case .diffusion: "diffusion model"
        }
    }
}

/// Proxy-Tuning's rows.
extension TableVariant {
    static let supervisor = TableVariant(
        key: "proxy-supervisor", title: "the supervisor, a diffusion model", model: diffusion, way: .supervisor([:]))
    static let supervisorEverywhere = TableVariant(
        key: "proxy-supervisor-everywhere", title: "the supervisor, its changes acting on every word", model: diffusion,
        way: .supervisor(everywhere))
    static let loraOnLlamaGen = lora("lora-llamagen", "LoRA, LlamaGen", llamagen, [:])
    static let loraOnDiffusion = lora("lora-diffusion", "LoRA, diffusion model", diffusion, [:])

    static let loraOnDiffusionEverywhere = lora(
        "lora-diffusion-everywhere", "LoRA, diffusion model, acting on every word", diffusion,
        ["acts_on": .string("all")])

    static let proxiesToLlamaGen = proxied("proxy-llamagen", "Proxy-Tuning, LlamaGen", llamagen)
    static let proxiesToChameleon = proxied("proxy-chameleon", "Proxy-Tuning, Chameleon", chameleon)
    static let proxiesToInfinity = proxied("proxy-infinity", "Proxy-Tuning, Infinity", infinity)
    static let proxiesToDiffusion = proxied("proxy-diffusion", "Proxy-Tuning, diffusion model", diffusion)
    static let filteredToChameleon = proxied(
        "proxy-chameleon-filtered", "Proxy-Tuning, 0.3 of the drawn proxies dropped, Chameleon", chameleon,
        ["filter": .number(0.3)])
    static let everywhereToChameleon = proxied(
        "proxy-chameleon-everywhere", "Proxy-Tuning, the supervisor's changes acting on every word, Chameleon",
        chameleon, everywhere)
    static let augmentedLlamaGen = TableVariant(
        key: "augmented-llamagen", title: "augmented references, LlamaGen", model: llamagen, way: .augmented([:]))
    static let augmentedChameleon = TableVariant(
        key: "augmented-chameleon", title: "augmented references, Chameleon", model: chameleon, way: .augmented([:]))

    private static let everywhere: [String: JSONValue] = ["supervisor_acts_on": .string("all")]

    /// By number of proxies.
    static func proxies(_ count: Int) -> TableVariant {
        // The rule, which has a row without saying so.
        if count == 200 { return proxiesToChameleon }
        return proxied(
            "proxy-chameleon-\(count)", "\(count) proxies, Chameleon", chameleon, ["proxies": .integer(count)])
    }

    /// By rank of the student's changes.
    static func rank(_ rank: Int) -> TableVariant {
        // The rule, likewise.
        if rank == 16 { return proxiesToChameleon }
        return proxied(
            "proxy-chameleon-rank-\(rank)", "rank \(rank), Chameleon", chameleon, ["rank": .integer(rank)])
    }

    private static func proxied(
        _ key: String, _ title: String, _ model: String, _ options: [String: JSONValue] = [:]
    ) -> TableVariant {
        TableVariant(key: key, title: title, model: model, way: .learned(.proxyTuning, options))
    }
}
