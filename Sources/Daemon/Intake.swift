import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Deliveries become jobs or rejections. A delivery is acknowledged only once PostgreSQL has committed what became of it; while
/// PostgreSQL or the disk is away the consumer pauses, and the messages stay with the broker.
package struct Intake: Service {
    let consumer: Consumer
    let store: Store
    let artifacts: ArtifactDirectory
    let reader: MessageReader
    let condition: DaemonCondition
    let logger: Logger

    package func run() async throws {
        consumer.start()
        await cancelWhenGracefulShutdown {
            for await delivery in consumer.deliveries {
                await take(delivery)
                if Task.isCancelled { break }
            }
        }
        await consumer.stop()
    }

    /// Takes one delivery, however long PostgreSQL is away, unless the daemon stops: then it is the broker's again.
    private func take(_ delivery: Delivery) async {
        var backoff = Backoff()
        var isPaused = false
        while !Task.isCancelled {
            do {
                try await commit(delivery)
                delivery.acknowledge()
                condition.found(.store)
                break
            } catch let error as StoreError where !error.isTemporary {
                // Neither a job nor a rejection can be made of it: the broker keeps it with the dead letters.
                logger.error("message refused by the store", metadata: ["message.id": "\(delivery.properties.messageID ?? "")", "error": "\(error)"])
                delivery.reject(requeue: false)
                break
            } catch {
                if error is StoreError { condition.lost(.store, error) } else { logger.error("intake waits", metadata: ["error": "\(error)"]) }
                if !isPaused { consumer.pause() }
                isPaused = true
                try? await Task.sleep(for: backoff.next())
            }
        }
        if isPaused { consumer.resume() }
    }

    private func commit(_ delivery: Delivery) async throws {
        switch reader.read(delivery) {
        case .job(var submission, let request):
            submission.spec = try await storePictures(of: request)
            do { try await accept(submission) } catch let error as StoreError where !error.isTemporary {
                let problem = Problem("", found: "a message that PostgreSQL cannot hold: \(error)", allowed: "text without NUL characters")
                try await store.reject(
                    Rejection(tenant: submission.tenant, messageID: submission.messageID, kind: submission.kind.rawValue, problems: [problem],
                        body: Data(delivery.body), replyTo: submission.replyTo, correlationID: submission.correlationID))
            }
        case .rejected(let rejection):
            try await store.reject(rejection)
            logger.notice(
                "message rejected",
                metadata: ["message.id": "\(rejection.messageID ?? "")", "problems": "\(rejection.problems.map(\.description).joined(separator: "; "))"])
        }
    }

    private func accept(_ submission: Submission) async throws {
        let acceptance = try await store.accept(submission)
        let name = if case .accepted = acceptance { "job accepted" } else { "message repeated" }
        logger.info("\(name)", metadata: ["job.id": "\(acceptance.job.uuidString.lowercased())", "message.id": "\(submission.messageID)", "job.kind": "\(submission.kind.rawValue)"])
    }

    /// Moves the pictures of the message into the artifact store; the row only refers to them.
    private func storePictures(of request: JobRequest) async throws -> JSONValue {
        guard case .object(var members) = request.body, !request.images.isEmpty else { return request.body }
        let artifacts = artifacts
        let references = try await offPool {
            try request.images.map { image -> JSONValue in
                switch image {
                case .png(let data): .object(["artifact": .string(try artifacts.put(data).prefixed)])
                case .artifact(let digest): .object(["artifact": .string("sha256:" + digest)])
                }
            }
        }
        members["images"] = .array(references)
        return .object(members)
    }
}
