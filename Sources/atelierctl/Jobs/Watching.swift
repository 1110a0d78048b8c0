import Daemon
import Foundation
import Jobs
import Store

/// Follows a job until it is final: first what its acceptance warned of, and whether it is held back, then a bar on a
/// terminal, otherwise a line whenever state or stage change.
struct Watching {
    let store: Store
    let json: Bool

    /// Ends with 0 only if the job completed.
    func watch(_ id: UUID) async throws {
        var filter = JobFilter()
        filter.ids = [id]
        let found: JSONValue? = try await json ? nil : patiently { try await store.job(id) }
        let told = JobWarnings.acceptance(of: found)
        for warning in told { Terminal.note("warning: " + printable(warning)) }
        if let found, try await patiently({ try await store.holdsBack(found) }) {
            Terminal.note("it waits for " + JobDescription.paused)
        }
        var last = ""
        while true {
            guard let job = try await patiently({ try await store.jobs(filter).first }) else {
                Terminal.note("atelierctl: there is no job \(id.uuidString.lowercased())")
                throw ExitStatus.notFound
            }
            let state = job.jobState ?? .available
            show(job, state, &last)
            if state.isFinal { return try await end(id, job, state, told: told) }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private func show(_ job: JSONValue, _ state: JobState, _ last: inout String) {
        let stage = job["stage"]?.string ?? ""
        let step = job["step"]?.integer ?? 0
        let steps = job["steps"]?.integer ?? 0
        let reason = state == .retryable ? job["error_message"]?.string ?? "" : ""
        if isatty(2) == 1 && !json {
            let bar = steps > 0 ? Terminal.bar(Double(step) / Double(steps), stage: stage, step: step, of: steps) : ""
            return Terminal.redraw("\(state.rawValue)  \(bar)\(printable(reason))")
        }
        let line = "\(state.rawValue) \(stage)\(reason)"
        if line != last {
            json ? print(job.text) : Terminal.note(printable("\(line) \(steps > 0 ? "\(step)/\(steps)" : "")"))
        }
        last = line
    }

    private func end(_ id: UUID, _ job: JSONValue, _ state: JobState, told: [String]) async throws {
        if !json {
            let reason = [job["error_code"]?.string, job["error_message"]?.string, job["cancel_reason"]?.string]
                .compactMap { $0 }.joined(separator: ": ")
            print("\(job["job"]?.string ?? "")  \(state.rawValue)\(reason.isEmpty ? "" : "  " + printable(reason))")
            let result = try await store.job(id)?["result"]
            for warning in JobWarnings.further(in: result, told: told) { print("warning: " + printable(warning)) }
            ScoreTable(of: result).show()
        }
        if state != .completed { throw ExitStatus.jobFailed }
    }
}
