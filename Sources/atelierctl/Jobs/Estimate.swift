import ArgumentParser
import Daemon
import Foundation
import Hashing
import Jobs
import Store

struct Estimate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a job would take before it is done: seconds, memory, disk.",
        discussion:
            """
            Counted by this host's engine from the job and the model's sizes. With PostgreSQL at hand, at the speed \
            this host was measured to have and corrected by what jobs of the kind took, with what its tenant's \
            concepts weigh and a warning of those that are not learnt; else at the speed measured now, with the \
            concepts of --adapter. A subject of --proxies draws none, as with run. Memory is held against what \
            workers have, where tables tell of them; else against this host's, and the disk against the room \
            where run would write.
            """)
    @OptionGroup var server: ServerOptions
    @Argument(help: "The job's JSON; - reads stdin.") var file: String
    @OptionGroup var adapters: AdapterOptions
    @OptionGroup var proxies: ProxyOptions
    @Option(help: "The folder that run would write to: its room counts, whatever workers there are.") var out: String?
    @Option(help: "Whose concepts are meant; the broker's user unless given.") var tenant: String?

    func run() async throws {
        let settings = try server.settings(needing: ["modelsDirectory"])
        let given = try adapters.sizes()
        let drawn = try proxies.read()
        let written = try await JobFile(
            file, for: settings, amending: drawn.named(in:),
            adapters: { await learntAdapters(of: $0, settings).merging(given) { $1 } },
            proxies: { await reused(by: $0, models: $1, beside: Set(drawn.subjects.keys), settings) },
            explaining: { await named($0, settings) })
        _ = try drawn.proxies(for: written.spec)
        let cost = try Self.cost(of: written, settings)
        let expected = try await EngineScratch.with(settings) { try await estimate(cost, of: written.spec, $0) }
        let largest = try? await store(settings)?.largestMemory()
        let memory =
            largest.map { MemoryProblem(expected, of: cost, largest: $0) }
            ?? MemoryProblem(cost, here: settings.engineMemoryBytes)
        let shortage = shortage(for: cost, hasWorkers: largest != nil)
        let missing = await missing(of: written.spec, beside: Set(given.keys), settings)
        if server.json {
            print(Self.figures(expected, memory, shortage, warnings: written.warnings + missing).text)
        } else {
            show(expected)
        }
        let unfit = [memory.problem.map { "\($0.found); allowed: \($0.allowed)" }, shortage].compactMap { $0 }
        for reason in unfit { Terminal.note("warning: it does not fit: " + printable(reason)) }
        if let warning = memory.warning { Terminal.note("warning: " + printable(warning)) }
        written.tellWarnings()
        try adapters.tellIdle(in: written.spec)
        drawn.tellIdle(in: written.spec)
        for warning in missing { Terminal.note("warning: " + printable(warning)) }
    }

    /// What the engine counted of the job.
    /// - Throws: the exit status that tells why there is nothing, which has been said.
    private static func cost(of written: JobFile, _ settings: Settings) throws -> JobCost {
        func refused(_ message: String, _ status: ExitCode) -> ExitCode {
            Terminal.note("atelierctl: " + printable(message))
            return status
        }
        guard written.spec.kind.needsEngine else {
            throw refused("a \(written.spec.kind.rawValue) takes no engine, and nothing", ExitStatus.badInput)
        }
        guard let report = written.report else {
            let silent = "the engine did not answer; atelierctl doctor says more, or try again"
            throw refused(settings.engineFault ?? silent, ExitStatus.unavailable)
        }
        guard let cost = report.cost else {
            let reason = report.uncounted ?? "is the model installed here"
            throw refused("what it takes cannot be told: \(reason) (atelierctl models list)", ExitStatus.notFound)
        }
        return cost
    }

    /// As the web program's API has them.
    private static func figures(
        _ estimate: JobEstimate, _ memory: MemoryProblem, _ shortage: String?, warnings: [String]
    ) -> JSONValue {
        var answer = EstimateAnswer(worker: "")
        (answer.estimate, answer.warnings) = (estimate, warnings)
        answer.compare(with: memory)
        if shortage != nil { answer.fits = false }
        return answer.figures ?? .null
    }

    /// The tables; nil where PostgreSQL is not at hand.
    private func store(_ settings: Settings) -> Store? {
        let url = settings.postgresURL.reveal()
        return url.isEmpty ? nil : Store(url: url, application: "atelierctl", patience: .seconds(5))
    }

    /// What the job's tenant has learnt; nil where nobody says whose it is, or PostgreSQL is not at hand.
    private func learnt(_ settings: Settings) -> (concepts: LearntConcepts, tenant: String)? {
        guard let store = store(settings), let owner = tenant ?? (try? settings.broker().user) else { return nil }
        return (LearntConcepts(source: store), owner)
    }

    /// The problems, with the names that the job could have used.
    private func named(_ problems: [Problem], _ settings: Settings) async -> [Problem] {
        guard var known = learnt(settings) else { return problems }
        return (try? await known.concepts.naming(problems, tenant: known.tenant)) ?? problems
    }

    /// Of the concepts that the job mentions, those that are learnt.
    private func learntAdapters(
        of spec: JobSpec, _ settings: Settings
    ) async -> [String: InspectionOrder.Adapter] {
        guard let known = learnt(settings) else { return [:] }
        return (try? await known.concepts.adapters(of: spec, tenant: known.tenant)) ?? [:]
    }

    /// What the daemon would refuse of the proxies that the job takes from others, and what is not drawn yet.
    private func reused(
        by spec: JobSpec, models: ModelChoice, beside given: Set<String>, _ settings: Settings
    ) async -> (problems: [Problem], warnings: [String]) {
        guard let known = learnt(settings),
            let found = try? await known.concepts.proxies(
                of: spec, tenant: known.tenant, models: models, beside: given)
        else { return ([], []) }
        return found
    }

    /// Concepts that must be there when the job begins, and are not yet.
    private func missing(of spec: JobSpec, beside given: Set<String>, _ settings: Settings) async -> [String] {
        guard var known = learnt(settings) else { return [] }
        return (try? await known.concepts.missing(of: spec, tenant: known.tenant, beside: given)) ?? []
    }

    private func estimate(_ cost: JobCost, of spec: JobSpec, _ settings: Settings) async throws -> JobEstimate {
        if let store = store(settings) {
            do {
                if let found = try await store.estimate(cost, of: spec, host: HostIdentity.own) { return found }
            } catch {
                Terminal.note("atelierctl: the speed is measured now, for PostgreSQL does not tell it: \(error)")
            }
        }
        let rates = await HostCalibration(settings, environment: ProcessInfo.processInfo.environment).rates()
        guard let estimate = rates.flatMap({ JobEstimate(cost, at: $0) }) else {
            Terminal.note("atelierctl: the engine does not measure this host")
            throw ExitStatus.unavailable
        }
        return estimate
    }

    /// What is to be said where `run` would not find the room; nothing where workers do the job, for nobody knows their
    /// disks.
    private func shortage(for cost: JobCost, hasWorkers: Bool) -> String? {
        guard let place = out ?? (hasWorkers ? nil : Run.usualOut) else { return nil }
        return FreeDisk(of: OutputPlace.nearest(to: place)).shortage(for: cost, at: place)
    }

    private func show(_ estimate: JobEstimate) {
        let basis =
            switch estimate.jobs {
            case nil: "at the speed measured now"
            case 0: "at this host's speed; no job of the kind has been done yet"
            case let jobs?: "at this host's speed, corrected by \(counted(jobs, "job")) of the kind"
            }
        print(
            """
            about \(duration(estimate.seconds)) (\(basis))
            memory \(Self.mebibytes(estimate.memoryBytes)), disk \(Self.mebibytes(estimate.diskBytes))
            """)
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
