import Foundation
import Synchronization

/// A RabbitMQ and a PostgreSQL that belong to the tests alone.
///
/// ``running()`` is the pair all tests share: the one `ATELIER_AMQP_URL` and `ATELIER_POSTGRES_URL` name, or one
/// started by `ops/servers` once in this process. Tests that stop or kill a server start a pair of their own
/// (``startOwn(_:)``). What was started here is stopped when the process exits.
package struct Servers: Sendable {
    /// One of the two.
    package enum Server: String, Sendable { case rabbitmq, postgresql }

    /// `ops/servers` or another program said no.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// Everything `servers.env` says.
    private let environment: [String: String]

    /// `amqp://…`
    package var amqpURL: String { environment["ATELIER_AMQP_URL"] ?? "" }
    /// `amqps://localhost…`; nil where a foreign broker is used.
    package var amqpsURL: String? { environment["ATELIER_AMQPS_URL"] }
    /// The file of the authority that signed both servers' certificates, which are for localhost.
    package var certificateAuthority: String? { environment["ATELIER_CERTIFICATE_AUTHORITY"] }
    /// `postgresql://…`, a superuser.
    package var postgresURL: String { environment["ATELIER_POSTGRES_URL"] ?? "" }
    /// The folder of the servers; nil where foreign ones are used.
    package var directory: String? { environment["ATELIER_SERVERS"] }

    private static let shared = Task { () async throws -> Servers in
        let environment = ProcessInfo.processInfo.environment
        if environment["ATELIER_AMQP_URL"] != nil, environment["ATELIER_POSTGRES_URL"] != nil {
            return Servers(environment: environment)
        }
        return try await startOwn()
    }

    /// The shared pair. It must stay up: other tests use it at the same time.
    package static func running() async throws -> Servers { try await shared.value }

    /// Starts servers of the caller's own, which it may stop, start and kill.
    package static func startOwn(_ server: Server? = nil) async throws -> Servers {
        let directory = "/tmp/atelier-test.\(getpid()).\(UUID().uuidString.prefix(8))"
        OwnedFolders.shared.add(directory)
        try await run(script, ["start", directory] + (server.map { [$0.rawValue] } ?? []))
        let text = try String(contentsOfFile: directory + "/servers.env", encoding: .utf8)
        return Servers(
            environment: Dictionary(
                uniqueKeysWithValues: text.split(separator: "\n").map { line in
                    let parts = line.split(separator: "=", maxSplits: 1)
                    return (String(parts[0]), String(parts[1]))
                }))
    }

    /// Stops one cleanly.
    package func stop(_ server: Server) async throws {
        try await Self.run(Self.script, ["stop", try owned(), server.rawValue])
    }
    /// Starts one again, on the same port with the same data.
    package func start(_ server: Server) async throws {
        try await Self.run(Self.script, ["start", try owned(), server.rawValue])
    }
    /// Ends one as a crash would.
    package func kill(_ server: Server) async throws {
        try await Self.run(Self.script, ["kill", try owned(), server.rawValue])
    }
    /// Stops both and removes the folder.
    package func remove() async throws {
        try await Self.run(Self.script, ["stop", try owned()])
        OwnedFolders.shared.remove(try owned())
    }

    /// Asks the broker, gives its answer.
    @discardableResult
    package func rabbitmqctl(_ arguments: String...) async throws -> String {
        try await Self.run(Self.script, ["rabbitmqctl", try owned()] + arguments)
    }

    /// The broker's process.
    package func brokerProcess() throws -> Int32 {
        let text = try String(contentsOfFile: try owned() + "/rabbitmq/server.pid", encoding: .utf8)
        guard let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(description: "no process in server.pid")
        }
        return process
    }

    /// A prefix for exchanges and queues that no other test has.
    package func makeTopologyPrefix() -> String { "t" + UUID().uuidString.lowercased().prefix(13) }

    /// Makes an empty database no other test has, gives its URL. ``dropDatabase(_:)`` removes it; the folder's end does
    /// too.
    /// - Parameter options: of `create database`: its template, its encoding.
    package func makeDatabase(_ options: String = "") async throws -> String {
        let name = "t_" + UUID().uuidString.lowercased().replacing("-", with: "")
        try await Self.run(
            "psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", postgresURL, "-c", "create database \(name) \(options)"])
        var parts = URLComponents(string: postgresURL)!
        parts.path = "/" + name
        return parts.string!
    }

    /// Removes a database made by ``makeDatabase(_:)``, whoever is connected.
    package func dropDatabase(_ url: String) async throws {
        guard let name = URLComponents(string: url)?.path.dropFirst(), name.hasPrefix("t_") else {
            throw Failure(description: "not a test's database")
        }
        try await Self.run(
            "psql",
            ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", postgresURL, "-c", "drop database if exists \(name) with (force)"])
    }

    private func owned() throws -> String {
        guard let directory else {
            throw Failure(description: "these servers were not started by ops/servers and are left alone")
        }
        return directory
    }

    // MARK: - Programs

    /// The repository's root.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let script = root + "/ops/servers"

    /// Runs a program to its end without blocking the caller's thread. Gives what it wrote to stdout.
    /// - Throws: ``Failure`` with what it wrote, unless it exits with 0.
    @discardableResult
    package static func run(_ program: String, _ arguments: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try runBlocking(program, arguments) })
            }
        }
    }

    private static func runBlocking(_ program: String, _ arguments: [String]) throws -> String {
        let base = NSTemporaryDirectory() + "atelier-run." + UUID().uuidString
        defer { for end in [".out", ".err"] { unlink(base + end) } }
        let status = try ChildProgram(program, arguments, output: base + ".out", errors: base + ".err").end(within: 180)
        let output = (try? String(contentsOfFile: base + ".out", encoding: .utf8)) ?? ""
        guard status == 0 else {
            let errors = (try? String(contentsOfFile: base + ".err", encoding: .utf8)) ?? ""
            throw Failure(
                description: "\(program) \(arguments.first ?? "") failed (exit status \(status)): \(errors)\(output)")
        }
        return output
    }
}

/// The folders of servers started by this process, stopped and removed when it exits.
private final class OwnedFolders: Sendable {
    static let shared = OwnedFolders()
    private let folders = Mutex<Set<String>>([])

    private init() {
        atexit {
            for folder in OwnedFolders.shared.folders.withLock({ $0 }) { OwnedFolders.end(folder) }
        }
    }

    func add(_ folder: String) { folders.withLock { _ = $0.insert(folder) } }

    func remove(_ folder: String) {
        folders.withLock { _ = $0.remove(folder) }
        Self.end(folder)
    }

    private static func end(_ folder: String) {
        system("'\(Servers.root)/ops/servers' stop '\(folder)' </dev/null >/dev/null 2>&1; rm -rf '\(folder)'")
    }
}
