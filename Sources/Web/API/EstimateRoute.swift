import Daemon
import Foundation
import Hummingbird
import Jobs

/// What a job would take, asked before it is published. Whoever may look may ask: it changes nothing.
struct EstimateRoute: Sendable {
    let site: Site
    let questions: EstimateQuestions

    /// - Throws: 403, which says what to configure, where nobody can be asked.
    init(site: Site) throws {
        guard let questions = site.questions else { throw HTTPError(.forbidden, message: Site.noBroker) }
        (self.site, self.questions) = (site, questions)
    }

    /// Answers with the figures of a job's body, and what its tenant has not learnt.
    func answer(_ viewer: Viewer, tenant: String?, to body: () throws -> JSONValue) async throws -> Response {
        let owner = viewer.tenant ?? tenant ?? questions.user
        do {
            let spec = try JobSpec(body())
            let workers = try await site.overview.workers().count { $0["gone_at"] == .null }
            var concepts = LearntConcepts(source: site.reader)
            let adapters = try await concepts.adapters(of: spec, tenant: owner)
            var answer = try await questions.ask(spec, adapters: adapters, workers: workers)
            answer.warnings = try await (answer.warnings ?? []) + concepts.missing(of: spec, tenant: owner)
            guard let estimate = answer.estimate else { throw Problems(answer.problems ?? []) }
            return APIRoutes.json(try Self.figures(estimate, answer))
        } catch let problems as Problems {
            let list = try await site.named(problems, for: owner)
            return APIRoutes.json(["problems": try JSONValue(list)], status: .unprocessableContent)
        } catch let refusal as EstimateQuestions.Refusal {
            return APIRoutes.json(["error": .string(refusal.description)], status: .serviceUnavailable)
        }
    }

    private static func figures(_ estimate: JobEstimate, _ answer: EstimateAnswer) throws -> JSONValue {
        var figures: [String: JSONValue] = [
            "seconds": .number(estimate.seconds), "memory_bytes": .integer(estimate.memoryBytes),
            "disk_bytes": .integer(estimate.diskBytes), "jobs": .integer(estimate.jobs ?? 0),
            "fits": answer.fits.map(JSONValue.bool) ?? .null,
            "largest_memory_bytes": answer.largestMemoryBytes.map(JSONValue.integer) ?? .null,
            "worker": .string(answer.worker),
        ]
        figures["alternatives"] = try JSONValue(answer.alternatives ?? [])
        figures["warnings"] = try JSONValue(answer.warnings ?? [])
        return .object(figures)
    }
}
