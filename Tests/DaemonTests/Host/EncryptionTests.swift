import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Testing

/// TLS to both servers: who answers must be whom the authority says it is, under the name it was called by.
@Suite(.timeLimit(.minutes(15))) struct EncryptionTests {
    @Test func bothServersAreVerifiedByAuthorityAndName() async throws {
        let servers = try await Servers.startOwn()
        let authority = try #require(servers.certificateAuthority)
        let amqp = try #require(servers.amqpsURL)
        for statement in ["alter system set ssl = on", "select pg_reload_conf()"] {
            try await Servers.run(
                "psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", servers.postgresURL, "-c", statement])
        }
        try await Stage.with(
            servers, settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"]
        ) { stage in
            let name = try await stage.store.query("select current_database() as name").first?["name"] ?? ""
            var parts = try #require(URLComponents(string: servers.postgresURL))
            (parts.host, parts.path, parts.query) = ("localhost", "/" + name, "sslmode=verify-full")
            let encrypted = [
                "ATELIER_AMQP_URL": amqp, "ATELIER_POSTGRES_URL": try #require(parts.string),
                "ATELIER_CERTIFICATE_AUTHORITY": authority,
            ]
            func faults(_ changes: [String: String] = [:], _ arguments: String...) async throws -> [String: String] {
                let run = try await stage.control(
                    ["doctor", "--json"] + arguments, settings: encrypted.merging(changes) { $1 })
                let findings = try JSONValue(json: Data(run.output.utf8)).array ?? []
                let servers = findings.filter {
                    $0["ok"] == .bool(false) && ["postgresql", "rabbitmq", "probe"].contains($0["check"]?.string)
                }
                return Dictionary(
                    uniqueKeysWithValues: servers.map { ($0["check"]?.string ?? "", $0["detail"]?.string ?? "") })
            }

            try stage.start(encrypted)
            try await stage.until("a probe goes the whole way through TLS") { try await faults([:], "--probe").isEmpty }
            let versions = try await stage.store.query(
                """
                select ssl, application_name as who from pg_stat_ssl join pg_stat_activity using (pid) where \
                application_name like 'atelierd/%'
                """
            )
            #expect(versions.count > 3 && versions.allSatisfy { $0["ssl"] == "t" }, "\(versions)")

            let system = try await faults(["ATELIER_CERTIFICATE_AUTHORITY": "/etc/ssl/certs/ca-certificates.crt"])
            #expect(
                system["postgresql"]?.contains("certificate verify failed: it must be valid and signed by an authority")
                    == true, "\(system)")
            #expect(
                system["rabbitmq"]?.contains("signed by an authority in /etc/ssl/certs/ca-certificates.crt") == true,
                "\(system)")

            parts.host = "127.0.0.1"
            let other = try await faults([
                "ATELIER_AMQP_URL": amqp.replacing("localhost", with: "127.0.0.1"),
                "ATELIER_POSTGRES_URL": try #require(parts.string),
            ])
            #expect(other["postgresql"]?.contains(#"does not match host name "127.0.0.1""#) == true, "\(other)")
            #expect(other["rabbitmq"]?.contains("its certificate is not for the name 127.0.0.1") == true, "\(other)")

            let missing = try await stage.control(
                ["doctor"], settings: encrypted.merging(["ATELIER_CERTIFICATE_AUTHORITY": "/no/such.pem"]) { $1 })
            #expect(missing.status == 78 && missing.errors.contains("/no/such.pem cannot be read"), "\(missing)")
        }
        try await servers.remove()
    }
}
