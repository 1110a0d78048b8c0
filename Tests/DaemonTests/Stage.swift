import Broker
import Foundation
import Hashing
import Jobs
import ServerTesting
import Store
import Testing

@testable import Daemon

/// A daemon of one test: a database, a topology and a state folder of its own, the real programs, the scripted engine.
final class Stage: @unchecked Sendable {  // used by one test, in order
    let servers: Servers
    let store: Store
    let names: TopologyNames
    let folder: TemporaryFolder
    private let database: String
    private let publisher: Publisher
    private let results: Consumer
    private var daemon: Process?

    /// Where this build's programs are.
    static let programs = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path

    init(_ given: Servers? = nil) async throws {
        if let given { servers = given } else { servers = try await Servers.running() }
        database = try await servers.makeDatabase()
        store = Store(url: database, application: "test")
        names = TopologyNames(prefix: servers.makeTopologyPrefix())
        folder = try TemporaryFolder()
        _ = try await Migrations(directory: Servers.root + "/sql").apply(to: store)
        let address = try BrokerAddress(url: servers.amqpURL)
        publisher = Publisher(address, topology: .atelier(names))
        results = Consumer(address, source: .queue(names.results), topology: .atelier(names))
        publisher.start()
        results.start()
    }

    func end() async {
        stop(SIGKILL)
        await publisher.stop()
        await results.stop()
        try? await servers.dropDatabase(database)
    }

    /// Starts atelierd. `settings` are added to the environment.
    func start(_ settings: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.programs + "/atelierd")
        process.arguments = ["run"]
        var environment = [
            "PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": servers.amqpURL, "ATELIER_POSTGRES_URL": database, "ATELIER_STATE_DIRECTORY": folder.path,
            "ATELIER_MODELS": folder.path, "ATELIER_ENGINE": Self.programs + "/scripted-engine", "ATELIER_TOPOLOGY_PREFIX": names.prefix,
            "ATELIER_HEARTBEAT_SECONDS": "0.3", "ATELIER_POLL_SECONDS": "0.3", "ATELIER_GRACE_SECONDS": "2", "ATELIER_LOG_LEVEL": "debug",
        ]
        environment.merge(settings) { $1 }
        process.environment = environment
        let log = folder.path + "/atelierd.log"
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try file.seekToEnd()
        process.standardError = file
        process.standardOutput = file
        try process.run()
        daemon = process
    }

    /// Sends the daemon a signal and waits for its end. Gives its exit status.
    @discardableResult
    func stop(_ signal: Int32) -> Int32? {
        guard let daemon else { return nil }
        kill(daemon.processIdentifier, signal)
        daemon.waitUntilExit()
        self.daemon = nil
        return daemon.terminationStatus
    }

    var log: String { (try? String(contentsOfFile: folder.path + "/atelierd.log", encoding: .utf8)) ?? "" }

    /// Publishes a generate job that makes the scripted engine do what `script` says. Gives its message id.
    @discardableResult
    func publish(_ script: String, id: String = UUID().uuidString) async throws -> String {
        let body: JSONValue = .object([
            "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-infinity"), "prompts": .array([.string(script)]),
        ])
        try await publish(body: body.line, id: id)
        return id
    }

    func publish(body: Data, id: String?) async throws {
        let message = OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(contentType: "application/json", messageID: id, type: "generate"), body: Array(body))
        let outcome = await publisher.publish(message)
        try #require(outcome.isConfirmed, "\(outcome)")
    }

    /// The next `count` outcomes of the results queue.
    func outcomes(_ count: Int) async throws -> [JSONValue] {
        var outcomes: [JSONValue] = []
        for await delivery in results.deliveries {
            outcomes.append(try JSONValue(json: Data(delivery.body)))
            delivery.acknowledge()
            if outcomes.count == count { break }
        }
        return outcomes
    }

    /// Waits until the job of the message id is as `test` wants it; gives everything about it.
    func job(_ id: String, _ test: (JSONValue) -> Bool) async throws -> JSONValue {
        for _ in 0..<600 {
            if let job = try? await store.job(messageID: id), let found = try? await store.job(job), test(found) { return found }
            try await Task.sleep(for: .milliseconds(50))
        }
        let now = try? await store.jobs(JobFilter())
        throw Failure(description: "message \(id) did not come so far within 30 s; jobs: \(now ?? [])\n\(log.suffix(4000))")
    }

    func job(_ id: String, reaches state: JobState) async throws -> JSONValue {
        try await job(id) { $0["state"]?.string == state.rawValue }
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// The digest of the picture an undisturbed run of `steps` steps makes.
    static func picture(_ steps: Int) -> String {
        var chain = "start"
        for step in 1...steps { chain = SHA256Digest.of(Data("\(chain) \(step)".utf8)).description }
        return SHA256Digest.of(Data(chain.utf8)).description
    }
}
