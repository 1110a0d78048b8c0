import Foundation
import Jobs

/// A job that a worker owns, under the fence of its attempt.
package struct ClaimedJob: Sendable {
    /// The row.
    package let job: UUID
    /// From 1; the fence of everything that is written of it.
    package let attempt: Int
    /// Whether it needs an engine, and which worker does it.
    package let kind: JobKind
    /// Whose it is.
    package let tenant: String
    /// Of the message it was made of.
    package let messageID: String
    /// What is to be done, or what is wrong with a row that is no job any more.
    package let spec: Result<JobSpec, Problems>
    /// What it was to take when it was accepted; nil where nobody could tell.
    package var estimatedSeconds: Double?
}

/// A model that a worker holds.
package struct WorkerModel: Sendable, Equatable {
    /// Its name, and its folder's.
    package let model: String
    /// Of its files, as the catalogue tells it.
    package let digest: String
    /// What it says of itself, for the other daemons; nil where nobody needs that.
    package let description: ModelDescription?

    /// The files of `digest` under the name `model`.
    package init(model: String, digest: String) { (self.model, self.digest, description) = (model, digest, nil) }

    /// A model of a catalogue.
    package init(_ description: ModelDescription) {
        (model, digest, self.description) = (description.name, description.digest, description)
    }
}

/// What a heartbeat tells a worker.
package struct Heartbeat: Sendable {
    /// Whether the worker still counts; false: it was given up and must register anew.
    package let isKnown: Bool
    /// The jobs it owns.
    package let owned: [UUID: Int]
    /// Those of them somebody wants cancelled.
    package let cancelling: [UUID]
}

/// A checkpoint's row.
package struct StoredCheckpoint: Sendable, Equatable {
    /// Steps done.
    package let step: Int
    /// In the folder of checkpoints.
    package let path: String
    /// 64 hexadecimal digits.
    package let sha256: String
}

/// An attempt's end.
package struct AttemptResult: Sendable {
    /// How the attempt ended.
    package var outcome: AttemptOutcome
    /// What becomes of the job, where it failed.
    package var consequence: Consequence
    /// Dotted, lowercase; nil where it did its job.
    package var code: String?
    /// For people.
    package var message: String?
    /// Of the message, where its sender can mend them.
    package var problems: [Problem]?
    /// The kind's own, of a job that is done.
    package var result: JSONValue?
    /// Files that are in the store already.
    package var artifacts: [EngineEvent.Artifact]
    /// The last lines of the engine's log.
    var logTail: String
    /// The most that its engine held at a time.
    package var peakMemoryBytes: Int64?
    var processorSeconds: Double?

    /// Describes an end.
    package init(
        outcome: AttemptOutcome, consequence: Consequence = .transient, code: String? = nil, message: String? = nil,
        problems: [Problem]? = nil,
        result: JSONValue? = nil, artifacts: [EngineEvent.Artifact] = [], logTail: String = "",
        peakMemoryBytes: Int64? = nil,
        processorSeconds: Double? = nil
    ) {
        (self.outcome, self.consequence, self.code, self.message, self.problems) = (
            outcome, consequence, code, message, problems
        )
        (self.result, self.artifacts, self.logTail) = (result, artifacts, logTail)
        (self.peakMemoryBytes, self.processorSeconds) = (peakMemoryBytes, processorSeconds)
    }
}

/// Whether the daemons start new work. A later order has a larger number.
package struct PauseOrder: Sendable, Equatable {
    /// Whether new work is held back.
    package let isPaused: Bool
    /// Counts the orders.
    package let number: Int
    /// Before any order was heard.
    package static let none = PauseOrder(isPaused: false, number: -1)
}

extension Store {
    /// Registers a worker; gives how many jobs of its dead predecessor in the same state folder became free.
    package func register(_ worker: UUID, name: String, host: String, stateDirectory: String, slots: Int) throws -> Int
    {
        let rows = try query(
            "select atelier.register($1::uuid, $2, $3, $4, $5::int, $6::int) as rescued",
            [worker.uuidString, name, host, stateDirectory, String(getpid()), String(slots)])
        return rows.first?["rescued"].flatMap { Int($0) } ?? 0
    }

    /// Says that the worker leaves; what it still owned becomes free.
    package func leave(_ worker: UUID) throws { try query("select atelier.leave($1::uuid)", [worker.uuidString]) }

    /// Says which models a worker holds, instead of what was said before: it claims no job that needs another.
    package func registerModels(_ models: [WorkerModel], of worker: UUID) throws {
        let list = JSONValue.array(
            try models.map { model in
                .object([
                    "model": .string(model.model), "digest": .string(model.digest),
                    "description": try model.description.map { try JSONValue($0) } ?? .null,
                ])
            })
        try query("select atelier.register_models($1::uuid, $2::jsonb)", [worker.uuidString, list.text])
    }

