import Broker
import Foundation
import Hashing
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Deliveries become jobs or rejections. A delivery is acknowledged only once PostgreSQL has committed what became of
/// it; while PostgreSQL or the disk is away nothing is consumed, for each delivery that comes to nothing counts towards
/// the queue's limit, and what was delivered before goes back to the broker after a while.
///
/// Many share a transaction. What was delivered before, and what was in a transaction that failed though PostgreSQL is
/// there, goes through one at a time and over a connection of its own: a message that cannot be stored now takes no
/// other with it, and nobody waits for it.
package struct Intake: Service {
    let consumer: Consumer
    let store: Store
    let doubtfulStore: Store
    let artifacts: ArtifactDirectory
    let shared: SharedFolder
    let reader: MessageReader
    let models: ModelRegistry
    let inspector: Inspector
    let limits: HostLimits
    let room: WorkspaceRoom
    let condition: ServiceHealth
    let logger: Logger
    /// Says which kinds of job wait now: sooner than the notification does.
    let accepted: @Sendable (Set<JobKind>) -> Void

    /// As many messages go into one transaction.
    static let batch = 64
    /// As many bytes of bodies are held at a time, or one message.
    static let heldBytes = 256 << 20
    /// As much is logged of what is wrong with a message, in Unicode scalars.
    private static let logged = 4000
    /// How long deliveries are kept while a server is away; then another daemon may have better luck with them.
    private static let patience: Duration = .seconds(10)

    /// One way in: what waits, the connection it goes over, and how much shares a transaction.
    private struct Lane {
        let reason: IntakeGate.Reason
        let store: Store
        let most: Int
        let batches = DeliveryBatches()
    }

    /// - Throws: Nothing: what goes wrong is waited for.
    package func run() async throws {
        let fresh = Lane(reason: .fresh, store: store, most: Self.batch)
        let doubtful = Lane(reason: .doubtful, store: doubtfulStore, most: 1)
        let gate = IntakeGate(consumer)
        consumer.start()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    let stage = InspectionStage(
                        consumer: consumer, inspector: inspector, tenants: reader.tenants, store: store,
                        condition: condition)
                    await stage.run { arrival in
                        (arrival.delivery.isRedelivered ? doubtful : fresh).batches.add(arrival)
                    }
                }
                for (lane, other) in [(fresh, doubtful), (doubtful, fresh)] {
                    group.addTask { await serve(lane, beside: other, gate) }
                }
                await begin(gate)
            }
        }
        await consumer.stop()
    }

    /// What has no pictures needs PostgreSQL alone.
    private func begin(_ gate: IntakeGate) async {
        await recover(store, withFolder: false)
        gate.open(.start)
    }

    private func serve(_ lane: Lane, beside other: Lane, _ gate: IntakeGate) async {
        for await _ in lane.batches.arrivals {
            while !Task.isCancelled, case let batch = lane.batches.take(lane.most), !batch.isEmpty {
                await take(batch, lane, beside: other, gate)
            }
            if Task.isCancelled { break }
        }
    }

    /// Takes deliveries, unless PostgreSQL or the shared folder is away for long or the daemon stops: then they are the
    /// broker's again.
    private func take(_ batch: [Arrival], _ lane: Lane, beside other: Lane, _ gate: IntakeGate) async {
        var deliveries = batch[...]
        let start = ContinuousClock.now
        var limit = lane.most
        var backoff = Backoff()
        while !deliveries.isEmpty, !Task.isCancelled {
            do {
                deliveries.removeFirst(try await commit(deliveries.prefix(limit), to: lane.store))
                condition.found(.store)
            } catch let error as StoreError where !error.isTemporary && limit > 1 {
                limit = 1  // one of them is at fault: each alone tells which
            } catch {
                let isFull = (error as? StoreError)?.isOfAFullDisk ?? false
                if let error = error as? StoreError, !isFull, await isThere(lane.store) {
                    // One of these is what it cannot do now; the others are not to suffer for that.
                    await setApart(deliveries.prefix(limit), error, lane, beside: other)
                    deliveries = deliveries.dropFirst(limit)
                    continue
                }
                gate.close(lane.reason)
                note(error)
                try? await Task.sleep(for: backoff.next())
                // Not for a disk that is full, here or PostgreSQL's, which cannot be told to have room again: every
                // time they come back counts.
                let mayPass = error is StoreError || error is SharedFolder.Strange || error is HangingFolder
                if mayPass, !isFull, start.duration(to: .now) > Self.patience {
                    giveBack(deliveries + lane.batches.take(.max) + other.batches.take(.max))
                    deliveries = []
                    await recover(lane.store)
                }
            }
        }
        gate.open(lane.reason)
    }

    private func note(_ error: any Error) {
        if let error = error as? StoreError, !error.isOfAFullDisk {
            condition.lost(.store, error)
        } else {
            logger.error("intake waits", metadata: ["error": "\(sentence(of: error))"])
        }
    }

    private func setApart(
        _ deliveries: ArraySlice<Arrival>, _ error: StoreError, _ lane: Lane, beside other: Lane
    ) async {
        if lane.most > 1 { other.batches.add(deliveries) } else { await putOff(deliveries, lane, error) }
    }

    /// What cannot be stored now though PostgreSQL is there goes behind its neighbours, and after a while back to the
    /// broker, alone: in the end that lays it with the dead letters.
    private func putOff(_ arrivals: ArraySlice<Arrival>, _ lane: Lane, _ error: StoreError) async {
        for arrival in arrivals {
            let delivery = arrival.delivery
            logger.warning(
                "message cannot be stored now",
                metadata: ["message.id": "\(delivery.properties.messageID ?? "")", "error": "\(error)"])
            if delivery.arrival.duration(to: .now) > Self.patience {
                giveBack([arrival])
            } else {
                try? await Task.sleep(for: .milliseconds(200))
                lane.batches.add(arrival)
            }
        }
    }

    private func giveBack(_ arrivals: some Sequence<Arrival>) {
        var count = 0
        for arrival in arrivals {
            arrival.delivery.reject(requeue: true)
            count += 1
        }
        logger.warning("messages given back to the broker", metadata: ["messages.count": "\(count)"])
    }

    private func isThere(_ store: Store) async -> Bool { (try? await store.takesWrites()) == true }

    /// Waits until both are there again.
    private func recover(_ store: Store, withFolder: Bool = true) async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do {
                if withFolder { try await shared.check() }
                guard try await store.takesWrites() else { throw StoreError.unavailable("the database only reads") }
                return condition.found(.store)
            } catch {
                if error is StoreError { condition.lost(.store, error) }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Commits what became of the first deliveries, jobs up to the first rejection in one transaction, or that
    /// rejection; acknowledges them and gives how many they are. Those of which it throws are not acknowledged.
    private func commit(_ arrivals: ArraySlice<Arrival>, to store: Store) async throws -> Int {
        var submissions: [Submission] = []
        var concepts = LearntConcepts(store: store)
        let deliveries = arrivals.map(\.delivery)
        reading: for (arrival, delivery) in zip(arrivals, deliveries) {
            let read = try await read(delivery, store)
            let proxies = try await proxies(of: read, concepts)
            let reading = read.with(arrival.report, proxies.problems, delivery, host: HostIdentity.own)
            switch try await fitting(reading, delivery, store) {
            case .job(let submission, let spec):
                do {
                    submissions.append(try await completed(submission, of: spec, proxies.warnings, &concepts))
                } catch {
                    guard submissions.isEmpty else { break reading }  // those before it have no part in that
                    throw error
                }
            case .rejected(let rejection):
                guard submissions.isEmpty else { break reading }
                if try await answerAgain(delivery, rejection, store) { return 1 }
                var told = rejection
                told.problems = try await concepts.naming(rejection.problems, tenant: rejection.tenant)
                try await refuse(delivery, told, store)
                return 1
            }
        }
        do {
            try await accept(submissions, deliveries, store)
        } catch let error as StoreError where !error.isTemporary && submissions.count == 1 {
            let delivery = deliveries[0]
            let problem = Problem(
                "", found: "a message that PostgreSQL cannot hold: \(error)", allowed: "text without NUL characters")
            try await refuse(delivery, submissions[0].rejection([problem], delivery), store)
        }
        return submissions.count
    }

    /// A submission with what the tables warn of, `further` behind it, and with its pictures in the artifact store.
    private func completed(
        _ submission: Submission, of spec: JobSpec, _ further: [String], _ concepts: inout LearntConcepts
    ) async throws -> Submission {
        var submission = submission
        submission.warnings += try await concepts.missing(of: spec, tenant: submission.tenant) + further
        (submission.spec, submission.pictures) = try await storePictures(of: spec)
        return submission
    }

    /// Makes jobs of submissions, in one transaction, and acknowledges their deliveries, the first ones there are.
    private func accept(_ submissions: [Submission], _ deliveries: [Delivery], _ store: Store) async throws {
        let acceptances = try await store.accept(submissions)
        accepted(Set(submissions.map(\.kind)))
        // All of it is written down before the first is acknowledged: where that fails, all of them come again.
        var isWritten: [Bool] = []
        for (delivery, (submission, acceptance)) in zip(deliveries, zip(submissions, acceptances)) {
            isWritten.append(try await writeConflict(acceptance, of: submission, delivery, store))
        }
        for (index, delivery) in zip(submissions.indices, deliveries) {
            isWritten[index] ? delivery.acknowledge() : delivery.reject(requeue: false)
            note(acceptances[index], of: submissions[index])
        }
    }

    /// Answers a message that made a job before, whatever is wrong with it by now; gives whether it did.
    private func answerAgain(_ delivery: Delivery, _ rejection: Rejection, _ store: Store) async throws -> Bool {
        guard let spec = rejection.row, let job = try await store.answerAgain(rejection, spec: spec) else {
            return false
        }
        delivery.acknowledge()
        logger.info("message repeated", metadata: Self.metadata(job, rejection.messageID ?? "", rejection.kind ?? ""))
        return true
    }

    /// A job that takes more memory than any worker has is none; one that may not fit, or find no room on the disk, is
    /// told so.
    private func fitting(
        _ reading: MessageReader.Reading, _ delivery: Delivery, _ store: Store
    ) async throws -> MessageReader.Reading {
        guard case .job(var submission, let spec) = reading, let (cost, host) = submission.cost else { return reading }
        let memory = try await memory(cost, of: spec, host, store)
        if let problem = memory?.problem { return .rejected(submission.rejection([problem], delivery)) }
        let disk = await room.warning(of: cost)
        submission.warnings += [memory?.warning, disk].compactMap { $0 }
        return .job(submission, spec)
    }

    /// Nil of what fits here however it is corrected, for that is not asked about, and where nobody knows.
    private func memory(
        _ cost: JobCost, of spec: JobSpec, _ host: String, _ store: Store
    ) async throws -> MemoryProblem? {
        guard !MemoryProblem.fitsSurely(cost, into: limits.engineMemoryBytes),
            let largest = try await store.largestMemory(),
            let estimate = try await store.estimate(cost, of: spec, host: host)
        else { return nil }
        return MemoryProblem(estimate, of: cost, largest: largest)
    }

    /// What the tables say of the proxies that a job takes from others.
    private func proxies(
        of reading: MessageReader.Reading, _ concepts: LearntConcepts
    ) async throws -> (problems: [Problem], warnings: [String]) {
        guard case .job(let submission, let spec) = reading else { return ([], []) }
        return try await concepts.proxies(of: spec, tenant: submission.tenant, models: models.choice)
    }

    /// A model that is not known may have come to another worker this moment.
    private func read(_ delivery: Delivery, _ store: Store) async throws -> MessageReader.Reading {
        let reading = reader.read(delivery)
        let places: Set = ["/model", "/options/clip", "/options/dino"]
        guard case .rejected(let rejection) = reading,
            rejection.problems.contains(where: { places.contains($0.pointer) })
        else { return reading }
        try await models.refresh(from: store)
        return reader.read(delivery)
    }

    private static func problem(usedBy job: UUID, differences: [String], _ messageID: String) -> Problem {
        let places = differences.map { $0.isEmpty ? "the whole body" : $0 }.joined(separator: ", ")
        return Problem(
            "property:message_id",
            found: """
                \(JSONValue.string(messageID).brief), the id of job \(job.uuidString.lowercased()) with another body: \
                \(places) \(differences.count == 1 ? "differs" : "differ")
                """,
            allowed: "the same body again, or a new id")
    }

    /// Acknowledges a delivery once its rejection is written down. Where PostgreSQL will never take that, neither a job
    /// nor a rejection can be made of it: the broker keeps it with the dead letters.
    private func refuse(_ delivery: Delivery, _ rejection: Rejection, _ store: Store) async throws {
        try await write(rejection, store) ? delivery.acknowledge() : delivery.reject(requeue: false)
    }

    /// Writes down that a message's id was used with another body; gives false where PostgreSQL will never take that.
    private func writeConflict(
        _ acceptance: Acceptance, of submission: Submission, _ delivery: Delivery, _ store: Store
    ) async throws -> Bool {
        guard case .conflict(let job, let differences) = acceptance else { return true }
        let problem = Self.problem(usedBy: job, differences: differences, submission.messageID)
        return try await write(submission.rejection([problem], delivery), store)
    }

    /// Writes down a rejection; gives false where PostgreSQL will never take it. All its problems are in the tables:
    /// the log has as many as a line holds.
    private func write(_ rejection: Rejection, _ store: Store) async throws -> Bool {
        do {
            try await store.reject(rejection)
            let problems = rejection.problems.bounded.map(\.description).joined(separator: "; ")
            logger.notice(
                "message rejected",
                metadata: [
                    "message.id": "\(rejection.messageID ?? "")", "problems": "\(problems.clipped(to: Self.logged))",
                ])
            return true
        } catch let error as StoreError where !error.isTemporary {
            logger.error(
                "message refused by the store",
                metadata: ["message.id": "\(rejection.messageID ?? "")", "error": "\(error)"])
            return false
        }
    }

    private func note(_ acceptance: Acceptance, of submission: Submission) {
        let name: Logger.Message
        switch acceptance {
        case .accepted: name = "job accepted"
        case .duplicate: name = "message repeated"
        case .conflict: return  // the rejection was noted
        }
        logger.log(
            level: submission.kind == .probe ? .debug : .info, name,
            metadata: Self.metadata(acceptance.job, submission.messageID, submission.kind.rawValue))
    }

    private static func metadata(_ job: UUID, _ messageID: String, _ kind: String) -> Logger.Metadata {
        ["job.id": "\(job.uuidString.lowercased())", "message.id": "\(messageID)", "job.kind": "\(kind)"]
    }

    /// Moves the pictures of the message into the artifact store; the row refers to them. Gives the row's body, and
    /// those that were in the message.
    private func storePictures(of spec: JobSpec) async throws -> (JSONValue, [SHA256Digest]) {
        guard !spec.images.isEmpty else { return (spec.json, []) }
        try await shared.check()
        let artifacts = artifacts
        let (images, stored) = try await runBlocking {
            var stored: [SHA256Digest] = []
            let images = try spec.images.map { image in
                guard case .data(let data) = image.content else { return image }
                stored.append(try artifacts.put(data))
                return ImageSource(.artifact(stored[stored.count - 1].description), crop: image.crop)
            }
            return (images, stored)
        }
        return (spec.with(images: images).json, stored)
    }
}
