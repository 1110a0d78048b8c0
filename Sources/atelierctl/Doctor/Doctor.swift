import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check everything Atelier needs: one line each; 0 if all is well, 2 if not.")
    @OptionGroup var server: ServerOptions
    @Option(help: "Keep checking for as many seconds until all is well.") var wait = 0
    @Flag(help: "Do not ask for a running daemon.") var noDaemon = false
    @Flag(help: "Send a probe the whole way too.") var probe = false
    @Option(help: "Where setup put settings and secrets.") var folder = "/etc/atelier"

    func run() async throws {
        let settings = try server.settings(needing: ["amqpURL", "postgresURL", "stateDirectory"])
        let end = ContinuousClock.now + .seconds(wait)
        let checks = DoctorChecks(
            settings: settings, wantsDaemon: !noDaemon, wantsProbe: probe, folder: folder)
        var findings = await checks.findings()
        while findings.contains(where: { $0.problem != nil }) && ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(500))
            findings = await checks.findings()
        }
        for finding in findings where !server.json {
            let mark = finding.problem == nil ? "ok  " : "BAD "
            print("\(mark) \(finding.check): \(printable(finding.problem ?? finding.detail))")
        }
        if server.json {
            print(
                JSONValue.array(
                    findings.map {
                        .object([
                            "check": .string($0.check), "ok": .bool($0.problem == nil),
                            "detail": .string($0.problem ?? $0.detail),
                        ])
                    }
                ).text)
        }
        if findings.contains(where: { $0.problem != nil }) { throw ExitStatus.unhealthy }
    }

    struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