    /// Claims up to `count` jobs of the kinds, nil: of all, that need no model the worker does not hold.
    package func claim(_ worker: UUID, _ count: Int, kinds: [JobKind]? = nil) throws -> [ClaimedJob] {
        try query(
            """
            select id, attempt, kind, tenant, message_id, spec, estimate->>'seconds' as seconds
            from atelier.claim($1::uuid, $2::int, $3::text[])
            """,
            [
                worker.uuidString, String(count),
                kinds.map { Self.list($0.map(\.rawValue)) },
            ]
        )
        .compactMap { row in
            guard let job = row["id"].flatMap(UUID.init(uuidString:)),
                let attempt = row["attempt"].flatMap({ Int($0) }),
                let kind = row["kind"].flatMap(JobKind.init(rawValue:))
            else { return nil }
            return ClaimedJob(
                job: job, attempt: attempt, kind: kind, tenant: row["tenant"] ?? "", messageID: row["message_id"] ?? "",
                spec: Self.spec(row["spec"] ?? "{}"), estimatedSeconds: row["seconds"].flatMap { Double($0) })
        }
    }

    private static func spec(_ json: String) -> Result<JobSpec, Problems> {
        do { return .success(try JobSpec(body: Data(json.utf8), isAccepted: true)) } catch {
            return .failure(error as? Problems ?? Problems([Problem("", found: "\(error)", allowed: "a job")]))
        }
    }

    /// Seconds until the next scheduled or retryable job may be claimed, 0 or less where one is overdue; nil where none
    /// waits.
    package func secondsUntilDue() throws -> Double? {
        try query("select atelier.seconds_until_due() as seconds").first?["seconds"].flatMap { Double($0) }
    }

    /// Whether the cluster is paused, as it stands in the tables.
    package func pauseOrder() throws -> PauseOrder {
        try Self.pauseOrder(query("select paused, changes from atelier.cluster"))
    }

    /// Pauses the cluster or lets it work again, for the daemons to come too. Gives what holds then.
    package func order(paused: Bool) throws -> PauseOrder {
        try Self.pauseOrder(query("select paused, changes from atelier.pause($1::boolean)", [paused ? "t" : "f"]))
    }

    /// The same, so many seconds after it was said: what was written down since, and was not known, stands. Gives
    /// whether it was written down, too.
    package func order(
        paused: Bool, saidBefore seconds: Double, knowing known: PauseOrder
    ) throws -> (order: PauseOrder, isWritten: Bool) {
        let rows = try query(
            "select paused, changes, is_written from atelier.pause($1::boolean, $2::bigint, $3::double precision)",
            [paused ? "t" : "f", String(known.number), String(seconds)])
        return (Self.pauseOrder(rows), rows.first?["is_written"] == "t")
    }

    /// The mark of the folder that artifacts lie in, nil before there is one; the first proposal becomes it.
    package func sharedMark(proposal: UUID?) throws -> UUID? {
        try query("select atelier.shared_mark($1::uuid) as mark", [proposal?.uuidString]).first?["mark"].flatMap(
            UUID.init(uuidString:))
    }

    private static func pauseOrder(_ rows: [Row]) -> PauseOrder {
        PauseOrder(isPaused: rows.first?["paused"] == "t", number: rows.first?["changes"].flatMap { Int($0) } ?? 0)
    }

    /// Beats, and says whether the worker is paused, or by which fault of its host it starts no new work.
    package func beat(_ worker: UUID, isPaused: Bool = false, fault: String? = nil) throws -> Heartbeat {
        let rows = try query(
            "select * from atelier.beat($1::uuid, $2::boolean, $3::text)",
            [worker.uuidString, isPaused ? "t" : "f", fault])
        var owned: [UUID: Int] = [:]
        var cancelling: [UUID] = []
        for row in rows {
            guard let job = row["job"].flatMap(UUID.init(uuidString:)) else { continue }
            owned[job] = row["attempt"].flatMap { Int($0) } ?? 0
            if row["cancelling"] == "t" { cancelling.append(job) }
        }
        return Heartbeat(isKnown: rows.first?["known"] == "t", owned: owned, cancelling: cancelling)
    }

    /// Frees the jobs of workers whose last heartbeat is older than `lease` seconds; gives how many.
    package func rescueExpired(lease: Int) throws -> Int {
        try query("select atelier.rescue_expired($1::double precision) as jobs", [String(lease)]).first?["jobs"].flatMap
        { Int($0) } ?? 0
    }

    /// Discards what waited past its deadline, the most a call may; gives how many.
    package func expire() throws -> Int {
        try query("select atelier.expire() as jobs").first?["jobs"].flatMap { Int($0) } ?? 0
    }

