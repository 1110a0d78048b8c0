import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check everything Atelier needs: one line each; 0 if all is well, 2 if not.")
    @OptionGroup var server: ServerOptions
    @Option(help: "Keep checking for as many seconds until all is well.") var wait = 0
    @Flag(help: "Do not ask for a running daemon.") var noDaemon = false

    /// One line.
    struct Finding {
        let check: String
        let problem: String?
        let detail: String
    }

    func run() async throws {
        let settings = try server.settings(needing: ["amqpURL", "postgresURL", "stateDirectory"])
        let end = ContinuousClock.now + .seconds(wait)
        var findings = await examine(settings)
        while findings.contains(where: { $0.problem != nil }) && ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(500))
            findings = await examine(settings)
        }
        for finding in findings where !server.json {
            let mark = finding.problem == nil ? "ok  " : "BAD "
            print("\(mark) \(finding.check): \(printable(finding.problem ?? finding.detail))")
        }
        if server.json {
            print(JSONValue.array(findings.map { .object(["check": .string($0.check), "ok": .bool($0.problem == nil), "detail": .string($0.problem ?? $0.detail)]) }).text)
        }
        if findings.contains(where: { $0.problem != nil }) { throw ExitStatus.unhealthy }
    }

    private func examine(_ settings: Settings) async -> [Finding] {
        let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl/doctor")
        var findings = [await postgres(store), await schema(store), await broker(settings)]
        if !noDaemon { findings.append(await daemon(store, settings)) }
        findings += [engine(settings), models(settings), state(settings), disk(settings)]
        return findings
    }

    private func finding(_ check: String, _ body: () async throws -> String) async -> Finding {
        do { return Finding(check: check, problem: nil, detail: try await body()) } catch {
            return Finding(check: check, problem: "\(error)", detail: "")
        }
    }

    private func postgres(_ store: Store) async -> Finding {
        await finding("postgresql") { "version " + (try await store.query("show server_version").first?["server_version"] ?? "") }
    }

    private func schema(_ store: Store) async -> Finding {
        await finding("schema") {
            try await store.query("select 1 from atelier.jobs limit 0")
            let installation = Installation()
            guard let directory = installation.folder("sql") else { return "present, but not compared: \(installation.absence(of: "sql"))" }
            let standing = try await Migrations(directory: directory).standing(in: store)
            let bad = standing.filter { $0.standing != .applied }
            guard bad.isEmpty else { throw Trouble(bad.map { "\($0.file.name) is \($0.standing.rawValue)" }.joined(separator: ", ") + "; run atelierctl migrate") }
            return "\(standing.count) migrations applied"
        }
    }

    /// A message that no queue wants: it comes back if, and only if, we may publish and the exchange is there.
    private func broker(_ settings: Settings) async -> Finding {
        await finding("rabbitmq") {
            let address = try BrokerAddress(url: settings.amqpURL.reveal())
            let publisher = Publisher(address, topology: nil, report: { _ in })
            publisher.start()
            let exchange = TopologyNames(prefix: settings.topologyPrefix).exchange
            let message = OutgoingMessage(exchange: exchange, routingKey: "doctor", body: [])
            let outcome = await publisher.publish([message], within: .seconds(5)).first
            await publisher.stop()
            guard case .returned = outcome else {
                throw Trouble("\(address): the exchange \(exchange) does not answer: \(outcome.map { "\($0)" } ?? "nothing"); atelierd declares it")
            }
            return "\(address), exchange \(exchange)"
        }
    }

    private func daemon(_ store: Store, _ settings: Settings) async -> Finding {
        await finding("daemon") {
            let rows = try await store.query(
                "select name from atelier.workers where gone_at is null and beat_at > now() - $1::int * interval '1 second'", [String(settings.leaseSeconds)])
            guard !rows.isEmpty else { throw Trouble("no daemon gives a sign of life") }
            return rows.compactMap { $0["name"] }.joined(separator: ", ")
        }
    }

    private func engine(_ settings: Settings) -> Finding {
        let isThere = access(settings.engine, X_OK) == 0
        return Finding(check: "engine", problem: isThere ? nil : "\(settings.engine) cannot be executed", detail: settings.engine)
    }

    private func models(_ settings: Settings) -> Finding {
        let folder = settings.modelsDirectory
        let count = (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
        return Finding(
            check: "models", problem: count > 0 ? nil : "\(folder.isEmpty ? "no folder of models is set or found" : folder + " is not there or empty")", detail: folder)
    }

    private func state(_ settings: Settings) -> Finding {
        let isWritable = access(settings.stateDirectory, W_OK) == 0
        return Finding(check: "state folder", problem: isWritable ? nil : "\(settings.stateDirectory) cannot be written to by this user", detail: settings.stateDirectory)
    }

    private func disk(_ settings: Settings) -> Finding {
        let free = FreeDisk.mebibytes(at: settings.stateDirectory)
        let isShort = (free ?? .max) < settings.freeDiskMiB
        return Finding(
            check: "disk", problem: isShort ? "\(free ?? 0) MiB free, \(settings.freeDiskMiB) MiB are needed" : nil, detail: "\(free.map { "\($0) MiB" } ?? "unknown") free")
    }

    struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
