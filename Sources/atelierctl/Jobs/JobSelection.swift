import ArgumentParser
import Foundation
import Jobs
import Store

/// What `jobs retry`, `cancel` and the like do to every job that is meant.
struct JobSelection {
    let server: ServerOptions
    let choice: JobsCommand.FilterOptions
    let consent: Consent
    /// What stands in a question: `retry`.
    let verb: String
    /// What stands in an answer: `retried`.
    let participle: String
    /// The states in which it can be done.
    let fits: (Store) async throws -> [JobState]
    /// Looks closer at jobs in those states; by default it can be done to each.
    var inspect: (Store, [UUID]) async throws -> [UUID: Finding] = { _, _ in [:] }

    /// What a closer look at a job found.
    enum Finding {
        /// It can be done, and what that would be: added to the job's JSON, and said in words.
        case fits([String: JSONValue], words: String)
        /// It cannot, and why; said of jobs that were not named too where it is `worthSaying`.
        case unfit(String, worthSaying: Bool)
    }

    /// As many of a long list are shown before the question.
    private static let shown = 50
    /// As many are read at once.
    private static let page = 1000

    /// Finds the jobs, all of them, shows them, asks, and applies `action` to each.
    /// - Parameters:
    ///   - ids: which; those that the filter means where none is given.
    ///   - action: gives the job's state afterwards, or nil where it was changed meanwhile.
    func apply(_ ids: [String], _ action: (Store, UUID) async throws -> String?) async throws {
        try await reporting {
            let store = try server.store()
            var chosen: [UUID] = []
            for id in ids { chosen.append(try await job(id, in: store)) }
            let candidates = try await fitting(chosen, in: store, fits(store))
            let jobs = try await inspected(candidates, chosen, in: store)
            guard !jobs.isEmpty else { throw ExitStatus.notFound }
            if consent.dryRun { return server.json ? print(JSONValue.array(jobs).text) : printTable(of: jobs) }
            if !consent.yes && !server.json { show(jobs) }
            try consent.confirm("\(verb) \(counted(jobs.count, "job"))")
            try await apply(action, to: jobs, in: store)
        }
    }

    private func show(_ jobs: [JSONValue]) {
        printTable(of: Array(jobs.prefix(Self.shown)))
        if jobs.count > Self.shown { print("and \(jobs.count - Self.shown) more; --dry-run shows all") }
    }

    private func apply(
        _ action: (Store, UUID) async throws -> String?, to jobs: [JSONValue], in store: Store
    ) async throws {
        var results: [JSONValue] = []
        var untouched = 0
        for job in jobs {
            guard let id = job["job"]?.string, let number = UUID(uuidString: id) else { continue }
            let state = try await action(store, number)
            if state == nil { untouched += 1 }
            results.append(.object(["job": .string(id), "state": state.map(JSONValue.string) ?? .null]))
            if !server.json { print("\(id)  \(state ?? "changed meanwhile; not touched")") }
        }
        if server.json { print(JSONValue.array(results).text) }
        guard results.count > 1 else { return }
        let rest = untouched == 0 ? "" : "; \(untouched) changed meanwhile: not touched"
        Terminal.note("\(participle) \(counted(results.count - untouched, "job"))\(rest)")
    }

    /// Those of the jobs that a closer look leaves, with what it found; says what it would be, and why not.
    private func inspected(
        _ jobs: [JSONValue], _ chosen: [UUID], in store: Store
    ) async throws -> [JSONValue] {
        var left: [JSONValue] = []
        var (fit, unfit, needless): ([String: Int], [String: Int], [String: Int]) = ([:], [:], [:])
        for start in stride(from: 0, to: jobs.count, by: Self.page) {
            let page = jobs[start..<min(start + Self.page, jobs.count)]
            let ids = page.compactMap { $0["job"]?.string.flatMap(UUID.init(uuidString:)) }
            let findings = try await inspect(store, ids)
            for (job, id) in zip(page, ids) {
                switch findings[id] {
                case .unfit(let reason, _) where !chosen.isEmpty:
                    noteUnfit(id.uuidString.lowercased(), reason)
                case .unfit(let reason, worthSaying: true): unfit[reason, default: 0] += 1
                case .unfit(let reason, worthSaying: false): needless[reason, default: 0] += 1
                case .fits(let members, let words):
                    fit[words, default: 0] += 1
                    left.append(members.reduce(job) { $0.adding($1.key, $1.value) })
                case nil: left.append(job)
                }
            }
        }
        for (words, count) in fit.sorted(by: { $0.key < $1.key }) {
            Terminal.note("\(counted(count, "job")): \(printable(words))")
        }
        // Where nothing is left to do somebody wants to know why.
        if left.isEmpty { unfit.merge(needless) { $1 } }
        for (reason, count) in unfit.sorted(by: { $0.key < $1.key }) {
            noteUnfit(counted(count, "job"), reason)
        }
        return left
    }

    /// The jobs it can be done to by their states; says of each that was named why not.
    private func fitting(
        _ chosen: [UUID], in store: Store, _ states: [JobState]
    ) async throws -> [JSONValue] {
        var filter = try choice.filter(ids: chosen, limit: Self.page)
        guard filter.isNarrow else {
            throw ValidationError("say which jobs: ids, or --state, --kind, --tenant, --model, --error, --since")
        }
        var fitting: [JSONValue] = []
        var unfit: [String: Int] = [:]
        var unseen = Set(chosen)
        while true {
            let page = try await store.jobs(filter)
            for job in page {
                let state = job["state"]?.string ?? ""
                if let id = job["job"]?.string.flatMap(UUID.init(uuidString:)) { unseen.remove(id) }
                if JobState(rawValue: state).map(states.contains) ?? false {
                    fitting.append(job)
                } else if chosen.isEmpty {
                    unfit[state, default: 0] += 1
                } else {
                    noteUnfit(job["job"]?.string ?? "", "it is \(state)")
                }
            }
            guard page.count == Self.page, let last = page.last?["job"]?.string else { break }
            filter.after = UUID(uuidString: last)
        }
        for id in chosen where unseen.contains(id) {
            Terminal.note("atelierctl: \(id.uuidString.lowercased()) is left out by what else was asked for")
        }
        if chosen.isEmpty, fitting.isEmpty { noteAbsence(unfit) }
        return fitting
    }

    /// Says why a filter left no job, by the states of those it meant.
    private func noteAbsence(_ unfit: [String: Int]) {
        if unfit.isEmpty { Terminal.note("atelierctl: no such job") }
        for (state, count) in unfit.sorted(by: { $0.key < $1.key }) {
            noteUnfit(counted(count, "job"), "\(count == 1 ? "it is" : "they are") \(state)")
        }
    }

    /// Says of a job, by its id, or of several, by their number, why it cannot be done.
    private func noteUnfit(_ jobs: String, _ reason: String) {
        Terminal.note("atelierctl: \(jobs) cannot be \(participle): \(printable(reason))")
    }
}
