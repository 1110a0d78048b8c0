import Foundation

/// What a daemon answers who asks what a job would take. One whose host cannot tell, for it lacks the model or was not
/// measured, answers with neither problems nor an estimate.
package struct EstimateAnswer: Sendable, Equatable, JSONLine {
    /// The daemon.
    package var worker: String
    /// Why it is no job.
    package var problems: [Problem]?
    /// What its sender should know, though it can be done.
    package var warnings: [String]?
    /// On the daemon's host; nil where it cannot tell.
    package var estimate: JobEstimate?
    /// Whether a worker that lives or left within a day has the memory for it; nil where one does not say what it has.
    package var fits: Bool?
    /// The most that an engine may take of any worker.
    package var largestMemoryBytes: Int?
    /// Smaller forms of the job that fit, where it does not itself.
    package var alternatives: [JobCost.Alternative]?

    /// An answer of a daemon that cannot tell, or does not yet.
    package init(worker: String) { self.worker = worker }

    /// Adds to what its sender should know.
    package mutating func warn(of more: [String]) { warnings = (warnings ?? []) + more }

    /// Whether nobody else needs to be waited for.
    package var isFinal: Bool { problems != nil || estimate != nil }

    /// The figures as programs are told them, in one object; nil where there are none.
    package var figures: JSONValue? {
        guard let estimate else { return nil }
        let smaller = (alternatives ?? []).map { form -> JSONValue in
            ["change": .string(form.change), "memory_bytes": .integer(form.memoryBytes)]
        }
        let figures: [String: JSONValue] = [
            "seconds": .number(estimate.seconds), "memory_bytes": .integer(estimate.memoryBytes),
            "disk_bytes": .integer(estimate.diskBytes), "jobs": estimate.jobs.map(JSONValue.integer) ?? .null,
            "fits": fits.map(JSONValue.bool) ?? .null,
            "largest_memory_bytes": largestMemoryBytes.map(JSONValue.integer) ?? .null,
            "alternatives": .array(smaller), "warnings": .array((warnings ?? []).map(JSONValue.string)),
        ]
        return .object(figures)
    }

    private enum CodingKeys: String, CodingKey {
        case worker, problems, warnings, estimate, fits, alternatives
        case largestMemoryBytes = "largest_memory_bytes"
    }
}
