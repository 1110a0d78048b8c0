import ArgumentParser
import Foundation
import Jobs
import Store

struct TenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants", abstract: "See what is kept of a tenant, and erase all of it.",
        subcommands: [Show.self, Erase.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Count everything there is of a tenant.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "The tenant: its user of the broker.") var tenant: String

        func run() async throws {
            let remains = try await reporting { try await server.store().remains(of: tenant) }
            if server.json { return print(json(remains).text) }
            show(remains)
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase a tenant: jobs, concepts, pictures, adapters, texts, rejections, messages to it.",
            discussion: """
                Jobs that have not ended are cancelled first. It waits until a daemon has removed the files from the \
                disk, lists what remains, which is nothing, and leaves a row in atelier.tenant_erasures that says who \
                asked, when it was over and how much it was. Others' jobs run on meanwhile; a picture that another \
                tenant sent too stays that tenant's. First take the tenant's user from RabbitMQ, or what it publishes \
                meanwhile begins anew. Shows what it will touch and asks; --yes for scripts.
                """)
        @OptionGroup var server: ServerOptions
        @OptionGroup var consent: Consent
        @Argument(help: "The tenant: its user of the broker.") var tenant: String
        @Option(help: "How many seconds to wait for engines to stop and files to be removed.") var wait = 900.0

        func run() async throws {
            try await reporting {
                let store = try server.store()
                let before = try await store.remains(of: tenant)
                guard before.contains(where: { $0.count > 0 }) else {
                    Terminal.note("atelierctl: there is nothing of \(printable(tenant))")
                    throw ExitStatus.notFound
                }
                if consent.dryRun { return server.json ? print(json(before).text) : show(before) }
                if !consent.yes && !server.json { show(before) }
                try consent.confirm("erase all of \(printable(tenant))")
                try await erase(in: store)
            }
        }

        private func erase(in store: Store) async throws {
            let erasure = try await store.beginErasure(of: tenant)
            let deadline = ContinuousClock.now + .seconds(wait)
            var isDone = false
            while !isDone {
                if try await store.erase(erasure) == 0 { isDone = try await store.end(erasure) }
                guard !isDone, ContinuousClock.now < deadline else { break }
                try await Task.sleep(for: .milliseconds(500))
            }
            let after = try await store.remains(of: tenant)
            if server.json {
                print(
                    JSONValue.object([
                        "erasure": .integer(Int(erasure.number)), "is_done": .bool(isDone), "remains": json(after),
                    ]).text)
            } else {
                show(after)
            }
            guard isDone else {
                Terminal.note(
                    """
                    atelierctl: not all of \(printable(tenant)) is gone yet: is a daemon running (atelierctl workers), \
                    and is nothing published for it any more? Run it again: it goes on where it was
                    """)
                throw ExitStatus.unavailable
            }
        }
    }
}

private func json(_ remains: [Remainder]) -> JSONValue {
    .object(Dictionary(uniqueKeysWithValues: remains.map { ($0.what, JSONValue.integer($0.count)) }))
}

private func show(_ remains: [Remainder]) {
    var table = Table(">COUNT", "WHAT")
    for line in remains { table.append(String(line.count), line.what) }
    for line in table.lines() { print(line) }
    if remains.allSatisfy({ $0.count == 0 }) { print("nothing remains") }
}
