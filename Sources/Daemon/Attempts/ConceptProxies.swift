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
        var found: [String: [EngineOrder.Proxy]] = [:]
        var problems: [Problem] = []
        let artifacts = artifacts
        let reused = ReusedProxies(source: store, tenant: tenant) { proxies in
            try await runBlocking { try proxies.allSatisfy { try artifacts.contains($0.digest) } }
        }
        for (concept, finding) in try await reused.findings(for: spec) {
            switch finding {
            case .drawn(let proxies):
                found[concept] = try await runBlocking {
                    try proxies.enumerated().map { number, proxy in
                        let name = "\(concept)-proxy-\(number + 1).png"
                        return .init(
                            path: try workspace.link(artifacts.path(of: proxy.digest), as: name), prompt: proxy.prompt)
                    }
                }
            case .pending(let problem), .unusable(let problem): problems.append(problem)
            }
        }
        guard problems.isEmpty else {
            throw AttemptProblem(
                code: "input.proxies", message: "the proxies of \(counted(problems.count, "concept")) cannot be used",
                consequence: .rejected, problems: problems)
        }
        return found.isEmpty ? nil : found
    }
}
