import ArgumentParser
import Foundation
import Jobs
import Store

struct RejectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejections", abstract: "Look at the messages that were refused at the door, and why.",
        discussion: "They are no jobs. Each was answered with all its problems, on atelier.results and reply_to.",
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List rejections, newest first, each with its first problem.")
        @OptionGroup var server: ServerOptions
        @Option(help: "Only this tenant's.") var tenant: String?
        @Option(help: "Only those within this time: 90s, 30m, 1h, 2d.") var since: String?
        @Option(help: "At most as many.") var limit = 50
        @Option(help: "Only those after this number in the list: the next page.") var after: Int64?

        func run() async throws {
            let begin = try since.map(moment(ago:))
            try await reporting {
                let store = try server.store()
                let rows = try await store.rejections(tenant: tenant, since: begin, after: after, limit: limit)
                server.json ? print(JSONValue.array(rows).text) : printTable(of: rows)
                guard rows.count == limit, let last = rows.last?["number"]?.integer else { return }
                let total = try await store.countRejections(tenant: tenant, since: begin)
                guard total > rows.count else { return }
                Terminal.note("\(rows.count) of \(total) rejections; --after \(last) shows the next, --limit more")
            }
        }

        private func printTable(of rows: [JSONValue]) {
            var table = Table(">NUMBER", "AT", "TENANT", "MESSAGE ID", "KIND", ">PROBLEMS", "THE FIRST")
            for row in rows {
                let problems = row["problems"]?.array ?? []
                table.append(
                    row["number"]?.text ?? "", moment(row["at"]?.string ?? ""), row["tenant"]?.string ?? "",
                    shortened(row["message_id"]?.string ?? "", to: 36), row["kind"]?.string ?? "",
                    String(problems.count), shortened(problems.first.map(sentence) ?? "", to: 100))
            }
            for line in table.lines() { print(line) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything about a rejection: every problem, and the beginning of what came.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "The number of the list, or the message id; of several the newest.") var id: String

        func run() async throws {
            let found = try await reporting { try await server.store().rejections(named: id) }
            guard let rejection = found.first else {
                Terminal.note("atelierctl: no rejection has the number or the message id \"\(printable(id))\"")
                throw ExitStatus.notFound
            }
            if server.json { return print(rejection.text) }
            for name in ["number", "tenant", "message_id", "kind", "at", "kept_bytes"] {
                guard let value = rejection[name], value != .null else { continue }
                let text = value.string ?? value.text
                print(
                    name + String(repeating: " ", count: max(1, 12 - name.count))
                        + printable(name == "at" ? moment(text) : text))
            }
            print("\nproblems")
            for problem in rejection["problems"]?.array ?? [] { print("  " + printable(sentence(problem))) }
            print("\nbeginning\n  " + printable(rejection["beginning"]?.string ?? ""))
            if found.count > 1 {
                let others = found.dropFirst().compactMap { $0["number"]?.text }.joined(separator: ", ")
                Terminal.note("atelierctl: the same message id was refused before: \(others)")
            }
        }
    }
}
