import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish a job from a JSON file, over AMQP.",
        discussion:
            """
            The body is validated first. A picture {\"file\": \"rex.png\"} is read from beside the JSON file. Prints \
            the message id.
            """
    )
    @OptionGroup var server: ServerOptions
    @Argument(help: "The job's JSON; - reads stdin.") var file: String
    @Option(help: "The message id: the same id is the same job. A new one unless given.") var id: String?
    @Option(help: "0 to 9, more is sooner.") var priority: UInt8?
    @Option(help: "Not before this time, like 2026-01-31T12:00:00Z.") var runAfter: String?
    @Option(help: "Discard it if it has not begun by this time.") var deadline: String?
    @Option(help: "A queue that gets the outcome too.") var replyTo: String?
    @Flag(help: "Wait for the outcome, with a progress bar on a terminal (needs PostgreSQL too).") var wait = false

    func validate() throws {
        for (name, text) in [("run-after", runAfter), ("deadline", deadline)] {
            guard let text, MessageTime.date(text) == nil else { continue }
            throw ValidationError("--\(name) \(text): allowed is a time like 2026-01-31T12:00:00Z")
        }
        if let runAfter, let deadline, let start = MessageTime.date(runAfter), let end = MessageTime.date(deadline),
            end <= start
        {
            throw ValidationError("--deadline \(deadline): allowed is a time after --run-after, which is \(runAfter)")
        }
        if let priority, priority > 9 { throw ValidationError("--priority \(priority): allowed are 0 to 9") }
        if let id, !JobSpec.messageIDBytes.contains(id.utf8.count) {
            throw ValidationError("--id: it has \(id.utf8.count) bytes; allowed are 1 to 128")
        }
    }

    func run() async throws {
        let settings = try server.settings(needing: wait ? ["amqpURL", "postgresURL"] : ["amqpURL"])
        let written = try await JobFile(file)
        let body = written.body
        let kind = written.spec.kind
        let identifier = id ?? UUID().uuidString.lowercased()
        guard wait else {
            try await publish(body, kind, identifier, settings)
            return print(server.json ? JSONValue.object(["message_id": .string(identifier)]).text : identifier)
        }
        let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl")
        let tenant = try settings.broker().user
        // The same id may have been a job's or rejected before: that is no answer to this message.
        let start = try await reporting("nothing was published") { try await store.clock() }
        try await publish(body, kind, identifier, settings)
        Terminal.note(identifier)
        try await reporting("the broker has the message; atelierctl jobs show \(identifier) says what became of it") {
            let job = try await accepted(identifier, tenant, since: start, store)
            try await Watching(store: store, json: server.json).watch(job)
        }
    }

    private func publish(_ body: JSONValue, _ kind: JobKind, _ identifier: String, _ settings: Settings) async throws {
        let address = try settings.broker()
        let publisher = Publisher(address, topology: nil, report: { _ in })
        publisher.start()
        let properties = MessageProperties(
            contentType: "application/json", messageID: identifier, type: kind.rawValue, userID: address.user,
            replyTo: replyTo, priority: priority,
            applicationID: "atelierctl",
            headers: ["run_after": runAfter, "deadline": deadline].compactMapValues { $0.map(FieldValue.string) })
        let message = OutgoingMessage(
            exchange: TopologyNames(prefix: settings.topologyPrefix).exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: properties,
            body: Array(body.line))
        let outcome = await publisher.publish(message, within: .seconds(15))
        await publisher.stop()
        if let trouble = outcome.trouble {
            let doubt = "; it may have it all the same: another try with --id \(identifier) is the same job"
            let told = trouble + (outcome.isInDoubt ? doubt : "")
            Terminal.note("atelierctl: the broker at \(address) did not take the job: \(printable(told))")
            throw ExitStatus.unavailable
        }
    }

    private func show(_ rejection: JSONValue) {
        guard !server.json else { return print(rejection.text) }
        print("rejected:")
        for problem in rejection["problems"]?.array ?? [] { print("  " + printable(sentence(problem))) }
    }

    private func accepted(
        _ identifier: String, _ tenant: String, since time: String, _ store: Store
    ) async throws -> UUID {
        let start = ContinuousClock.now
        var hasSaidSo = false
        while true {
            if !hasSaidSo, start.duration(to: .now) > .seconds(10) {
                Terminal.note(
                    "no daemon has taken it yet; it waits with the broker (atelierctl doctor says what is wrong)")
                hasSaidSo = true
            }
            switch try await patiently({ try await store.answer(to: identifier, tenant: tenant, since: time) }) {
            case .job(let job): return job
            case .rejection(let rejection):
                show(rejection)
                throw ExitStatus.jobFailed
            case nil: break
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
