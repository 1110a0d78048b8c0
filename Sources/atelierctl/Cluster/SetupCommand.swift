import ArgumentParser
import Daemon
import Foundation
import Store

struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Make database, roles, the broker's users and the files with their URLs, once.",
        discussion: """
            As root on the machine of both servers it needs nothing else. What is there already stays as it is, so \
            that it can be run again; each thing it does is said. Passwords are made here and written into files that \
            only root reads.
            """)
    @Option(help: "PostgreSQL as who may make roles and databases: a URL. This machine's postgres unless given.")
    var postgres: String?
    @Option(help: "The program that administers RabbitMQ.") var rabbitmqctl = "rabbitmqctl"
    @Option(help: "Where the daemon finds RabbitMQ: HOST:PORT/VHOST.") var amqp = "localhost:5672/atelier"
    @Option(help: "What the database is called, and what users begin with.") var name = "atelier"
    @Option(help: "Where settings and secrets go.") var folder = "/etc/atelier"
    @Option(help: "A tenant who may publish: a user of the broker. May be given several times.")
    var tenant: [String] = []
    @Option(help: "The folder of the migrations.") var sql: String?

    func run() async throws {
        let directory = try Migrate.folder(sql)
        var setup = Setup()
        (setup.name, setup.folder, setup.postgresAdmin) = (name, folder, postgres)
        (setup.rabbitmqctl, setup.amqp, setup.tenants) = (rabbitmqctl, amqp, tenant)
        do {
            let migrations = try Migrations(directory: directory)
            try await reporting { try await setup.run(migrations: migrations) { print($0) } }
        } catch let code as ExitCode { throw code } catch {
            Terminal.note("atelierctl: \(error)")
            throw ExitStatus.unavailable
        }
    }
}
