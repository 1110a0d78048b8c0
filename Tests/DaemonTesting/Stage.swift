import Broker
import Daemon
import Foundation
import Jobs
import ServerTesting
import Store

/// A daemon of one test: a database, a topology and a state folder of its own, and the real programs.
package final class Stage: @unchecked Sendable {  // used by one test, in order
    package let servers: Servers
    package let store: Store
    package let names: TopologyNames
    package let folder: TemporaryFolder
    private let database: String
    private let settings: [String: String]
    private let publisher: Publisher
    private let results: Consumer
    private var daemons: [String: ChildProgram] = [:]
    /// The message ids of outcomes so far: a consumer drops repeated ones.
    private var seen: Set<String> = []

    /// What does not come about in time, with the daemon's last words.
    package struct Failure: Error, CustomStringConvertible { package let description: String }

    /// Where this build's programs are.
    package static let programs = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// A migrated database and an empty topology on `servers`, or on those all tests share. `settings` are added to the
    /// environment of every program started here.
    package init(_ given: Servers? = nil, settings: [String: String]) async throws {
        if let given { servers = given } else { servers = try await Servers.running() }
        self.settings = settings
        database = try await servers.makeDatabase()
        store = Store(url: database, application: "test")
        names = TopologyNames(prefix: servers.makeTopologyPrefix())
        folder = try TemporaryFolder()
        try StubModel.writePocket(in: folder.path)
        _ = try await Migrations(directory: Servers.root + "/sql").apply(to: store)
        for role in Role.allCases {
            try await store.script(
                "create role \(role.name(for: database)) login password 'test' in role \(role.rawValue)")
        }
        let address = try BrokerAddress(url: servers.amqpURL)
        publisher = Publisher(address, topology: .atelier(names))
        results = Consumer(address, source: .queue(names.results), topology: .atelier(names))
        publisher.start()
        results.start()
    }

    /// Runs `body` on a stage of its own, which ends with it.
    package static func with(
        _ servers: Servers? = nil, settings: [String: String], _ body: (Stage) async throws -> Void
    ) async throws {
        let stage = try await Stage(servers, settings: settings)
        do { try await body(stage) } catch {
            await stage.end()
            throw error
        }
        await stage.end()
    }

    private func end() async {
        for name in daemons.keys { await stop(SIGKILL, name) }
        await publisher.stop()
        await results.stop()
        try? await servers.dropDatabase(database)
        for role in Role.allCases {
            try? await Store(url: servers.postgresURL, application: "test").script(
                "drop role \(role.name(for: database))")
        }
    }

    // MARK: - Roles

    /// As whom a program comes to PostgreSQL: with what its role may do, and no more. Roles are the cluster's, so a
    /// test's own are called like its database.
    private enum Role: String, CaseIterable {
        case daemon = "atelier_daemon"
        case admin = "atelier_admin"
        case reader = "atelier_reader"

        func name(for database: String) -> String {
            (database.split(separator: "/").last ?? "") + "_" + rawValue.dropFirst(8)
        }

        func url(of database: String) -> String {
            var parts = URLComponents(string: database)!
            (parts.user, parts.password) = (name(for: database), "test")
            return parts.string!
        }
    }

    /// The login of this stage's `daemon` or `admin`.
    package func roleName(_ kind: String) -> String {
        Role(rawValue: "atelier_" + kind)?.name(for: database) ?? ""
    }

    /// The database as the role that sees the views alone.
    package var readerURL: String { Role.reader.url(of: database) }

    // MARK: - Programs

    private func environment(as role: Role) -> [String: String] {
        [
            "PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": servers.amqpURL,
            "ATELIER_POSTGRES_URL": role.url(of: database), "ATELIER_STATE_DIRECTORY": folder.path,
            "ATELIER_MODELS": folder.path, "ATELIER_TOPOLOGY_PREFIX": names.prefix, "ATELIER_HEARTBEAT_SECONDS": "0.3",
            "ATELIER_POLL_SECONDS": "0.3",
            "ATELIER_GRACE_SECONDS": "2", "ATELIER_USER_ID": "optional",
        ].merging(settings) { $1 }
    }

    /// Starts atelierd, of several one by its name. `settings` are added to the environment. Gives its process.
    @discardableResult
    package func start(
        _ settings: [String: String] = [:], _ name: String = "atelierd", config: String? = nil
    ) throws -> pid_t {
        let log = "\(folder.path)/\(name).log"
        let daemon = try ChildProgram(
            Self.programs + "/atelierd", ["run"] + (config.map { ["--config", $0] } ?? []),
            environment: environment(as: .daemon).merging(settings) { $1 }, output: log, errors: log)
        daemons[name] = daemon
        return daemon.identifier
    }

    /// Starts atelier-web as a reader that may act, on a free port; gives its address once it listens.
    package func startWeb(
        _ settings: [String: String] = [:], _ name: String = "atelier-web", without lacking: Set<String> = [],
        within seconds: Int = 30
    ) async throws -> String {
        let (log, port) = ("\(folder.path)/\(name).log", "\(folder.path)/\(name).port")
        let own = ["ATELIER_ADMIN_URL": Role.admin.url(of: database), "ATELIER_WEB_PORT": "0"]
        daemons[name] = try ChildProgram(
            Self.programs + "/atelier-web", ["run", "--port-file", port],
            environment: environment(as: .reader).merging(own) { $1 }.merging(settings) { $1 }
                .filter { !lacking.contains($0.key) }, output: log, errors: log, directory: Servers.root)
        try await until("atelier-web listens", within: seconds) { FileManager.default.fileExists(atPath: port) }
        let number = try String(contentsOfFile: port, encoding: .utf8).trimmingCharacters(in: .newlines)
        return "http://127.0.0.1:\(number)"
    }

    /// Sends the daemon a signal and waits for its end. Gives its exit status, 128 and a signal's number where that
    /// ended it; nil where it did not end at all.
    @discardableResult
    package func stop(_ signal: Int32, _ name: String = "atelierd") async -> Int32? {
        guard let daemon = daemons.removeValue(forKey: name) else { return nil }
        kill(daemon.identifier, signal)
        return try? await daemon.ended(within: 100)
    }

    /// Everything the daemons said.
    package var log: String {
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".log") }.sorted())
            ?? []
        return files.compactMap { try? String(contentsOfFile: "\(folder.path)/\($0)", encoding: .utf8) }.joined()
    }

    /// The process of the engine that was started last.
    package var engine: pid_t? { log.matches(of: /engine\.pid=([0-9]+)/).last.flatMap { pid_t($0.1) } }

    /// Runs atelierctl to its end.
    package func control(_ arguments: String..., input: String = "") async throws -> ProgramRun {
        try await control(arguments, input: input)
    }

    /// The same with its arguments in a list, and settings added to its environment.
    package func control(
        _ arguments: [String], settings: [String: String] = [:], input: String = ""
    ) async throws -> ProgramRun {
        let environment = environment(as: .admin).merging(settings) { $1 }
        return try await ProgramRun(Self.programs + "/atelierctl", arguments, environment: environment, input: input)
    }

    /// Holds work back, as the web program does, and waits until every daemon that lives says that it heard of it.
    package func pause() async throws {
        _ = try await store.order(paused: true)
        try await until("every daemon is paused") {
            try await store.query("select 1 from atelier.workers where gone_at is null and not paused").isEmpty
        }
    }

    // MARK: - Messages

    /// Publishes a body under a message id.
    package func publish(body: Data, id: String?, kind: String? = "generate") async throws {
        try await publish(
            body: body, properties: MessageProperties(contentType: "application/json", messageID: id, type: kind))
    }

    /// Publishes a body with these properties.
    package func publish(body: Data, properties: MessageProperties) async throws {
        let message = OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey, properties: properties,
            body: Array(body))
        let outcome = await publisher.publish(message)
        guard outcome.isConfirmed else { throw Failure(description: "not published: \(outcome)") }
    }

    /// The next `count` outcomes of the results queue, repeated messages dropped: one that was confirmed and could not
    /// be noted as sent, or delivered and could not be acknowledged, comes again under its id.
    package func outcomes(_ count: Int, within seconds: Int = 300) async throws -> [JSONValue] {
        let limit = Task { [results] in
            try await Task.sleep(for: .seconds(seconds))
            await results.stop()  // ends the deliveries
        }
        defer { limit.cancel() }
        var outcomes: [JSONValue] = []
        for await delivery in results.deliveries {
            delivery.acknowledge()
            guard seen.insert(delivery.properties.messageID ?? "").inserted else { continue }
            outcomes.append(try JSONValue(json: Data(delivery.body)))
            if outcomes.count == count { return outcomes }
        }
        throw Failure(
            description:
                "\(outcomes.count) of \(count) outcomes came within \(seconds) s: \(outcomes)\n\(log.suffix(4000))")
    }

    /// A tenant's own connection, under the password that tests give their users: secret.
    package func publisher(as tenant: String) throws -> Publisher {
        var parts = URLComponents(string: servers.amqpURL)!
        (parts.user, parts.password) = (tenant, "secret")
        let publisher = Publisher(try BrokerAddress(url: parts.string!))
        publisher.start()
        return publisher
    }

    // MARK: - Jobs

    /// Waits until the job of the message id is as `test` wants it; gives everything about it.
    package func job(_ id: String, within seconds: Int = 300, _ test: (JSONValue) -> Bool) async throws -> JSONValue {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            let rows = try? await store.query(
                "select id from atelier.jobs where message_id = $1 order by created_at desc limit 1", [id])
            if let job = rows?.first?["id"].flatMap(UUID.init(uuidString:)), let found = try? await store.job(job),
                test(found)
            {
                return found
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        let now = try? await store.jobs(JobFilter())
        throw Failure(
            description:
                "message \(id) did not come so far within \(seconds) s; jobs: \(now ?? [])\n\(log.suffix(4000))")
    }

    /// Waits until `test` is true; `what` is said where it does not come to be.
    package func until(_ what: String, within seconds: Int = 300, _ test: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try await test() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "not within \(seconds) s: \(what)\n\(log.suffix(4000))")
    }

    /// Does `action`, and waits until the database has a new row in a table of ours: told by it, not looked for, so
    /// that what lasts a moment only is not missed.
    package func row(
        in table: String, within seconds: Int = 300, after action: () async throws -> Void
    ) async throws {
        try await store.script(
            """
            create or replace function public.tell_row() returns trigger language plpgsql as
            $$ begin perform pg_notify('test_row', ''); return null; end $$;
            create trigger tell_row after insert on atelier.\(table) execute function public.tell_row();
            """)
        let (signals, signal) = AsyncStream<Void>.makeStream()
        let listener = Notifications(
            url: database, channels: ["test_row"], lost: { _ in }, handle: { _, _ in signal.yield() })
        let limit = Task {
            try await Task.sleep(for: .seconds(seconds))
            signal.finish()
        }
        defer {
            limit.cancel()
            listener.stop()
        }
        var signalled = signals.makeAsyncIterator()
        await signalled.next()  // it listens
        try await action()
        guard await signalled.next() != nil else {
            throw Failure(description: "not within \(seconds) s: a row in \(table)\n\(log.suffix(4000))")
        }
    }

    /// Waits until the job is in a state; one that has ended in another is not waited for any longer.
    package func job(_ id: String, within seconds: Int = 300, reaches state: JobState) async throws -> JSONValue {
        func found(_ job: JSONValue) -> JobState? { job["state"]?.string.flatMap(JobState.init(rawValue:)) }
        let job = try await job(id, within: seconds) { found($0) == state || found($0)?.isFinal == true }
        guard found(job) == state else {
            throw Failure(description: "message \(id) should end as \(state) and is \(job)")
        }
        return job
    }
}

extension JSONValue {
    /// An array's element; nil where it has none there, so that a test fails instead of ending all tests.
    package subscript(index: Int) -> JSONValue? { array.flatMap { $0.indices.contains(index) ? $0[index] : nil } }

    /// The id of a job as `Store` gives it.
    package var jobID: UUID? { (self["id"] ?? self["job"])?.string.flatMap(UUID.init(uuidString:)) }

    /// The SHA-256 of the first artifact of a role.
    package func digest(of role: String) -> String? {
        self["artifacts"]?.array?.first { $0["role"]?.string == role }?["sha256"]?.string
    }
}
