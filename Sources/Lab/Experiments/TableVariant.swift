import Jobs

/// One row's way to its pictures, as tables compare them.
struct TableVariant {
    enum Way {
        /// A subject is learned by a method, with these of its options.
        case learned(PersonalizationMethod, [String: JSONValue])
        /// The model as it is, asked for the class.
        case untuned
        /// No pictures are drawn: the references are held against each other.
        case references
    }

    /// Stands in the file of results.
    let key: String
    let title: String
    /// The folder among the models; nil where nothing is drawn.
    let model: String?
    let way: Way

    /// The same model as it was before this variant learnt; nil where nothing is learnt.
    var untuned: TableVariant? {
        guard case .learned = way else { return nil }
        return [TableVariant.untunedInfinity, .untunedChameleon].first { $0.model == model }
    }
}

extension TableVariant {
    private static let infinity = "pocket-infinity", chameleon = "pocket-chameleon"

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
    static let references = TableVariant(
        key: "references", title: "references against each other", model: nil, way: .references)

    private static let unpreserved: [String: JSONValue] = ["prior_preservation": .bool(false)]

    private static func lora(
        _ key: String, _ title: String, _ model: String, _ options: [String: JSONValue]
    ) -> TableVariant {
        TableVariant(key: key, title: title, model: model, way: .learned(.lora, options))
    }
}
