/// What kinds of job there are.
package enum JobKind: String, Sendable, Codable, CaseIterable {
    /// Learn a concept from reference pictures.
    case personalize
    /// Draw pictures with none, one or more concepts.
    case generate
    /// Draw a subject in a style, learnt apart from each other, without training.
    case compose
    /// Measure concepts over a suite of prompts.
    case evaluate
    /// Go the whole way without an engine: for health checks and benchmarks.
    case probe

    /// Whether an engine does the work.
    package var needsEngine: Bool { self != .probe }
}

/// Where a job is in its life: `available → running → completed | discarded | cancelled`, and back through `retryable`.
package enum JobState: String, Sendable, Codable, CaseIterable {
    case available, scheduled, running, retryable, completed, cancelled, discarded

    /// Those in which it waits to be done.
    package static let waiting: [JobState] = [.available, .scheduled, .retryable]
    /// Whether nothing happens to the job any more by itself.
    package var isFinal: Bool { self == .completed || self == .cancelled || self == .discarded }
}

extension JSONValue {
    /// Of a job's row.
    package var jobState: JobState? { self["state"]?.string.flatMap(JobState.init) }

    /// Of a job's row: whether it waits for work to begin, which a pause holds back; probes are answered all the same.
    package var isHeldBackByPause: Bool {
        guard let state = jobState else { return false }
        return JobState.waiting.contains(state) && self["kind"]?.string != JobKind.probe.rawValue
    }
}

/// How an attempt ended.
package enum AttemptOutcome: String, Sendable, Codable, CaseIterable {
    case completed, failed, crashed, interrupted, cancelled
}

/// What follows from an error.
package enum Consequence: String, Sendable, Codable {
    /// The request is bad: never tried again.
    case rejected
    /// Tried again with growing waits, up to the job's limit of attempts.
    case transient
    /// Discarded now.
    case fatal
}
