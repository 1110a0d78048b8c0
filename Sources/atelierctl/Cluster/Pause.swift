import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let the daemons start no new work until resume, those to come too; what runs goes on.")
    @OptionGroup var server: ServerOptions
    func run() async throws {
        try await send(
            .pause, server,
            confirmation: "the daemons start no new work until atelierctl resume; what runs goes on")
    }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let the daemons start work again.")
    @OptionGroup var server: ServerOptions
    func run() async throws { try await send(.resume, server, confirmation: "the daemons start work again") }
}

/// What all daemons are told at once.
private enum ControlAction: String { case pause, resume }

/// Writes the order down, where PostgreSQL is known: then it holds, and daemons that do not hear of it now read it with
/// their next heartbeat. Then says it to all daemons, who write it down themselves where that was not done.
private func send(_ action: ControlAction, _ server: ServerOptions, confirmation: String) async throws {
    let settings = try server.settings(needing: ["amqpURL"])
    let url = settings.postgresURL.reveal()
    let isWritten = !url.isEmpty
    if isWritten {
        try await reporting { _ = try await Store(url: url, application: "atelierctl").order(paused: action == .pause) }
    }
    if let trouble = try await publish(action, isWritten: isWritten, settings) {
        Terminal.note(
            "atelierctl: nobody was told: \(trouble)"
                + (isWritten ? "; it is written down: a daemon reads it with its next heartbeat" : ""))
        if !isWritten { throw ExitStatus.unavailable }
    }
    print(server.json ? JSONValue.object(["action": .string(action.rawValue)]).text : confirmation)
}

/// Gives what went wrong, or nil.
private func publish(_ action: ControlAction, isWritten: Bool, _ settings: Settings) async throws -> String? {
    let address = try settings.broker()
    let publisher = Publisher(address, topology: nil, report: { _ in })
    publisher.start()
    let body = JSONValue.object(["action": .string(action.rawValue), "written": .bool(isWritten)])
    let message = OutgoingMessage(
        exchange: TopologyNames(prefix: settings.topologyPrefix).control, routingKey: "",
        properties: MessageProperties(contentType: "application/json", userID: address.user),
        body: Array(body.line))
    let outcome = await publisher.publish(message, within: .seconds(15))
    await publisher.stop()
    if case .returned = outcome { return "no daemon listens to RabbitMQ now" }
    return outcome.trouble.map(printable)
}