    /// Writes news of an attempt, `memory` being the most bytes its engine was seen to hold. Gives nil when the attempt
    /// does not own its job any more, else whether somebody wants it cancelled.
    package func record(
        _ job: UUID, _ attempt: Int, started: EngineEvent.Started?, progress: EngineEvent.Progress?,
        metrics: [EngineEvent.Metric],
        checkpoint: EngineEvent.Checkpoint?, memory: Int64? = nil
    ) throws -> Bool? {
        let encoder = JSONEncoder()
        // A metric that is not a number (a diverged loss) is left out: JSON has no word for it.
        let finite = metrics.map { EngineEvent.Metric(step: $0.step, values: $0.values.filter(\.value.isFinite)) }
        func text(_ value: (some Encodable)?) throws -> String? {
            try value.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        }
        let rows = try query(
            """
            select owned, cancelling from atelier.record($1::uuid, $2::int, $3::jsonb, $4::jsonb, $5::jsonb, \
            $6::jsonb)
            """,
            [
                job.uuidString, String(attempt), try text(started), Self.text(progress, memory),
                finite.isEmpty ? nil : try text(finite),
                try text(checkpoint),
            ])
        return rows.first?["owned"] == "t" ? rows.first?["cancelling"] == "t" : nil
    }

    private static func text(_ progress: EngineEvent.Progress?, _ memory: Int64?) -> String? {
        var members: [String: JSONValue] = [:]
        if let progress {
            members = [
                "stage": .string(progress.stage), "step": .integer(progress.step), "steps": .integer(progress.steps),
            ]
        }
        if let memory { members["memory"] = .integer(Int(memory)) }
        return members.isEmpty ? nil : clean(JSONValue.object(members).text)
    }

    /// Writes down a picture of what is learnt so far, and tells of it; false where the attempt does not own its job.
    package func recordPreview(_ job: UUID, _ attempt: Int, _ artifact: EngineEvent.Artifact) throws -> Bool {
        let text = Self.clean(String(decoding: try JSONEncoder().encode(artifact), as: UTF8.self))
        return try query(
            "select atelier.record_preview($1::uuid, $2::int, $3::jsonb) as owned",
            [job.uuidString, String(attempt), text]
        ).first?["owned"] == "t"
    }

    /// As much is written down of why an attempt ended, in Unicode scalars.
    private static let longestMessage = 4000

    /// Ends an attempt. Gives the job's state afterwards, or nil when the attempt did not own its job any more.
    package func finish(_ job: UUID, _ attempt: Int, _ end: AttemptResult) throws -> JobState? {
        let encoder = JSONEncoder()
        let problems = try end.problems.map {
            Self.clean(String(decoding: try encoder.encode($0.bounded), as: UTF8.self))
        }
        let artifacts = Self.clean(String(decoding: try encoder.encode(end.artifacts), as: UTF8.self))
        let rows = try query(
            """
            select owned, state from atelier.finish($1::uuid, $2::int, $3, $4, $5, $6, $7::jsonb, $8::jsonb,
                $9::jsonb, $10, $11::bigint,
                $12::double precision)
            """,
            [
                job.uuidString, String(attempt), end.outcome.rawValue, end.consequence.rawValue, end.code?.storable,
                end.message?.clipped(to: Self.longestMessage).storable, problems,
                end.result.map { Self.clean($0.text) }, artifacts, end.logTail.storable,
                end.peakMemoryBytes.map { String($0) },
                end.processorSeconds.map { String($0) },
            ])
        guard rows.first?["owned"] == "t" else { return nil }
        return rows.first?["state"].flatMap(JobState.init(rawValue:))
    }

    /// The job's state, or nil where there is no such job.
    package func state(of job: UUID) throws -> JobState? {
        try query("select state from atelier.jobs where id = $1::uuid", [job.uuidString]).first?["state"].flatMap(
            JobState.init(rawValue:))
    }

    /// The job's checkpoints, newest first.
    package func checkpoints(of job: UUID) throws -> [StoredCheckpoint] {
        try query(
            "select step, path, sha256 from atelier.checkpoints where job = $1::uuid order by attempt desc, step desc",
            [job.uuidString]
        )
        .map {
            StoredCheckpoint(
                step: $0["step"].flatMap { Int($0) } ?? 0, path: $0["path"] ?? "", sha256: $0["sha256"] ?? "")
        }
    }

    /// Notes from where an attempt goes on, unless it was ended meanwhile.
    package func resumed(_ job: UUID, _ attempt: Int, from step: Int) throws {
        try query(
            """
            update atelier.attempts set resumed_from_step = $3::int where job = $1::uuid and attempt = $2::int and \
            ended_at is null
            """,
            [job.uuidString, String(attempt), String(step)])
    }
}
