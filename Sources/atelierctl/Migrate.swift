import ArgumentParser
import Daemon
import Foundation
import Jobs
import Store

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Bring the database's schema up to date; forward only.")
    @OptionGroup var server: ServerOptions
    @Option(help: "The folder of the migrations.") var sql: String?
    @Flag(help: "Only show what would be applied.") var dryRun = false

    func run() async throws {
        let installation = Installation()
        guard let directory = sql ?? installation.folder("sql") else {
            Terminal.note("atelierctl: \(installation.absence(of: "sql")); give it with --sql")
            throw ExitStatus.configuration
        }
        let migrations: Migrations
        do { migrations = try Migrations(directory: directory) } catch {
            Terminal.note("atelierctl: \(error)")
            throw ExitStatus.configuration
        }
        try await reporting {
            let store = try server.store()
            if !dryRun { _ = try await migrations.apply(to: store) }
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
}
