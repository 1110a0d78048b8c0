import Jobs
import Store

/// What tenants have learnt, asked for once each: what jobs mention is held against it when they are accepted, and
/// again when they begin.
package struct LearntConcepts {
    /// As many names, and as many mentions that mean nothing, are told of.
    static let told = 50

    private let source: any ConceptSource
    private var known: [String: [StoredConcept]] = [:]

    init(store: Store) { self.init(source: store) }

    /// Will ask `source`.
    package init(source: any ConceptSource) { self.source = source }

    /// The concepts a job mentions, by what it calls them, and a problem for every mention that means none, with what
    /// would do.
    /// - Parameter given: what mentions call concepts that need not be learnt.
    /// - Throws: `StoreError` when PostgreSQL is away.
    mutating func found(
        for spec: JobSpec, tenant: String, beside given: Set<String> = []
    ) async throws -> (concepts: [String: StoredConcept], problems: [Problem]) {
        let mentions = spec.mentions.filter { !given.contains($0.key) }
        guard let model = spec.model, !mentions.isEmpty else { return ([:], []) }
        let learnt = try await learnt(by: tenant)
        let pinned = try await versions(mentions, tenant)
        var found: [String: StoredConcept] = [:]
        var problems: [Problem] = []
        // Thousands of mentions may mean nothing, and thousands of names do: they are listed once.
        var allowed: [ConceptRole?: String] = [:]
        for mention in mentions {
            let usable = mention.version == nil ? learnt : pinned
            if let concept = usable.first(where: { $0.model == model && mention.means($0) }) {
                found[mention.key] = concept
            } else {
                let names = allowed[mention.role] ?? Self.names(for: mention, learnt: learnt, model, tenant)
                allowed[mention.role] = names
                problems.append(
                    Problem(mention.pointer, found: Self.found(mention, learnt: learnt), allowed: names))
            }
        }
        return (found, problems)
    }

    /// Mentions of concepts that are not there yet, the first fifty in words: when the job begins they must be.
    /// - Parameter given: what mentions call concepts that need not be learnt.
    /// - Throws: `StoreError` when PostgreSQL is away.
    package mutating func missing(
        of spec: JobSpec, tenant: String, beside given: Set<String> = []
    ) async throws -> [String] {
        try await found(for: spec, tenant: tenant, beside: given).problems.prefix(Self.told).map { problem in
            """
            \(problem.pointer): \(problem.found) is no concept that can be used yet, and must be when the job begins; \
            an estimate counts nothing of it; now: \(problem.allowed)
            """
        }
    }

    /// What is wrong with the proxies that a job takes from others, and which are not drawn yet.
    /// - Parameters:
    ///   - models: by which sizes of pictures are compared.
    ///   - given: the concepts whose proxies need not be stored.
    /// - Throws: `StoreError` when PostgreSQL is away.
    package func proxies(
        of spec: JobSpec, tenant: String, models: ModelChoice, beside given: Set<String> = []
    ) async throws -> (problems: [Problem], warnings: [String]) {
        try await ReusedProxies(source: source, tenant: tenant, models: models, given: given).remarks(on: spec)
    }

    /// The adapters of the concepts a job mentions, by what it calls them, those of them that there are by now.
    /// - Throws: `StoreError` when PostgreSQL is away.
    package func adapters(of spec: JobSpec, tenant: String) async throws -> [String: InspectionOrder.Adapter] {
        guard let model = spec.model, !spec.mentions.isEmpty else { return [:] }
        return try await source.adapters(of: spec.mentions, model: model, tenant: tenant)
    }

    /// The same problems; those with a text that looks like a mention and is none say which concepts there are.
    /// - Throws: `StoreError` when PostgreSQL is away.
    package mutating func naming(_ problems: [Problem], tenant: String) async throws -> [Problem] {
        guard problems.contains(where: { $0.allowed == ConceptMention.rule }) else { return problems }
        let names = try await learnt(by: tenant).map(\.name).reduce(into: [String]()) {
            if $0.last != $1 { $0.append($1) }
        }
        let known = names.isEmpty ? "none is learnt yet" : Self.list(names.map { "<\($0)>" })
        return problems.map { problem in
            guard problem.allowed == ConceptMention.rule else { return problem }
            return Problem(problem.pointer, found: problem.found, allowed: "\(problem.allowed); known: \(known)")
        }
    }

    private mutating func learnt(by tenant: String) async throws -> [StoredConcept] {
        if let learnt = known[tenant] { return learnt }
        let learnt = try await source.newestConcepts(tenant: tenant)
        known[tenant] = learnt
        return learnt
    }

    private func versions(_ mentions: [ConceptMention], _ tenant: String) async throws -> [StoredConcept] {
        let pinned = mentions.compactMap { mention in mention.version.map { (mention.name, $0) } }
        return pinned.isEmpty ? [] : try await source.concepts(pinned, tenant: tenant)
    }

    /// What is there under a mention's name.
    private static func found(_ mention: ConceptMention, learnt: [StoredConcept]) -> String {
        let others = learnt.filter { $0.name == mention.name }.map { "a \($0.role.rawValue) on \($0.model)" }
        return mention.written(mention.key) + (others.isEmpty ? "" : ", " + others.joined(separator: " and "))
    }

    /// Which names would do in its place.
    private static func names(
        for mention: ConceptMention, learnt: [StoredConcept], _ model: String, _ tenant: String
    ) -> String {
        let names = learnt.filter { $0.model == model && mention.allows($0) }.map { mention.written($0.name) }
        let kind = mention.role.map(\.rawValue) ?? "concept"
        return names.isEmpty
            ? "no \(kind): \(tenant) has learnt none on \(model); personalize it first" : list(names)
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(told).joined(separator: ", ") + (names.count > told ? " and \(names.count - told) more" : "")
    }
}

extension ConceptMention {
    fileprivate func allows(_ concept: StoredConcept) -> Bool { role == nil || role == concept.role }
    fileprivate func means(_ concept: StoredConcept) -> Bool {
        concept.name == name && allows(concept) && (version == nil || version == concept.version)
    }
}
