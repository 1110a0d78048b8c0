import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish a job from a JSON file, over AMQP.",
        discussion: "The body is validated first. A picture {\"file\": \"rex.png\"} is read from beside the JSON file. Prints the message id.")
    @OptionGroup var server: ServerOptions
    @Argument(help: "The job's JSON; - reads stdin.") var file: String
    @Option(help: "The message id: the same id is the same job. A new one unless given.") var id: String?
    @Option(help: "0 to 9, more is sooner.") var priority: UInt8?
    @Option(help: "Not before this time, like 2026-01-31T12:00:00Z.") var runAfter: String?
    @Option(help: "Discard it if it still waits at this time.") var deadline: String?
    @Option(help: "A queue that gets the outcome too.") var replyTo: String?
    @Flag(help: "Wait for the outcome, with a progress bar on a terminal (needs PostgreSQL too).") var wait = false

    func validate() throws {
        for (name, text) in [("run-after", runAfter), ("deadline", deadline)] {
            guard let text, (try? Date(text, strategy: .iso8601)) == nil else { continue }
            throw ValidationError("--\(name) \(text): allowed is a time like 2026-01-31T12:00:00Z")
        }
    }

    func run() async throws {
        let settings = try server.settings(needing: wait ? ["amqpURL", "postgresURL"] : ["amqpURL"])
        let body = try body()
        let kind: JobKind
        do { kind = try JobRequest(body).kind } catch {
            Terminal.say("atelierctl: \(printable(file)) is not a job:\n" + "\(error)".split(separator: "\n").map { "  " + printable(String($0)) }.joined(separator: "\n"))
            throw ExitStatus.badInput
        }
        let identifier = id ?? UUID().uuidString.lowercased()
        guard wait else {
            try await publish(body, kind, identifier, settings)
            return print(server.json ? JSONValue.object(["message_id": .string(identifier)]).text : identifier)
        }
        let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl"), tenant = try settings.broker().user
        // The same id may have been rejected before: that is no answer to this message.
        let earlier = try await reporting { try await store.latestRejection() }
        try await publish(body, kind, identifier, settings)
        Terminal.say(identifier)
        let job = try await reporting { try await accepted(identifier, tenant, after: earlier, store) }
        try await reporting { try await Watching(store: store, json: server.json).watch(job) }
    }

    private func body() throws -> JSONValue {
        guard let data = file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file) else {
            Terminal.say("atelierctl: \(printable(file)) cannot be read")
            throw ExitStatus.notFound
        }
        guard case .object(var members) = try? JSONValue(json: data) else {
            Terminal.say("atelierctl: \(printable(file)) is not a JSON object")
            throw ExitStatus.badInput
        }
        if let images = members["images"]?.array {
            let folder = file == "-" ? "." : (file as NSString).deletingLastPathComponent
            members["images"] = .array(try images.map { try embedded($0, folder) })
        }
        return .object(members)
    }

    private func embedded(_ image: JSONValue, _ folder: String) throws -> JSONValue {
        guard let name = image["file"]?.string else { return image }
        let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
        guard let data = FileManager.default.contents(atPath: path) else {
            Terminal.say("atelierctl: the picture \(printable(path)) cannot be read")
            throw ExitStatus.notFound
        }
        return .object(["png": .string(data.base64EncodedString())])
    }

    private func publish(_ body: JSONValue, _ kind: JobKind, _ identifier: String, _ settings: Settings) async throws {
        let address = try settings.broker()
        let publisher = Publisher(address, topology: nil, report: { _ in })
        publisher.start()
        let properties = MessageProperties(
            contentType: "application/json", messageID: identifier, type: kind.rawValue, userID: address.user, replyTo: replyTo, priority: priority,
            applicationID: "atelierctl", headers: ["run_after": runAfter, "deadline": deadline].compactMapValues { $0.map(FieldValue.string) })
        let message = OutgoingMessage(
            exchange: TopologyNames(prefix: settings.topologyPrefix).exchange, routingKey: TopologyNames.jobsRoutingKey, properties: properties,
            body: Array(body.line))
        let outcome = await publisher.publish(message, within: .seconds(15))
        await publisher.stop()
        if let trouble = outcome.trouble {
            Terminal.say("atelierctl: the broker at \(address) did not take the job: \(printable(trouble))")
            throw ExitStatus.unavailable
        }
    }

    private func accepted(_ identifier: String, _ tenant: String, after earlier: Int64, _ store: Store) async throws -> UUID {
        while true {
            if let job = try await store.job(messageID: identifier, tenant: tenant) { return job }
            if let rejection = try await store.rejection(messageID: identifier, tenant: tenant, after: earlier) {
                print(server.json ? rejection.text : "rejected: " + printable(rejection["problems"]?.text ?? ""))
                throw ExitStatus.jobFailed
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
