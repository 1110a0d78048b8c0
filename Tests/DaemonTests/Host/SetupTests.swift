import Broker
import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Store
import Testing

/// `atelierctl setup` on two bare servers: what it makes is enough for a job, and each side gets no more than it needs.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SetupTests {
    @Test func aJobGoesThroughWhatItMade() async throws {
        // Users and exchanges are called atelier here, as they are anywhere: so on servers of its own.
        let servers = try await Servers.startOwn()
        let folder = try TemporaryFolder()
        let etc = folder.path + "/etc"
        let script = try folder.writeProgram(
            "rabbitmqctl",
            """
            #!/bin/sh
            [ "$1" = --quiet ] && shift
            exec '\(Servers.root)/ops/servers' rabbitmqctl '\(try #require(servers.directory))' --quiet "$@"
            """)
        let amqp = try #require(URLComponents(string: servers.amqpURL))
        let arguments = [
            "setup", "--postgres", servers.postgresURL, "--rabbitmqctl", script, "--folder", etc, "--tenant", "shop",
            "--name", "trial",
            "--amqp", "\(amqp.host ?? ""):\(amqp.port ?? 0)/trial", "--sql", Servers.root + "/sql",
        ]
        func control(_ arguments: [String], _ more: [String: String] = [:]) async throws -> ProgramRun {
            try await ProgramRun(
                Stage.programs + "/atelierctl", arguments,
                environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path].merging(more) { $1 })
        }
        // As the server has it that was made where no locale is set.
        for statement in [
            "update pg_database set datistemplate = false where datname = 'template1'",
            "drop database template1 with (force)",
            "create database template1 template template0 encoding 'SQL_ASCII' locale 'C'",
        ] {
            try await Servers.run(
                "psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", servers.postgresURL, "-c", statement])
        }
        let first = try await control(arguments)
        #expect(first.status == 0 && first.output.contains("the database trial"), "\(first)")
        #expect(first.output.contains("the virtual host trial"), "\(first)")
        for name in ["owner-url", "postgres-url", "reader-url", "admin-url", "amqp-url", "web-amqp-url"] {
            var status = stat()
            #expect(stat("\(etc)/\(name)", &status) == 0 && status.st_mode & 0o777 == 0o600, "\(name)")
        }
        let secret = try String(contentsOfFile: etc + "/postgres-url", encoding: .utf8)
        #expect(!first.output.contains(try #require(URLComponents(string: secret)?.password ?? secret)))

        let again = try await control(arguments)
        #expect(again.status == 0 && again.output.contains("was there"), "\(again)")
        #expect(try String(contentsOfFile: etc + "/postgres-url", encoding: .utf8) == secret)

        let settings = [
            "ATELIER_AMQP_URL_FILE": etc + "/amqp-url", "ATELIER_POSTGRES_URL_FILE": etc + "/postgres-url",
            "ATELIER_STATE_DIRECTORY": folder.path + "/state", "ATELIER_MODELS": Servers.root + "/models",
        ]
        let log = folder.path + "/atelierd.log"
        let daemon = try ChildProgram(
            Stage.programs + "/atelierd", ["run"],
            environment: ["PATH": "/usr/bin:/bin"].merging(settings) { $1 }, output: log, errors: log)
        defer {
            kill(daemon.identifier, SIGTERM)
            _ = try? daemon.end(within: 60)
        }
        let doctor = try await control(["doctor", "--wait", "60"], settings)
        #expect(doctor.status == 0, "\(doctor)")
        // As the tenant, who may publish and nothing else; and as the web program.
        for file in ["tenants/shop", "web-amqp-url"] {
            let run = try await ProgramRun(
                Stage.programs + "/atelierctl", ["submit", "-", "--wait"],
                environment: settings.merging([
                    "PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL_FILE": "\(etc)/\(file)",
                ]) { $1 }, input: #"{"version":1,"kind":"probe"}"#)
            #expect(run.status == 0, "\(file): \(run)")
        }
        let probe = try await control(
            ["probe"], settings.merging(["ATELIER_AMQP_URL_FILE": etc + "/tenants/shop"]) { $1 })
        #expect(probe.status == 69 && probe.errors.contains("shop may make no queue to hear outcomes at"), "\(probe)")
        // A tenant's dead letter is replayed in that tenant's name.
        let daemons = try String(contentsOfFile: etc + "/amqp-url", encoding: .utf8)
        let publisher = Publisher(try BrokerAddress(url: daemons.trimmingCharacters(in: .whitespacesAndNewlines)))
        publisher.start()
        let letter = OutgoingMessage(
            exchange: "", routingKey: "atelier.dead",
            properties: MessageProperties(messageID: "letter", type: "probe", userID: "shop"),
            body: Array(#"{"version":1,"kind":"probe"}"#.utf8))
        #expect(await publisher.publish(letter) == .confirmed)
        await publisher.stop()
        let replayed = try await control(["dead", "replay", "--all", "--yes"], settings)
        #expect(replayed.status == 0 && replayed.lines == ["letter  replayed"], "\(replayed)")
        let stranger = try await control(["pause"], ["ATELIER_AMQP_URL_FILE": etc + "/tenants/shop"])
        #expect(stranger.status != 0, "a tenant pauses the daemons: \(stranger)")
        try await mendsAnOlderInstallation(servers, settings, etc) { arguments, path in
            try await control(arguments, settings.merging(["PATH": path]) { $1 })
        } setup: {
            try await control(arguments)
        }
        // What it gave is what docs/installation.md says, and guest has nothing there.
        let rights = try await ProgramRun(
            script, ["--formatter", "json", "list_permissions", "-p", "trial"],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        #expect(
            rights.output.contains(#""^reply\\.shop(\\..*)?$""#) && !rights.output.contains("guest"), "\(rights)")
        let topics = try await ProgramRun(
            script, ["--formatter", "json", "list_topic_permissions", "-p", "trial"],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"])
        #expect(topics.output.contains(#""^shop\\.""#), "\(topics)")
        let web = try await control(["dead", "list"], ["ATELIER_AMQP_URL_FILE": etc + "/web-amqp-url"])
        #expect(web.status == 0, "\(web)")
        // It may ask what a job would take, and hear the answer.
        let url = try String(contentsOfFile: etc + "/web-amqp-url", encoding: .utf8)
        let asker = EstimateAsker(
            address: try BrokerAddress(url: url.trimmingCharacters(in: .whitespacesAndNewlines)),
            control: "atelier.control")
        let answer = try await asker.ask(["version": 1, "kind": "probe"], listeningAt: "reply.trial-web.x")
        #expect(answer.first?["problems"]?[0]?["pointer"] == "/kind", "\(answer)")
        try await servers.remove()
    }

    /// What an installation lacks that an earlier version made, the doctor names with its remedy, and `setup` and
    /// `migrate` give.
    private func mendsAnOlderInstallation(
        _ servers: Servers, _ settings: [String: String], _ etc: String,
        control: ([String], String) async throws -> ProgramRun, setup: () async throws -> ProgramRun
    ) async throws {
        let path = URL(fileURLWithPath: etc).deletingLastPathComponent().path + ":/usr/bin:/bin:/usr/sbin:/sbin"
        func findings() async throws -> [String: String] {
            let run = try await control(["doctor", "--json", "--folder", etc], path)
            let rows = try JSONValue(json: Data(run.output.utf8)).array ?? []
            return Dictionary(
                rows.filter { $0["ok"] == false }.map { ($0["check"]?.string ?? "", $0["detail"]?.string ?? "") }
            ) { first, _ in first }
        }
        #expect(try await findings().isEmpty)
        let url = try #require(URLComponents(string: servers.postgresURL))
        var own = url
        own.path = "/trial"
        let admin = Store(url: try #require(own.string), application: "test")
        try await admin.query("revoke atelier_reader from trial_web_reader")
        try await servers.rabbitmqctl(
            "set_permissions", "-p", "trial", "trial-web", "^$", "^atelier$", #"^atelier\.dead$"#)
        try await servers.rabbitmqctl("set_user_tags", "triald", "monitoring")
        let found = try await findings()
        #expect(found["rights"]?.contains("trial_web_reader, the login of reader-url, lacks") == true, "\(found)")
        #expect(found["rights"]?.hasSuffix("sudo atelierctl setup grants them") == true, "\(found)")
        #expect(found["permissions"]?.contains("trial-web lacks write on atelier.control") == true, "\(found)")
        #expect(found["permissions"]?.contains("triald lacks the tag impersonator") == true, "\(found)")
        #expect(found["permissions"]?.hasSuffix("sudo atelierctl setup gives it") == true, "\(found)")
        let mended = try await setup()
        #expect(mended.output.contains("trial_web_reader lacked the rights of atelier_reader"), "\(mended)")
        let users = try await servers.rabbitmqctl("list_users")
        #expect(users.contains(/triald\s+\[monitoring, impersonator\]/), "\(users)")
        #expect(try await findings().isEmpty)
        // Grants that a restore has lost.
        try await admin.query("revoke select on dashboard.estimates, dashboard.queue from atelier_reader")
        try await admin.query("revoke execute on function atelier.pause from atelier_admin")
        let lost = try #require(try await findings()["rights"])
        for word in ["may not read dashboard.estimates", "dashboard.queue", "may not call atelier.pause", "migrate"] {
            #expect(lost.contains(word), "\(lost)")
        }
        let migrated = try await control(["migrate", "--owner-url-file", etc + "/owner-url"], path)
        #expect(migrated.status == 0, "\(migrated)")
        #expect(try await findings().isEmpty)
    }
}
