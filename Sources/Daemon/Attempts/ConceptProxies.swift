import Foundation
import Hashing
import Jobs
import Store

/// Finds the proxies that a job takes from others of its tenant.
struct ConceptProxies: Sendable {
    let tenant: String
    let store: Store
    let artifacts: ArtifactDirectory

    /// Links them into the job's inputs; by the concepts' names. Nil where the job takes none.
    /// - Throws: `AttemptProblem` listing every source that will not do; `StoreError` when PostgreSQL is away.
    func linked(
        for spec: JobSpec, into workspace: AttemptWorkspace
    ) async throws -> [String: [EngineOrder.Proxy]]? {
        guard case .personalize(let spec) = spec else { return nil }
        var found: [String: [EngineOrder.Proxy]] = [:]
        var problems: [Problem] = []
        for (index, concept) in spec.concepts.enumerated() {
            guard let source = spec.proxies(of: concept) else { continue }
            let pointer = concept.proxies == nil ? "/options/proxies" : "/concepts/\(index)/proxies"
            switch try await proxies(of: concept, from: source) {
            case .success(let proxies):
                found[concept.name] = try proxies.enumerated().map { number, proxy in
                    let name = "\(concept.name)-proxy-\(number + 1).png"
                    return .init(
                        path: try workspace.link(artifacts.path(of: proxy.digest), as: name), prompt: proxy.prompt)
                }
            case .failure(let mistake):
                problems.append(Problem(pointer, found: mistake.found, allowed: mistake.allowed))
            }
        }
        guard problems.isEmpty else {
            throw AttemptProblem(
                code: "input.proxies", message: "the proxies of \(problems.count) concepts cannot be used",
                consequence: .rejected, problems: problems)
        }
        return found.isEmpty ? nil : found
    }

    private struct Mistake: Error { let found, allowed: String }

    private func proxies(
        of concept: ConceptSpec, from source: ProxySource
    ) async throws -> Result<[StoredProxy], Mistake> {
        let name = "the job \(source.job.uuidString.lowercased())"
        guard let (all, body) = try await store.proxies(of: source.job, tenant: tenant), !all.isEmpty,
            case .personalize(let spec) = try? JobSpec(body, isAccepted: true)
        else {
            return .failure(Mistake(found: "\(name), which has drawn no proxies of yours", allowed: ProxySource.rule))
        }
        guard
            let drawn = spec.concepts.count == 1
                ? spec.concept : spec.concepts.first(where: { $0.name == concept.name })
        else {
            let names = spec.concepts.map(\.name).joined(separator: ", ")
            return .failure(Mistake(found: "\(name), which drew \(names)", allowed: "a job that drew \(concept.name)"))
        }
        guard drawn.className == concept.className else {
            return .failure(
                Mistake(
                    found: "proxies of a \(drawn.className ?? "thing")",
                    allowed: "proxies of a \(concept.className ?? "thing")"))
        }
        let own = all.filter { $0.prompt.contains("<\(drawn.name)>") }
        guard !own.isEmpty, try own.allSatisfy({ try artifacts.contains($0.digest) }) else {
            return .failure(
                Mistake(found: "\(name), whose proxies are not in the store any more", allowed: ProxySource.rule))
        }
        return .success(own)
    }
}
