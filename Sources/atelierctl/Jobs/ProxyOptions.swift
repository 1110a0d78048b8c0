import ArgumentParser
import Foundation
import Jobs

/// Proxies that earlier runs drew, for a job that learns from them.
struct ProxyOptions: ParsableArguments {
    @Option(help: "The folder of the run that drew a subject's proxies: NAME=DIR; may be repeated.")
    var proxies: [String] = []

    /// Before anything is read.
    func validate() throws { _ = try folders() }

    private func folders() throws -> [String: String] {
        try NamedPaths(
            option: "--proxies", form: "NAME=DIR, the name as the job has it: rex", what: "folder",
            isName: ConceptMention.isName
        ).paths(in: proxies)
    }

    /// What lies in the folders.
    /// - Throws: `ValidationError` for one without proxies, or with other pictures than were drawn.
    func read() throws -> GivenProxies {
        var subjects: [String: DrawnProxies] = [:]
        for (name, folder) in try folders() { subjects[name] = try DrawnProxies(of: name, in: folder) }
        return GivenProxies(subjects: subjects)
    }
}

/// Proxies by the names of the subjects that are to be learnt from them.
struct GivenProxies {
    let subjects: [String: DrawnProxies]

    /// A job's body where its subjects are learnt from them, unless it names a job that drew others.
    func named(in body: JSONValue) -> JSONValue {
        guard case .object(var members) = body,
            members["method"]?.string == PersonalizationMethod.proxyTuning.rawValue
        else { return body }
        if let concepts = members["concepts"]?.array {
            members["concepts"] = .array(concepts.map { named(concept: $0) })
        } else if let own = members["concept"]?["name"]?.string.flatMap({ subjects[$0] }),
            case .object(var options) = members["options"] ?? .object([:]),
            options["proxies"].flatMap({ ProxySource($0) }) == nil
        {
            options["proxies"] = own.source
            members["options"] = .object(options)
        }
        return .object(members)
    }

    /// One of several concepts.
    private func named(concept: JSONValue) -> JSONValue {
        guard case .object(var members) = concept, members["proxies"] == nil,
            let own = members["name"]?.string.flatMap({ subjects[$0] })
        else { return concept }
        members["proxies"] = own.source
        return .object(members)
    }

    /// Those that a job learns from, as its engine is given them; nil where it learns from none.
    /// - Throws: `ValidationError` where a subject is of another class.
    func proxies(for spec: JobSpec) throws -> [String: [EngineOrder.Proxy]]? {
        var given: [String: [EngineOrder.Proxy]] = [:]
        for concept in reusing(spec) { given[concept.name] = try subjects[concept.name]?.proxies(for: concept) }
        return given.isEmpty ? nil : given
    }

    /// Says which of them the job has no use for.
    func tellIdle(in spec: JobSpec) {
        for name in Set(subjects.keys).subtracting(reusing(spec).map(\.name)).sorted() {
            Terminal.note("warning: --proxies \(name): the job does not learn a \(name) by proxy-tuning")
        }
    }

    /// What a job learns from proxies that are drawn.
    private func reusing(_ spec: JobSpec) -> [ConceptSpec] {
        guard case .personalize(let spec) = spec else { return [] }
        return spec.concepts.filter { spec.proxies(of: $0) != nil }
    }
}
