import DaemonTesting
import Foundation
import Testing

@testable import Daemon

@Suite struct SettingsTests {
    static let complete = [
        "ATELIER_AMQP_URL": "amqp://guest:geheim@localhost:5672/", "ATELIER_POSTGRES_URL": "postgresql://u:geheim@localhost/atelier",
        "ATELIER_STATE_DIRECTORY": "/var/lib/atelier", "ATELIER_MODELS": "/usr/share/atelier/models",
    ]

    @Test func environmentAloneIsEnough() throws {
        let settings = try Settings.read(file: nil, environment: Self.complete, executable: "/usr/bin/atelierd")
        #expect(settings.engine == "/usr/bin/atelier-engine")
        #expect(settings.slots == 1)
        #expect(settings.amqpURL.reveal() == "amqp://guest:geheim@localhost:5672/")
        #expect(settings.artifactsDirectory == "/var/lib/atelier/artifacts")
        #expect(!String(reflecting: settings).contains("geheim"))
    }

    @Test func everyProblemIsListedAtOnce() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("atelier.json", #"{"slots": 0, "slot": 2, "logLevel": "loud", "heartbeatSeconds": 20, "engine": "bin/engine"}"#)
        let problems = try #require(throws: SettingsProblems.self) { try Settings.read(file: file, environment: ["ATELIER_AMQP_URL": "http://u:geheim@x"]) }
        for expected in ["/slots: \"0\"", "/slot: unknown setting", "/logLevel: \"loud\"", "three heartbeats", "/engine: \"bin/engine\" is not an absolute path", "ATELIER_AMQP_URL: is not a URL", "postgresURL: is not set", "stateDirectory: is not set"] {
            #expect(problems.lines.contains { $0.contains(expected) }, "\(expected) in \(problems)")
        }
        #expect(!problems.description.contains("geheim"))
    }

    @Test func theEnvironmentOverridesTheFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("atelier.json", #"{"slots": 2, "drainSeconds": 5}"#)
        var environment = Self.complete
        environment["ATELIER_SLOTS"] = "3"
        let settings = try Settings.read(file: file, environment: environment)
        #expect(settings.slots == 3)
        #expect(settings.drainSeconds == 5)
    }

    @Test func secretsComeAsCredentials() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("amqp-url", "amqp://from:credential@broker/\n")
        var environment = Self.complete
        environment["ATELIER_AMQP_URL"] = nil
        environment["CREDENTIALS_DIRECTORY"] = folder.path
        let settings = try Settings.read(file: nil, environment: environment)
        #expect(settings.amqpURL.reveal() == "amqp://from:credential@broker/")
    }

    @Test func aPasswordInAnOpenFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("atelier.json", #"{"postgresURL": "postgresql://u:geheim@localhost/a"}"#)
        chmod(file, 0o644)
        var environment = Self.complete
        environment["ATELIER_POSTGRES_URL"] = nil
        let problems = try #require(throws: SettingsProblems.self) { try Settings.read(file: file, environment: environment) }
        #expect(problems.lines.count == 1 && problems.description.contains("chmod 600"))
        chmod(file, 0o600)
        #expect(throws: Never.self) { try Settings.read(file: file, environment: environment) }
    }
}
