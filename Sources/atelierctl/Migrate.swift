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
        guard let directory = sql ?? Installation.folder("sql") else {
            Terminal.say("atelierctl: the folder sql is neither beside nor above the program; give it with --sql")
            throw ExitStatus.configuration
        }
        try await reporting {
            let store = try server.store()
            let migrations = try Migrations(directory: directory)
            if !dryRun { _ = try await migrations.apply(to: store) }
            let standing = try await migrations.standing(in: store)
            if server.json {
                return print(JSONValue.object(Dictionary(uniqueKeysWithValues: standing.map { ($0.file.name, .string($0.standing.rawValue)) })).text)
            }
            for (file, standing) in standing { print("\(file.name)  \(standing.rawValue)") }
        }
    }
}
