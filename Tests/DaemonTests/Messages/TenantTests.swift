import Broker
import DaemonTesting
import Foundation
import Jobs
import SchemaTesting
import ServerTesting
import Synchronization
import Testing

@testable import Daemon

/// Tenants are apart: whose a message is, where its answers go, who may stop what.
@Suite(.timeLimit(.minutes(15))) struct TenantTests {
    private static func rules(_ settings: [String: String] = [:]) throws -> TenantRules {
        let environment = SettingsTests.complete.merging(settings) { $1 }
        return TenantRules(try Settings.read(file: nil, environment: environment), user: "daemon")
    }

    @Test func answersGoToTheTenantsOwnQueues() throws {
        let rules = try Self.rules(["ATELIER_OPERATORS": "ann, bea"])
        for queue in ["reply.bob", "reply.bob.7", "amq.rabbitmq.reply-to.g2dkABlyYWJi"] {
            #expect(rules.allowsReply(to: queue, for: "bob"), "\(queue)")
        }
        for queue in ["", "bob", "reply.bobby", "reply.alice", "reply", "atelier.jobs", "atelier.dead", "amq.gen-x"] {
            #expect(!rules.allowsReply(to: queue, for: "bob"), "\(queue)")
        }
        #expect(!rules.allowsReply(to: "reply.a.b", for: "a.b"), "that is the tenant a's")
        #expect(rules.allowsReply(to: "reply.a%2Eb", for: "a.b"))
        #expect(rules.operators == ["ann", "bea", "daemon"])
        #expect(rules.tenant(of: MessageProperties(messageID: "m")) == nil)
        #expect(try Self.rules(["ATELIER_USER_ID": "optional"]).tenant(of: MessageProperties()) == "default")
    }

    private func job(_ id: String, of user: String?, replyTo: String? = nil, _ stage: Stage) -> OutgoingMessage {
        OutgoingMessage(
            exchange: stage.names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(messageID: id, userID: user, replyTo: replyTo),
            body: Array(Script.body("steps=5000 delay=20")))
    }

    private func control(_ body: String, by user: String?, _ stage: Stage) -> OutgoingMessage {
        OutgoingMessage(
            exchange: stage.names.control, routingKey: "", properties: MessageProperties(userID: user),
            body: Array(body.utf8))
    }

    private func grant(_ user: String, _ rights: [String], on servers: Servers) async throws {
        try await servers.rabbitmqctl("set_permissions", user, rights[0], rights[1], rights[2])
    }

    @Test func oneTenantReachesNoOther() async throws {
        let servers = try await Servers.startOwn()
        for user in ["bob", "eve"] { try await servers.rabbitmqctl("add_user", user, "secret") }
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_USER_ID": "required"]
        try await Stage.with(servers, settings: settings) { stage in
            for user in ["bob", "eve"] { try await grant(user, [".*", ".*", ".*"], on: servers) }
            try stage.start()
            let (bob, eve) = (try stage.publisher(as: "bob"), try stage.publisher(as: "eve"))
            #expect(await bob.publish(job("theirs", of: "bob", stage)) == .confirmed)
            _ = try await stage.job("theirs", reaches: .running)
            try await refused(stage, eve)
            try await cancels(stage, bob, eve)
            try await replaysNoOthers(stage, bob)
            try await doctor(stage, servers)
            await bob.stop()
            await eve.stop()
        }
        try await servers.remove()
    }

    private final class Connections: Sendable {
        let count = Mutex(0)
    }

    /// The broker closes the connection over each letter in another's name: it is not asked of every one.
    private func replaysNoOthers(_ stage: Stage, _ bob: Publisher) async throws {
        for id in ["1", "2", "3"] {
            let letter = OutgoingMessage(
                exchange: "", routingKey: stage.names.dead,
                properties: MessageProperties(messageID: id, userID: "bob"), body: Array("{}".utf8))
            #expect(await bob.publish(letter) == .confirmed)
        }
        var parts = try #require(URLComponents(string: stage.servers.amqpURL))
        (parts.user, parts.password) = ("eve", "secret")
        let eve = try BrokerAddress(url: try #require(parts.string))
        let connections = Connections()
        let replay = DeadLetterReplay(eve, names: stage.names) { event in
            if event == .connected { connections.count.withLock { $0 += 1 } }
        }
        let backlog = Backlog(eve, queue: stage.names.dead, limit: 9)
        backlog.start()
        var outcomes: [PublishOutcome] = []
        while let delivery = try await backlog.next() {
            outcomes.append(await replay.publish(DeadLetter(delivery), of: delivery))
            delivery.acknowledge()
        }
        await backlog.stop()
        await replay.stop()
        #expect(outcomes.count == 3)
        for outcome in outcomes { #expect("\(outcome)".contains("user_id property set to 'bob'"), "\(outcome)") }
        #expect(connections.count.withLock { $0 } <= 2)
    }

    private func refused(_ stage: Stage, _ eve: Publisher) async throws {
        #expect(await eve.publish(job("nobody's", of: nil, stage)) == .confirmed)
        #expect(await eve.publish(job("into jobs", of: "eve", replyTo: stage.names.jobs, stage)) == .confirmed)
        #expect(await eve.publish(job("to bob", of: "eve", replyTo: "reply.bob", stage)) == .confirmed)
        let outcomes = try await stage.outcomes(3)
        let places = outcomes.map { $0["problems"]?[0]?["pointer"]?.string ?? "" }
        #expect(places.sorted() == ["property:reply_to", "property:reply_to", "property:user_id"], "\(outcomes)")
        let schema = try JSONSchema(path: Servers.root + "/ops/schemas/event.json")
        for outcome in outcomes { #expect(try schema.problems(in: outcome).isEmpty, "\(outcome.text)") }
        let replies = try await stage.store.query("select routing_key from atelier.outbox where exchange = ''")
        #expect(replies.isEmpty, "a rejection goes nowhere else either: \(replies)")
        guard case .unknown(.closed(406, _)) = await eve.publish(job("as bob", of: "bob", stage)) else {
            return #expect(Bool(false), "the broker vouches for user_id")
        }
    }

    private func cancels(_ stage: Stage, _ bob: Publisher, _ eve: Publisher) async throws {
        let id = try #require(try await stage.job("theirs", reaches: .running).jobID).uuidString
        let cancel = #"{"action":"cancel","job":"\#(id)"}"#
        for message in [
            control(#"{"action":"pause"}"#, by: "eve", stage), control(#"{"action":"pause"}"#, by: nil, stage),
            control(cancel, by: "eve", stage), control(cancel, by: nil, stage),
        ] { #expect(await eve.publish(message) == .confirmed) }
        try await stage.until("all are refused") {
            stage.log.matches(of: /control message refused/).count == 4
        }
        _ = try await stage.job("theirs", reaches: .running)
        #expect(try await stage.store.pauseOrder().isPaused == false)
        #expect(await bob.publish(control(cancel, by: "bob", stage)) == .confirmed)
        _ = try await stage.job("theirs", reaches: .cancelled)
    }

    private func doctor(_ stage: Stage, _ servers: Servers) async throws {
        let root = Servers.root
        let bin = stage.folder.path + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        _ = try stage.folder.writeProgram(
            "bin/rabbitmqctl",
            "#!/bin/sh\nexec '\(root)/ops/servers' rabbitmqctl '\(servers.directory ?? "")' \"$@\"\n")
        func finding() async throws -> JSONValue? {
            let path = ["PATH": "\(bin):/usr/sbin:/usr/bin:/sbin:/bin"]
            let run = try await stage.control(["doctor", "--json"], settings: path)
            let findings = try JSONValue(json: Data(run.output.utf8)).array
            return findings?.first { $0["check"]?.string == "permissions" }
        }
        let bad = try await finding()
        #expect(bad?["ok"] == .bool(false), "\(bad?.text ?? "none")")
        for right in [
            "eve has write on amq.default", "eve has read on \(stage.names.jobs)", "atelier lacks the tag impersonator",
        ] {
            #expect(bad?["detail"]?.string?.contains(right) == true, "\(bad?.text ?? "none")")
        }
        let prefix = stage.names.prefix
        for user in ["bob", "eve"] {
            let own = "reply\\.\(user)(\\..*)?"
            try await grant(
                user, ["^\(own)$", "^(\(prefix)|\(own)|\(prefix)\\.control)$", "^(\(prefix)\\.events|\(own))$"],
                on: servers)
        }
        let names = "\(prefix)(\\..*)?|amq\\.gen.*"
        try await grant("atelier", ["^(\(names))$", "^(\(names)|amq\\.default)$", "^(\(names))$"], on: servers)
        try await servers.rabbitmqctl("set_user_tags", "atelier", "administrator", "impersonator")
        let good = try await finding()
        #expect(good?["detail"]?.string == "every user's keep tenants apart", "\(good?.text ?? "none")")
        try await grant("atelier", ["^(\(names))$", "^(\(names))$", "^(\(names))$"], on: servers)
        #expect(try await finding()?["detail"]?.string?.contains("cannot send outcomes to reply_to") == true)
        try await grant("atelier", [".*", ".*", ".*"], on: servers)
    }
}
