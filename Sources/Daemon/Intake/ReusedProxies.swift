import Foundation
import Hashing
import Jobs
import Store

/// The proxies that a job takes from others of its tenant: they are held against what those jobs are when it is
/// accepted, and again when it begins.
struct ReusedProxies: Sendable {
    /// What there is for a concept.
    enum Finding: Sendable, Equatable {
        /// These.
        case drawn([StoredProxy])
        /// Not all yet: their job has not ended.
        case pending(Problem)
        /// Nothing, and there will not be.
        case unusable(Problem)
    }

    let source: any ConceptSource
    let tenant: String
    /// By which sizes of pictures are compared, where they are known.
    var models = ModelChoice.any
    /// The concepts whose proxies are at hand, wherever their jobs say that they are.
    var given: Set<String> = []
    /// Whether pictures' files are there, for who is to hand them on.
    var holds: @Sendable ([StoredProxy]) async throws -> Bool = { _ in true }

    /// What there is for each concept that is learnt from another job's proxies.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func findings(for spec: JobSpec) async throws -> [(concept: String, finding: Finding)] {
        guard case .personalize(let spec) = spec else { return [] }
        // Of one job there may be several, each with thousands of pictures.
        var jobs: [UUID: DrawingJob] = [:]
        for job in Set(spec.concepts.compactMap { sought(for: $0, in: spec)?.job }) {
            jobs[job] = try await source.drawing(job, tenant: tenant)
        }
        var findings: [(concept: String, finding: Finding)] = []
        for (index, concept) in spec.concepts.enumerated() {
            guard let proxies = sought(for: concept, in: spec) else { continue }
            let pointer = concept.proxies == nil ? "/options/proxies" : "/concepts/\(index)/proxies"
            let job = jobs[proxies.job]
            let finding = try await finding(proxies, of: job, for: concept, on: spec.model, at: pointer)
            findings.append((concept.name, finding))
        }
        return findings
    }

    /// Nil where nothing is to be looked for.
    private func sought(for concept: ConceptSpec, in spec: PersonalizeSpec) -> ProxySource? {
        given.contains(concept.name) ? nil : spec.proxies(of: concept)
    }

    /// What no waiting mends, with what would do; and in words what must have been drawn when the job begins.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func remarks(on spec: JobSpec) async throws -> (problems: [Problem], warnings: [String]) {
        var (problems, warnings): ([Problem], [String]) = ([], [])
        for (_, finding) in try await findings(for: spec) {
            switch finding {
            case .drawn: continue
            case .pending(let problem):
                warnings.append("\(problem.pointer): \(problem.found), and must have when this one begins")
            case .unusable(let problem): problems.append(problem)
            }
        }
        return (problems, warnings)
    }

    /// Why proxies will not do.
    private struct Mistake: Error {
        let found: String
        var allowed = ProxySource.rule
    }

    private func finding(
        _ proxies: ProxySource, of job: DrawingJob?, for concept: ConceptSpec, on model: String, at pointer: String
    ) async throws -> Finding {
        let name = "the job \(proxies.job.uuidString.lowercased())"
        do {
            guard let job, case .personalize(let spec)? = try? JobSpec(job.spec, isAccepted: true),
                spec.supervisor != nil
            else { throw Mistake(found: "\(name), which has drawn no proxies of yours") }
            let drawn = try drawn(by: spec, for: concept, name)
            try compareSizes(spec.model, model)
            guard let own = try await self.proxies(of: drawn, by: job, name) else {
                let found = "\(name), which has not drawn them all yet"
                return .pending(Problem(pointer, found: found, allowed: ProxySource.rule))
            }
            return .drawn(own)
        } catch let mistake as Mistake {
            return .unusable(Problem(pointer, found: mistake.found, allowed: mistake.allowed))
        }
    }

    /// Nil where they may still be drawn. Where all are, it is no matter what becomes of their job.
    private func proxies(of drawn: ConceptSpec, by job: DrawingJob, _ name: String) async throws -> [StoredProxy]? {
        guard job.hasDrawn(drawn.name) else {
            guard job.state.isFinal else { return nil }
            throw Mistake(found: "\(name), which was \(job.state.rawValue) before all were drawn")
        }
        let own = job.proxies.filter { $0.prompt.contains("<\(drawn.name)>") }
        guard !own.isEmpty, try await holds(own) else {
            throw Mistake(found: "\(name), whose proxies are not in the store any more")
        }
        return own
    }

    /// What a job draws that a concept can be learnt from: the one of its name, or the only one.
    private func drawn(by spec: PersonalizeSpec, for concept: ConceptSpec, _ name: String) throws -> ConceptSpec {
        let all = spec.concepts.filter { spec.proxies(of: $0) == nil }
        guard let drawn = spec.others.isEmpty ? all.first : all.first(where: { $0.name == concept.name }) else {
            let names = all.map(\.name).joined(separator: ", ")
            throw Mistake(found: "\(name), which drew \(names)", allowed: "a job that drew \(concept.name)")
        }
        guard drawn.className == concept.className else {
            throw Mistake(
                found: "proxies of \((drawn.className ?? "thing").withArticle)",
                allowed: "proxies of \((concept.className ?? "thing").withArticle)")
        }
        return drawn
    }

    /// Proxies have the size of the pictures of the student that they were drawn for.
    private func compareSizes(_ other: String, _ model: String) throws {
        guard let its = models[other]?.pictures.first, let own = models[model]?.pictures.first, its != own else {
            return
        }
        throw Mistake(found: "proxies of \(its), as \(other) draws", allowed: "proxies of \(own), as \(model) draws")
    }
}
