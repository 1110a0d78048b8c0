import Foundation
import Jobs

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

extension Store {
    /// Writes news of an attempt, `memory` being the most bytes its engine was seen to hold, `artifacts` what there is
    /// before its end. Gives nil when the attempt does not own its job any more, else whether somebody wants it
    /// cancelled.
    package func record(
        _ job: UUID, _ attempt: Int, started: EngineEvent.Started?, progress: EngineEvent.Progress?,
        metrics: [EngineEvent.Metric],
        checkpoint: EngineEvent.Checkpoint?, artifacts: [EngineEvent.Artifact] = [], memory: Int64? = nil
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
            $6::jsonb, $7::jsonb)
            """,
            [
                job.uuidString, String(attempt), try text(started), Self.text(progress, memory),
                finite.isEmpty ? nil : try text(finite),
                try text(checkpoint), artifacts.isEmpty ? nil : try text(artifacts).map(Self.clean),
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
