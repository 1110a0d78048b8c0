import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Workers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the daemons.")
    @OptionGroup var server: ServerOptions
    @Flag(help: "Also those that are gone.") var all = false

    func run() async throws {
        let rows = try await reporting {
            try await server.store().objects("select * from dashboard.workers" + (all ? "" : " where gone_at is null"))
        }
        if server.json { return print(JSONValue.array(rows).text) }
        var table = Table("WORKER", "NAME", ">PID", ">SLOTS", ">RUNNING", ">BEAT AGE", "STATE", "STARTED", "GONE")
        for row in rows {
            table.append(
                row["worker"]?.string ?? "", row["name"]?.string ?? "", row["pid"]?.text ?? "", row["slots"]?.text ?? "", row["running"]?.text ?? "",
                (row["beat_age_seconds"]?.text ?? "") + " s", state(of: row),
                moment(row["started_at"]?.string ?? ""), moment(row["gone_at"]?.string ?? ""))
        }
        for line in table.lines() { print(line) }
    }

    private func state(of row: JSONValue) -> String {
        if row["gone_at"] != .null { return "gone" }
        return row["paused"] == .bool(true) ? "paused" : "working"
    }
}

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let the daemons start no new work until resume, those to come too; what runs goes on.")
    @OptionGroup var server: ServerOptions
    func run() async throws { try await control("pause", server, said: "the daemons start no new work until atelierctl resume; what runs goes on") }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let the daemons start work again.")
    @OptionGroup var server: ServerOptions
    func run() async throws { try await control("resume", server, said: "the daemons start work again") }
}

/// Says one thing to all daemons.
private func control(_ action: String, _ server: ServerOptions, said: String) async throws {
    let settings = try server.settings(needing: ["amqpURL"])
    let publisher = Publisher(try settings.broker(), topology: nil, report: { _ in })
    publisher.start()
    let message = OutgoingMessage(
        exchange: TopologyNames(prefix: settings.topologyPrefix).control, routingKey: "",
        properties: MessageProperties(contentType: "application/json"), body: Array(JSONValue.object(["action": .string(action)]).line))
    let outcome = await publisher.publish(message, within: .seconds(15))
    await publisher.stop()
    if let trouble = outcome.trouble {
        if case .returned = outcome { Terminal.say("atelierctl: nobody was told: no daemon runs") } else {
            Terminal.say("atelierctl: nobody was told: \(printable(trouble))")
        }
        throw ExitStatus.unavailable
    }
    print(server.json ? JSONValue.object(["action": .string(action)]).text : said)
}
