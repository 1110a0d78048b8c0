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

    /// Answers with the figures of a job's body, and what its tenant has not learnt or drawn.
    func answer(_ viewer: Viewer, tenant: String?, to body: () throws -> JSONValue) async throws -> Response {
        let owner = viewer.tenant ?? tenant ?? questions.user
        do {
            let spec = try JobSpec(body())
            let workers = try await site.overview.workers().count { $0["gone_at"] == .null }
            var concepts = LearntConcepts(source: site.reader)
            let adapters = try await concepts.adapters(of: spec, tenant: owner)
            let proxies = try await concepts.proxies(of: spec, tenant: owner, models: site.reader.drawingModels())
            var answer = try await questions.ask(spec, adapters: adapters, workers: workers)
            let missing = try await concepts.missing(of: spec, tenant: owner)
            answer.warn(of: missing + proxies.warnings)
            let problems = (answer.problems ?? []) + proxies.problems
            guard problems.isEmpty, let figures = answer.figures else { throw Problems(problems) }
            return APIRoutes.json(figures.adding("worker", .string(answer.worker)))
        } catch let problems as Problems {
            let list = try await site.named(problems, for: owner)
            return APIRoutes.json(["problems": try JSONValue(list)], status: .unprocessableContent)
        } catch let refusal as EstimateQuestions.Refusal {
            return APIRoutes.json(["error": .string(refusal.description)], status: .serviceUnavailable)
        }
    }
}
