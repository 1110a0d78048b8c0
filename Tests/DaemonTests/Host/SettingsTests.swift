import DaemonTesting
import Foundation
import Testing

@testable import Daemon

@Suite struct SettingsTests {
    static let complete = [
        "ATELIER_AMQP_URL": "amqp://guest:geheim@localhost:5672/",
        "ATELIER_POSTGRES_URL": "postgresql://u:geheim@localhost/atelier",
        "ATELIER_STATE_DIRECTORY": "/var/lib/atelier", "ATELIER_MODELS": "/usr/share/atelier/models",
    ]

    @Test func environmentAloneIsEnough() throws {
        let settings = try Settings.read(file: nil, environment: Self.complete, executable: "/usr/bin/atelierd")
        #expect(settings.engine == "/usr/bin/atelier-engine")
        #expect(settings.trainingSlots == 1)
        #expect(settings.amqpURL.reveal() == "amqp://guest:geheim@localhost:5672/")
        #expect(settings.artifactsDirectory == "/var/lib/atelier/artifacts")
        #expect(!String(reflecting: settings).contains("geheim"))
    }

    @Test func everySettingIsShownAndComparedOnce() throws {
        let settings = try Settings.read(file: nil, environment: Self.complete, executable: "/usr/bin/atelierd")
        #expect(settings.values { "\($0)" }.map(\.name) == Settings.table.map(\.name).filter { !$0.hasSuffix("File") })
        #expect(!settings.summary.contains("geheim") && settings.summary.contains("keepCompletedDays     30\n"))
        var other = settings
        (other.retention.probes, other.trainingSlots, other.sharedDirectory) = (7, 2, "/shared")
        #expect(settings.adopting(other).retention.probes == 7)
        #expect(settings.adopting(other).settingsThatWait(for: other) == ["sharedDirectory", "trainingSlots"])
    }

    @Test func theFolderWithTheLeastRoomIsNamed() throws {
        let folder = try TemporaryFolder()
        let environment = Self.complete.merging(["ATELIER_STATE_DIRECTORY": folder.path]) { $1 }
        let disk = try Settings.read(file: nil, environment: environment).freeDisk
        #expect(disk.folder == folder.path + "/artifacts" && disk.mebibytes == 0, "what is not there has none")
    }

