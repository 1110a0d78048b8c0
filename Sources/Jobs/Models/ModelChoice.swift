/// The models that a job may name: those a host or a cluster holds, or any.
package struct ModelChoice: Sendable, Equatable {
    /// By name.
    package let models: [String: ModelDescription]
    /// Nobody knows which there are: every name will do, and what depends on the model is not looked at.
    package static let any = ModelChoice(isAny: true, models: [:])

    private let isAny: Bool
    /// What is wrong with models that are there and cannot be used, by name.
    private let unusable: [String: String]

    /// These models; of two of one name the first.
    /// - Parameter unusable: what is wrong with others that are there, by name.
    package init(_ descriptions: [ModelDescription], unusable: [String: String] = [:]) {
        self.init(
            isAny: false, models: Dictionary(descriptions.map { ($0.name, $0) }) { first, _ in first },
            unusable: unusable)
    }

    private init(isAny: Bool, models: [String: ModelDescription], unusable: [String: String] = [:]) {
        (self.isAny, self.models, self.unusable) = (isAny, models, unusable)
    }

    /// What is known of a model; nil where it is not there, or nobody knows.
    package subscript(_ name: String) -> ModelDescription? { models[name] }

    /// Whether a model of that name fits.
    package func allows(_ name: String, _ fits: (ModelFamily) -> Bool) -> Bool {
        isAny || models[name].map { fits($0.family) } == true
    }

    /// The models that fit, in words, for whoever named another.
    package func words(_ fits: (ModelFamily) -> Bool) -> String {
        if isAny { return "a model's name: " + ModelDescription.nameRule }
        let names = models.values.filter { fits($0.family) }.map(\.name).sorted()
        return names.isEmpty ? "no model: none that could do this is installed" : names.joined(separator: ", ")
    }

    /// As ``words(_:)``, and what is wrong with the model that was named, where it is there.
    package func words(_ fits: (ModelFamily) -> Bool, naming name: String?) -> String {
        guard let name, models[name] == nil, let fault = unusable[name] else { return words(fits) }
        return "\(words(fits)); \(name) is here but unusable: \(fault)"
    }

    /// What a job needs besides the model it names: `name@digest`, or `name@` where nobody knows the files.
    package func further(of spec: JobSpec) -> [String] {
        furtherNames(of: spec).map { "\($0)@\(models[$0]?.digest ?? "")" }
    }

    /// An evaluation's encoders; the model that draws proxies.
    private func furtherNames(of spec: JobSpec) -> [String] {
        switch spec {
        case .personalize(let spec): spec.supervisor.map { [$0] } ?? []
        case .evaluate(let spec): encoders(of: spec).map { [$0.clip, $0.dino] } ?? []
        default: []
        }
    }

    /// The encoders an evaluation is done with: those it names, or its model's.
    package func encoders(of spec: EvaluateSpec) -> ModelDescription.Encoders? {
        let own = models[spec.model]?.encoders
        guard let clip = spec.options["clip"]?.string ?? own?.clip,
            let dino = spec.options["dino"]?.string ?? own?.dino
        else { return nil }
        return .init(clip: clip, dino: dino)
    }
}
