import Jobs

/// What an engine said last about its attempt, if it said anything.
package enum FinalEvent: Sendable, Equatable {
    /// The job is done, with this result.
    case done(EngineEvent.Done)
    /// It stopped where it was asked to, behind a checkpoint where there was work to save.
    case interrupted
    /// It failed, and says why and what follows.
    case failed(EngineEvent.Failed)
}

/// Why the daemon stopped an engine.
package enum StopReason: Sendable, Equatable {
    /// Somebody cancelled the job.
    case cancelled
    /// The daemon is on its way out.
    case draining
    /// Another worker owns the job now.
    case lostClaim
    /// It held more memory than allowed.
    case memory(limitMiB: Int)
    /// It said nothing for so long.
    case silence(seconds: Int)
    /// What it said cannot be understood, or named a file that is not there.
    case protocolViolation(String)
    /// The state folder or a server failed under it.
    case unavailable(String)
}

/// How an attempt ends: decided from what was said, what was asked and how the process ended, without any I/O.
package enum AttemptEnding: Sendable, Equatable {
    /// The job is done; its artifacts and messages are to be committed.
    case completed(EngineEvent.Done)
    /// The engine's own failure, with its own consequence.
    case failed(EngineEvent.Failed)
    /// The engine ended without a word: costs an attempt.
    case crashed(code: String, message: String)
    /// The machine failed, not the job: costs nothing.
    case interrupted(String)
    /// As somebody asked.
    case cancelled
    /// The job is another worker's: nothing may be written.
    case lost

    /// Decides. A word that was spoken before the engine could see a stop counts; but a job that somebody was told is
    /// cancelled neither fails nor completes.
    package static func decide(reported: FinalEvent?, asked: StopReason?, exit: EngineExit) -> AttemptEnding {
        switch (asked, reported) {
        case (.lostClaim, _): .lost
        case (.protocolViolation(let what), _): .crashed(code: "engine.protocol", message: what)
        case (.unavailable(let what), _): .interrupted(what)
        case (.cancelled, _): .cancelled
        case (_, .done(let done)): .completed(done)
        case (_, .failed(let failed)): .failed(failed)
        case (.draining, .interrupted): .interrupted("the daemon is stopping; the engine stopped in time")
        case (.draining, nil): .interrupted("the daemon is stopping; the engine did not answer in time")
        case (.memory(let limit), _):
            .crashed(code: "engine.memory", message: "the engine needs more than the \(limit) MiB it may take")
        case (.silence(let seconds), _):
            .crashed(code: "engine.hang", message: "the engine said nothing for the \(seconds) s it may")
        case (nil, .interrupted):
            .crashed(code: "engine.interrupted", message: "somebody else asked the engine to stop")
        case (nil, nil): .crashed(code: "engine.crash", message: "the engine ended without a result: \(exit.phrase)")
        }
    }
}

extension AttemptEnding: CustomStringConvertible {
    /// As the log has it: what a job comes to, and why it failed, is written down elsewhere.
    package var description: String {
        switch self {
        case .completed: "completed"
        case .failed(let failed): "failed: \(failed.code)"
        case .crashed(let code, let message): "crashed: \(code): \(message)"
        case .interrupted(let reason): "interrupted: \(reason)"
        case .cancelled: "cancelled"
        case .lost: "lost"
        }
    }
}
