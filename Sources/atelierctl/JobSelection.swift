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
            let jobs = try await fitting(chosen, in: store, fits(store))
            guard !jobs.isEmpty else {
                if chosen.isEmpty { Terminal.note("atelierctl: no such job") }
                throw ExitStatus.notFound
            }
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
        let rest = untouched == 0 ? "" : "; \(untouched) changed meanwhile and were not touched"
        Terminal.note("\(participle) \(counted(results.count - untouched, "job"))\(rest)")
    }

    /// The jobs it can be done to; says of each that was named why not.
    private func fitting(
        _ chosen: [UUID], in store: Store, _ states: [JobState]
    ) async throws -> [JSONValue] {
        var filter = try choice.filter(ids: chosen, limit: Self.page)
        guard filter.isNarrow else {
            throw ValidationError("say which jobs: ids, or --state, --kind, --tenant, --error, --since")
        }
        var fitting: [JSONValue] = []
        while true {
            let page = try await store.jobs(filter)
            for job in page {
                let state = job["state"]?.string ?? ""
                if JobState(rawValue: state).map(states.contains) ?? false {
                    fitting.append(job)
                } else if !chosen.isEmpty {
                    Terminal.note("atelierctl: \(job["job"]?.string ?? "") cannot be \(participle): it is \(state)")
                }
            }
            guard page.count == Self.page, let last = page.last?["job"]?.string else { return fitting }
            filter.after = UUID(uuidString: last)
        }
    }
}