    @Test func everyProblemIsListedAtOnce() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "atelier.json",
            #"{"trainingSlots": 65, "slot": 2, "logLevel": "loud", "heartbeatSeconds": 20, "engine": "bin/engine"}"#)
        let problems = try #require(throws: SettingsProblems.self) {
            try Settings.read(file: file, environment: ["ATELIER_AMQP_URL": "http://u:geheim@x"])
        }
        for expected in [
            "/trainingSlots: \"65\"", "/slot: unknown setting", "/logLevel: \"loud\"", "three heartbeats",
            "/engine: \"bin/engine\" is not an absolute path", "ATELIER_AMQP_URL: is not a URL",
            "postgresURL: is not set", "stateDirectory: is not set",
        ] {
            #expect(problems.lines.contains { $0.contains(expected) }, "\(expected) in \(problems)")
        }
        #expect(!problems.description.contains("geheim"))
    }

    /// As strictly as messages: of a name that is said twice one value would hold, and nobody know which.
    @Test func aFileThatIsNoStrictJSONIsRefusedWithThePlace() throws {
        let folder = try TemporaryFolder()
        for (text, found) in [
            (#"{"trainingSlots": 1, "trainingSlots": 4}"#, "/trainingSlots: found this name again, at byte 21"),
            (#"{"trainingSlots": 2,}"#, "found '}' at byte 20"), ("", "found the end at byte 0"),
            (#"{"trainingSlots": true}"#, "/trainingSlots: must be a string or a number"),
            ("[]", "must hold one JSON object"),
        ] {
            let file = try folder.write("atelier.json", text)
            let problems = try #require(throws: SettingsProblems.self) {
                try Settings.read(file: file, environment: Self.complete)
            }
            #expect(problems.lines.count == 1 && problems.description.contains(found), "\(problems)")
        }
        let file = try folder.write(
            "atelier.json", #"{"trainingSlots": 2.0, "heartbeatSeconds": 0.5, "drainSeconds": "7"}"#)
        let settings = try Settings.read(file: file, environment: Self.complete)
        #expect(settings.trainingSlots == 2 && settings.heartbeatSeconds == 0.5 && settings.drainSeconds == 7)
    }

    @Test func theEnvironmentOverridesTheFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("atelier.json", #"{"trainingSlots": 2, "drainSeconds": 5}"#)
        var environment = Self.complete
        environment["ATELIER_TRAINING_SLOTS"] = "3"
        let settings = try Settings.read(file: file, environment: environment)
        #expect(settings.trainingSlots == 3)
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

    @Test func anInstalledServicesSettingsAreFoundByWhoMayReadThem() throws {
        let folder = try TemporaryFolder()
        for (name, text) in [
            ("amqp-url", "amqp://a:b@localhost/"), ("postgres-url", "postgresql://a:b@localhost/c"),
            ("atelier.json", #"{"trainingSlots": 2}"#),
        ] {
            chmod(try folder.write(name, text + "\n"), 0o600)
        }
        let settings = try Settings.read(
            file: nil, environment: ["ATELIER_MODELS": folder.path], installation: folder.path)
        #expect(
            settings.trainingSlots == 2 && settings.amqpURL.reveal() == "amqp://a:b@localhost/"
                && settings.stateDirectory == "/var/lib/atelier")
        var environment = Self.complete
        environment["ATELIER_TRAINING_SLOTS"] = "3"
        let other = try Settings.read(file: nil, environment: environment, installation: folder.path)
        #expect(
            other.trainingSlots == 3 && other.amqpURL.reveal() != "amqp://a:b@localhost/", "what is said goes before")
    }

    @Test func aPasswordInAnOpenFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("atelier.json", #"{"postgresURL": "postgresql://u:geheim@localhost/a"}"#)
        chmod(file, 0o644)
        var environment = Self.complete
        environment["ATELIER_POSTGRES_URL"] = nil
        let problems = try #require(throws: SettingsProblems.self) {
            try Settings.read(file: file, environment: environment)
        }
        #expect(problems.lines.count == 1 && problems.description.contains("chmod 600"))
        chmod(file, 0o600)
        #expect(throws: Never.self) { try Settings.read(file: file, environment: environment) }
    }

    @Test func aURLThatCannotBeReadSaysHowItIsWritten() throws {
        for password in ["ge/heim", "ge?heim", "ge#heim"] {
            let told = try problem(["AMQP_URL": "amqp://u:\(password)@localhost/a"])
            #expect(told.contains("cannot be read as a URL; / in a name or password is written %2F"), "\(told)")
            #expect(!told.contains("heim"), "\(told)")
        }
        let several = try problem(["POSTGRES_URL": "postgresql://north:5432,south:5433/a"])
        #expect(several.contains("several hosts with ports are ?host=A,B&port=5432,5433"), "\(several)")
    }

    // MARK: - Other hosts

    private func settings(_ changes: [String: String?]) throws -> Settings {
        var environment = Self.complete
        for (name, value) in changes { environment["ATELIER_" + name] = value }
        return try Settings.read(file: nil, environment: environment)
    }

    private func problem(_ changes: [String: String?]) throws -> String {
        let problems = try #require(throws: SettingsProblems.self) { try settings(changes) }
        #expect(problems.lines.count == 1 && !problems.description.contains("geheim"), "\(problems)")
        return problems.description
    }

    @Test func aPasswordForAnotherHostComesFromAFile() throws {
        let folder = try TemporaryFolder()
        let amqp = "amqps://u:geheim@rabbit.example/"
        let postgres = "postgresql://u:geheim@db.example/a"
        #expect(
            try problem(["AMQP_URL": amqp]).contains(
                "ATELIER_AMQP_URL: holds a password for another host; write the URL into a file"))
        #expect(try problem(["POSTGRES_URL": postgres]).contains("name it in postgresURLFile"))
        #expect(
            try problem(["POSTGRES_URL": "postgresql://u@db.example/a?password=geheim"]).contains("holds a password"))
        #expect(try problem(["POSTGRES_URL": "postgresql://u:geheim@/a?host=db.example"]).contains("holds a password"))
        for (url, flaw) in [
            ("amqp://localhost/a/b", "write it as %2f"), ("amqp://localhost:99999/", "the port is 99999"),
            ("amqp:///", "names no host"),
        ] {
            #expect(try problem(["AMQP_URL": url]).contains(flaw), "at the check, not when the daemon starts")
        }
        let file = try folder.write("amqp-url", amqp)
        #expect(try settings(["AMQP_URL": nil, "AMQP_URL_FILE": file]).amqpURL.reveal() == amqp)
        #expect(
            try settings(["POSTGRES_URL": "postgresql://u@db.example/a", "AMQP_URL": "amqps://rabbit.example/"]).amqpURL
                .reveal() == "amqps://rabbit.example/")
    }

    @Test func postgreSQLOnAnotherHostIsVerified() throws {
        func url(_ url: String, _ authority: String? = nil) throws -> String {
            try settings(["POSTGRES_URL": url, "CERTIFICATE_AUTHORITY": authority]).postgresURL.reveal()
        }
        let system = "/etc/ssl/certs/ca-certificates.crt"
        let file = try TemporaryFolder()
        let authority = try file.write("ca.pem", "")
        #expect(
            try url("postgresql://u@db.example/a")
                == "postgresql://u@db.example/a?sslmode=verify-full&sslrootcert=\(system)")
        #expect(
            try url("postgresql://u@db.example/a?application_name=x", authority)
                == "postgresql://u@db.example/a?application_name=x&sslmode=verify-full&sslrootcert=\(authority)")
        #expect(
            try url("postgresql://u@127.0.0.1,db.example/a", authority)
                == "postgresql://u@127.0.0.1,db.example/a?sslmode=verify-full&sslrootcert=\(authority)")
        #expect(
            try url("postgresql://u@localhost/a?sslmode=verify-full", authority)
                == "postgresql://u@localhost/a?sslmode=verify-full&sslrootcert=\(authority)")
        for asItIs in [
            "postgresql://u@db.example/a?sslmode=disable", "postgresql://u@127.0.0.1/a", "postgresql://u@localhost/a",
            "postgresql://u@%5B::1%5D/a", "postgresql:///a",
            "postgresql:///a?host=/run/postgresql",
            "postgresql://u@db.example/a?sslmode=verify-full&sslrootcert=/own.pem",
        ] where URLComponents(string: asItIs) != nil { #expect(try url(asItIs, authority) == asItIs) }
        for mode in ["allow", "prefer", "require", "verify-ca"] {
            #expect(
                try problem(["POSTGRES_URL": "postgresql://u@localhost/a?sslmode=\(mode)"]).contains(
                    "sslmode=\(mode) does not verify who answers; allowed are verify-full"))
        }
        #expect(
            try problem(["CERTIFICATE_AUTHORITY": "/no/such.pem"]).contains(
                "ATELIER_CERTIFICATE_AUTHORITY: /no/such.pem cannot be read"))
    }
}
