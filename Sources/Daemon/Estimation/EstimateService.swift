import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// What somebody asks over the exchange of control: what would that job take?
struct EstimateQuestion: Sendable {
    /// Its body; or why none was read.
    let job: Result<JSONValue, Problems>
    /// Whose concepts are meant; nil where the asker looks at them itself.
    let tenant: String?
    /// What the asker says of their adapters.
    let adapters: [String: InspectionOrder.Adapter]
    /// The queue its answer goes to, which is the asker's.
    let replyTo: String
    let correlationID: String?
    let asked: ContinuousClock.Instant
}

/// Answers who asks what a job would take. Every daemon is asked, for each host has its own models and speed; the
/// engine that looks into messages counts, one question after the other and between two messages.
struct EstimateService: Service {
    /// As many questions wait at a time; further ones get no answer.
    static let most = 32
    /// Nobody waits longer for an answer.
    static let patience: Duration = .seconds(10)

    let questions: AsyncStream<EstimateQuestion>
    let publisher: Publisher
    let store: Store
    let models: ModelRegistry
    let inspector: Inspector
    let room: WorkspaceRoom
    let name: String
    let logger: Logger

    func run() async throws {
        publisher.start()
        await cancelWhenGracefulShutdown {
            for await question in questions where question.asked.duration(to: .now) < Self.patience {
                await send(await answer(to: question), to: question)
                if Task.isCancelled { break }
            }
        }
        await publisher.stop()
    }

    private func send(_ answer: EstimateAnswer, to question: EstimateQuestion) async {
        let message = OutgoingMessage(
            exchange: "", routingKey: question.replyTo,
            properties: MessageProperties(
                contentType: "application/json", type: "atelier.estimate.v1", correlationID: question.correlationID,
                durability: .transient), body: Array(answer.line))
        let outcome = await publisher.publish(message, within: .seconds(5))
        if !outcome.isConfirmed {
            logger.debug("an estimate reached nobody", metadata: ["queue": "\(question.replyTo)"])
        }
    }

    /// What is known of a job; nothing where PostgreSQL is away, or the engine does not answer.
    private func answer(to question: EstimateQuestion) async -> EstimateAnswer {
        var answer = EstimateAnswer(worker: name)
        var concepts = LearntConcepts(store: store)
        do {
            let choice = models.choice
            let spec = try JobSpec(question.job.get(), models: choice)
            var (adapters, proxies) = (question.adapters, (problems: [Problem](), warnings: [String]()))
            if let tenant = question.tenant {
                adapters = try await concepts.adapters(of: spec, tenant: tenant)
                proxies = try await concepts.proxies(of: spec, tenant: tenant, models: choice)
            }
            try await estimate(spec, adapters, besides: proxies.problems, &answer)
            if let tenant = question.tenant, answer.isFinal {
                let missing = try await concepts.missing(of: spec, tenant: tenant)
                answer.warn(of: missing + proxies.warnings)
            }
        } catch let problems as Problems {
            var list = problems.list
            // Where PostgreSQL is away they stay as they are.
            if let tenant = question.tenant, let named = try? await concepts.naming(list, tenant: tenant) {
                list = named
            }
            answer.problems = list.bounded
        } catch {
            logger.warning("an estimate could not be told", metadata: ["error": "\(error)"])
        }
        return answer
    }

    /// - Parameter stored: what the tables hold against the job.
    private func estimate(
        _ spec: JobSpec, _ adapters: [String: InspectionOrder.Adapter], besides stored: [Problem],
        _ answer: inout EstimateAnswer
    ) async throws {
        guard spec.kind.needsEngine else { throw Problems([.takesNoEngine(spec.kind)]) }
        guard var order = InspectionOrder(message: spec.withoutPictures.json.line) else { return }
        order.adapters = adapters
        let report = await inspector.inspect(order)
        let problems = (report?.problems ?? []) + stored
        guard problems.isEmpty else { throw Problems(problems) }
        answer.warnings = report?.warnings
        if let reason = report?.uncounted {
            logger.warning("an estimate could not be told", metadata: ["error": "\(reason)"])
        }
        guard let cost = report?.cost,
            let estimate = try await store.estimate(cost, of: spec, host: HostIdentity.own)
        else { return }
        answer.estimate = estimate
        if let warning = await room.warning(of: cost) { answer.warn(of: [warning]) }
        guard let largest = try await store.largestMemory() else { return }
        answer.compare(with: MemoryProblem(estimate, of: cost, largest: largest))
    }
}

extension Problem {
    fileprivate static func takesNoEngine(_ kind: JobKind) -> Problem {
        let kinds = JobKind.allCases.filter(\.needsEngine).map(\.rawValue).joined(separator: ", ")
        return Problem("/kind", found: "\(kind.rawValue), which takes nothing", allowed: kinds)
    }
}
