import ArgumentParser
import Daemon
import Foundation
import Jobs
import Store

struct Migrate: AsyncParsableCommand {
    /// What an operator types.
    static let command = "sudo atelierctl migrate (docs/installation.md, step 3)"
    /// Where an installation has the URL of the database's owner.
    private static let ownerURLFile = "/etc/atelier/owner-url"

    static let configuration = CommandConfiguration(
        abstract: "Bring the database's schema up to date; forward only.",
        discussion: """
            Only the database's owner may. Who that is: the file of --owner-url-file, else ATELIER_POSTGRES_URL, else \
            \(ownerURLFile) where it is there, else the settings.
            """)
    @OptionGroup var server: ServerOptions
    @Option(help: "A file with the URL of the database's owner.") var ownerURLFile: String?
    @Option(help: "The folder of the migrations.") var sql: String?
    @Flag(help: "Only show what would be applied.") var dryRun = false

    func run() async throws {
        let directory = try Self.folder(sql)
        let migrations: Migrations
        do { migrations = try Migrations(directory: directory) } catch {
            Terminal.note("atelierctl: \(error)")
            throw ExitStatus.configuration
        }
        try await reporting {
            let store = Store(url: try settings().postgresURL.reveal(), application: "atelierctl")
            if !dryRun { try await apply(migrations, to: store) }
            let standing = try await migrations.standing(in: store)
            if server.json {
                return print(
                    JSONValue.object(
                        Dictionary(uniqueKeysWithValues: standing.map { ($0.file.name, .string($0.standing.rawValue)) })
                    ).text)
            }
            for (file, standing) in standing { print("\(file.name)  \(standing.rawValue)") }
        }
    }

    /// The folder of the migrations, the installation's unless one is given; without either the program ends.
    static func folder(_ given: String?) throws -> String {
        let installation = Installation()
        if let folder = given ?? installation.folder("sql") { return folder }
        Terminal.note("atelierctl: \(installation.absence(of: "sql")); give it with --sql")
        throw ExitStatus.configuration
    }

    private func apply(_ migrations: Migrations, to store: Store) async throws {
        do { _ = try await migrations.apply(to: store) } catch StoreError.refused(let state, let message)
            where state == "42501"
        {
            Terminal.note("atelierctl: \(printable(message)); only the database's owner may: \(Self.command)")
            throw ExitStatus.badInput
        }
    }

    private func settings() throws -> Settings {
        let file = ownerURLFile ?? (access(Self.ownerURLFile, R_OK) == 0 ? Self.ownerURLFile : nil)
        guard let file, ownerURLFile != nil || ProcessInfo.processInfo.environment["ATELIER_POSTGRES_URL"] == nil
        else { return try server.settings() }
        return try server.settings(postgresURLFile: file)
    }
}
