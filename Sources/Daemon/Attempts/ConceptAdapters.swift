import Foundation
import Hashing
import Jobs
import Store

/// Finds the concepts a job names among what its tenant has learnt: the newest version of each on the job's model.
struct ConceptAdapters: Sendable {
    let tenant: String
    let store: Store
    let artifacts: ArtifactDirectory

    /// Links the adapter of every concept the job mentions into its inputs; paths by name.
    /// - Throws: `AttemptProblem` listing every mention that means nothing, with what would do; `StoreError` when
    ///   PostgreSQL is away.
    func linked(for spec: JobSpec, into workspace: AttemptWorkspace) async throws -> [String: String] {
        guard let model = spec.model, !spec.mentions.isEmpty else { return [:] }
        let learnt = try await store.newestConcepts(tenant: tenant)
        let pinned = try await versions(spec.mentions)
        var found: [String: StoredConcept] = [:]
        var problems: [Problem] = []
        for mention in spec.mentions {
            let usable = mention.version == nil ? learnt : pinned
            if let concept = usable.first(where: { $0.model == model && mention.means($0) }) {
                found[mention.key] = concept
            } else {
                problems.append(problem(mention, learnt: learnt, model: model))
            }
        }
        guard problems.isEmpty else { throw unknown(problems) }
        let concepts = found
        return try await runBlocking {
            try Dictionary(uniqueKeysWithValues: concepts.map { ($0, try link($1, as: $0, into: workspace)) })
        }
    }

    private func versions(_ mentions: [ConceptMention]) async throws -> [StoredConcept] {
        let pinned = mentions.compactMap { mention in mention.version.map { (mention.name, $0) } }
        return pinned.isEmpty ? [] : try await store.concepts(pinned, tenant: tenant)
    }

    private func link(_ concept: StoredConcept, as key: String, into workspace: AttemptWorkspace) throws -> String {
        guard let digest = SHA256Digest(concept.adapter), try artifacts.contains(digest) else {
            throw AttemptProblem(
                code: "concept.missing",
                message: "the adapter of <\(concept.name)>, \(concept.adapter), is not in the store",
                consequence: .fatal)
        }
        return try workspace.link(artifacts.path(of: digest), as: key + ".safetensors")
    }

    /// What is there under the name, and which names would do.
    private func problem(_ mention: ConceptMention, learnt: [StoredConcept], model: String) -> Problem {
        let others = learnt.filter { $0.name == mention.name }.map { "a \($0.role.rawValue) on \($0.model)" }
        let found = mention.written(mention.key) + (others.isEmpty ? "" : ", " + others.joined(separator: " and "))
        let names = learnt.filter { $0.model == model && mention.allows($0) }.map { mention.written($0.name) }
        let kind = mention.role.map(\.rawValue) ?? "concept"
        return Problem(
            mention.pointer, found: found,
            allowed: names.isEmpty
                ? "no \(kind): \(tenant) has learnt none on \(model); personalize it first"
                : names.joined(separator: ", "))
    }

    private func unknown(_ problems: [Problem]) -> AttemptProblem {
        let found = problems.indices.filter { index in
            !problems[..<index].contains { $0.found == problems[index].found }
        }.map { problems[$0].found }
        return AttemptProblem(
            code: "concept.unknown", message: "no concept that can be used here: \(found.joined(separator: "; "))",
            consequence: .rejected, problems: problems)
    }
}

extension ConceptMention {
    fileprivate func allows(_ concept: StoredConcept) -> Bool { role == nil || role == concept.role }
    fileprivate func means(_ concept: StoredConcept) -> Bool {
        concept.name == name && allows(concept) && (version == nil || version == concept.version)
    }
}
