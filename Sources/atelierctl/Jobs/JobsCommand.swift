import ArgumentParser
import Daemon
import Foundation
import Jobs
import Store

extension JobState: ExpressibleByArgument {}
extension JobKind: ExpressibleByArgument {}

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Look at jobs, retry, rebind, cancel and delete them.",
        subcommands: [List.self, Show.self, Watch.self, Retry.self, Rebind.self, Cancel.self, Delete.self],
        defaultSubcommand: List.self)

    /// Which jobs: by state, kind, tenant, model, error and age.
    struct FilterOptions: ParsableArguments {
        @Option(help: "Only jobs in this state.") var state: JobState?
        @Option(help: "Only jobs of this kind.") var kind: JobKind?
        @Option(help: "Only this tenant's jobs.") var tenant: String?
        @Option(help: "Only jobs of this model.") var model: String?
        @Option(help: "Only jobs with this error code, like engine.crash.") var error: String?
        @Option(help: "Only jobs created within this time: 90s, 30m, 1h, 2d.") var since: String?

        func filter(ids: [UUID] = [], limit: Int) throws -> JobFilter {
            var filter = JobFilter()
            (filter.ids, filter.state, filter.kind, filter.tenant, filter.errorCode, filter.limit) = (
                ids, state, kind, tenant, error, limit
            )
            filter.model = model
            filter.since = try since.map(moment(ago:))
            return filter
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List jobs, newest first.",
            discussion: """
                WAITED is the time in which no engine had the job, RAN that of all its attempts. Where there are more \
                than are shown, a last line on stderr says how many, and what shows the rest.
                """)
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @Option(help: "At most as many.") var limit = 50
        @Option(help: "Only those after this job in the list: the next page. An id, its beginning, or a message id.")
        var after: String?

        func run() async throws {
            try await reporting {
                let store = try server.store()
                var filter = try choice.filter(limit: limit)
                if let after { filter.after = try await job(after, in: store) }
                let jobs = try await store.jobs(filter)
                server.json ? print(JSONValue.array(jobs).text) : printTable(of: jobs)
                guard jobs.count == limit, let last = jobs.last?["job"]?.string else { return }
                let total = try await store.count(filter)
                guard total > jobs.count else { return }
                Terminal.note("\(jobs.count) of \(total) jobs; --after \(last.prefix(8)) shows the next, --limit more")
            }
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
                if server.json { return print(found.text) }
                JobDescription(job: found, isHeldBack: try await store.holdsBack(found)).show()
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
            let selection = JobSelection(
                server: server, choice: choice, consent: consent, verb: "retry", participle: "retried",
                fits: { try await $0.statesToRetry() })
            try await selection.apply(ids) { store, id in
                try await store.retry(id, fromScratch: fromScratch) ? "available" : nil
            }
        }
    }

    struct Rebind: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take waiting jobs over to the weights that living daemons hold now under their model's name.",
            discussion: """
                A job waits for the weights it was accepted for, even where an upgrade brought others of that name. \
                This is for those: they begin anew on what is held. Left alone are jobs whose weights a living daemon \
                holds, and those that use a concept that was learnt on the former ones. Shows what it will touch and \
                asks; --yes for scripts.
                """)
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @OptionGroup var consent: Consent
        @Argument(help: "Ids, their beginnings, or message ids.") var ids: [String] = []
        @Option(help: "Which weights, where daemons hold several of one name: their digest, or how it begins.")
        var digest = ""

        func run() async throws {
            let digest = digest
            let selection = JobSelection(
                server: server, choice: choice, consent: consent, verb: "rebind", participle: "rebound",
                fits: { _ in JobState.waiting },
                inspect: { store, ids in
                    var rebinding = Rebinding(store: store, digest: digest)
                    return try await rebinding.verdicts(of: ids).mapValues(JobSelection.Finding.init)
                })
            try await selection.apply(ids) { store, id in try await store.rebind(id, digest: digest)?.rawValue }
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
            let selection = JobSelection(
                server: server, choice: choice, consent: consent, verb: "cancel", participle: "cancelled",
                fits: { _ in JobState.allCases.filter { !$0.isFinal } })
            try await selection.apply(ids) { store, id in
                // One that has ended meanwhile is not touched: its state says how it ended.
                let state = try await store.cancel(id, reason: reason)
                return state == .running ? "stopping" : state == .cancelled ? "cancelled" : nil
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase jobs that have ended, with all that came of them.",
            discussion: """
                Rows go at once, files within minutes: pictures, the adapter and with it the version of the concept it \
                learnt, unless another job or concept of the tenant needs them. Its checkpoints and its engines' logs \
                go within an hour. One that has not ended is to be cancelled first. Shows what it will touch and \
                asks; --yes for scripts.
                """)
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: FilterOptions
        @OptionGroup var consent: Consent
        @Argument(help: "Ids, their beginnings, or message ids.") var ids: [String] = []

        func run() async throws {
            let selection = JobSelection(
                server: server, choice: choice, consent: consent, verb: "delete", participle: "deleted",
                fits: { _ in JobState.allCases.filter(\.isFinal) })
            try await selection.apply(ids) { store, id in
                try await store.deleteJob(id) == .deleted ? "deleted" : nil
            }
        }
    }
}

extension JobSelection.Finding {
    /// What a verdict says to people.
    fileprivate init(_ verdict: Rebinding.Verdict) {
        switch verdict {
        case .possible(let changes):
            let models = changes.map { change -> JSONValue in
                ["model": .string(change.model), "from": .string(change.from), "to": .string(change.to)]
            }
            let words = changes.map { "\($0.model) \($0.from.prefix(12)) -> \($0.to.prefix(12))" }
            self = .fits(["models": .array(models)], words: words.joined(separator: ", "))
        case .needless(let why): self = .unfit(why, worthSaying: false)
        case .refused(let why): self = .unfit(why, worthSaying: true)
        }
    }
}
