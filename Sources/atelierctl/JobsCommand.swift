import ArgumentParser
import Daemon
import Foundation
import Jobs
import Store

extension JobState: ExpressibleByArgument {}
extension JobKind: ExpressibleByArgument {}

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at jobs, retry and cancel them.",
        subcommands: [List.self, Show.self, Watch.self, Retry.self, Cancel.self], defaultSubcommand: List.self)

    /// Which jobs: by state, kind, tenant, error and age.
    struct FilterOptions: ParsableArguments {
        @Option(help: "Only jobs in this state.") var state: JobState?
        @Option(help: "Only jobs of this kind.") var kind: JobKind?
        @Option(help: "Only this tenant's jobs.") var tenant: String?
        @Option(help: "Only jobs with this error code, like engine.crash.") var error: String?
        @Option(help: "Only jobs created within this time: 90s, 30m, 1h, 2d.") var since: String?

        func filter(ids: [UUID] = [], limit: Int) throws -> JobFilter {
            var filter = JobFilter()
            (filter.ids, filter.state, filter.kind, filter.tenant, filter.errorCode, filter.limit) = (
                ids, state, kind, tenant, error, limit
            )
            if let since {
                let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
                guard let unit = since.last.flatMap({ units[$0] }), let count = Double(since.dropLast()), count >= 0
                else {
                    throw ValidationError("--since \(since): allowed are a number and s, m, h or d, like 30m")
                }
                filter.since = Date.now.addingTimeInterval(-count * unit)
            }
            return filter
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List jobs, newest first.")
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @Option(help: "At most as many.") var limit = 50

        func run() async throws {
            let filter = try choice.filter(limit: limit)
            let jobs = try await reporting { try await server.store().jobs(filter) }
            if server.json { return print(JSONValue.array(jobs).text) }
            printTable(of: jobs)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything about one job: attempts with their errors, artifacts, checkpoints.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id, its beginning, or the message id.") var id: String

        func run() async throws {
            try await reporting {
                let store = try server.store()
                guard let found = try await store.job(try await job(id, in: store)) else {
                    Terminal.note("atelierctl: there is no job \(printable(id))")
                    throw ExitStatus.notFound
                }
                server.json ? print(found.text) : JobDescription(job: found).show()
            }
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow a job until it ends; 0 if it completes, 1 if not.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id, its beginning, or the message id.") var id: String

        func run() async throws {
            try await reporting {
                let store = try server.store()
                try await Watching(store: store, json: server.json).watch(try await job(id, in: store))
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Try discarded, cancelled or waiting jobs again now, from their last checkpoint; a cancelled one has \
                none.
                """,
            discussion: "Jobs by id, or by filter. Shows what it will touch and asks; --yes for scripts.")
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @OptionGroup var consent: Consent
        @Argument(help: "Ids, their beginnings, or message ids.") var ids: [String] = []
        @Flag(help: "Forget the checkpoints.") var fromScratch = false

        func run() async throws {
            try await applyToSelectedJobs(
                server, choice, consent, ids, verb: "retry", participle: "retried",
                fits: { [.discarded, .cancelled, .retryable].contains($0) },
                apply: { store, id in try await store.retry(id, fromScratch: fromScratch) ? "available" : nil })
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel jobs: waiting ones at once, running ones as soon as their engine has stopped.")
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @OptionGroup var consent: Consent
        @Argument(help: "Ids, their beginnings, or message ids.") var ids: [String] = []
        @Option(help: "Why.") var reason: String?

        func run() async throws {
            try await applyToSelectedJobs(
                server, choice, consent, ids, verb: "cancel", participle: "cancelled", fits: { !$0.isFinal },
                apply: { store, id in
                    try await store.cancel(id, reason: reason).map { $0 == .running ? "stopping" : $0.rawValue }
                })
        }
    }
}

/// Finds the jobs that are meant, shows them, asks, and does it to each.
private func applyToSelectedJobs(
    _ server: ServerOptions, _ choice: JobsCommand.FilterOptions, _ consent: Consent, _ ids: [String], verb: String,
    participle: String, fits isFit: (JobState) -> Bool, apply: (Store, UUID) async throws -> String?
) async throws {
    func fits(_ job: JSONValue) -> Bool { job["state"]?.string.flatMap(JobState.init(rawValue:)).map(isFit) ?? false }
    try await reporting {
        let store = try server.store()
        var chosen: [UUID] = []
        for id in ids { chosen.append(try await job(id, in: store)) }
        let filter = try choice.filter(ids: chosen, limit: 10_000)
        guard filter.isNarrow else {
            throw ValidationError("say which jobs: ids, or --state, --kind, --tenant, --error, --since")
        }
        let found = try await store.jobs(filter)
        let jobs = found.filter(fits)
        for job in found where !chosen.isEmpty && !fits(job) {
            Terminal.note(
                "atelierctl: \(job["job"]?.string ?? "") cannot be \(participle): it is \(job["state"]?.string ?? "")")
        }
        guard !jobs.isEmpty else {
            if chosen.isEmpty { Terminal.note("atelierctl: no such job") }
            throw ExitStatus.notFound
        }
        if consent.dryRun { return server.json ? print(JSONValue.array(jobs).text) : printTable(of: jobs) }
        if !consent.yes && !server.json { printTable(of: jobs) }
        try consent.confirm("\(verb) \(counted(jobs.count, "job"))")
        var results: [JSONValue] = []
        for job in jobs {
            guard let id = job["job"]?.string.flatMap(UUID.init(uuidString:)) else { continue }
            let state = try await apply(store, id)
            results.append(
                .object(["job": .string(id.uuidString.lowercased()), "state": state.map(JSONValue.string) ?? .null]))
            if !server.json { print("\(id.uuidString.lowercased())  \(state ?? "changed meanwhile; not touched")") }
        }
        if server.json { print(JSONValue.array(results).text) }
    }
}

/// The table of `jobs list`.
private func printTable(of jobs: [JSONValue]) {
    var table = Table("JOB", "KIND", "CONCEPT", "STATE", "STAGE", ">STEP", ">TRY", ">SECONDS", "TENANT", "ERROR")
    for job in jobs {
        let step = job["steps"]?.integer.map { "\(job["step"]?.integer ?? 0)/\($0)" } ?? ""
        table.append(
            job["job"]?.string ?? "", job["kind"]?.string ?? "", job["concept"]?.string ?? "",
            job["state"]?.string ?? "", job["stage"]?.string ?? "", step,
            String(job["attempt"]?.integer ?? 0), job["seconds"]?.text ?? "", job["tenant"]?.string ?? "",
            job["error_code"]?.string ?? "")
    }
    for line in table.lines() { print(line) }
}
