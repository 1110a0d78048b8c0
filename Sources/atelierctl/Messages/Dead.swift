import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs

struct Dead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the messages the broker gave up on, and publish them again.",
        discussion: "They are neither jobs nor rejections: nobody could write down what became of them.",
        subcommands: [List.self, Replay.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List dead letters; they stay dead.")
        @OptionGroup var server: ServerOptions
        @Option(help: "At most as many.") var limit: UInt16 = 100

        func run() async throws {
            let settings = try server.settings(needing: ["amqpURL"])
            var letters: [DeadLetter] = []
            // Bodies are not needed to be listed.
            let rest = try await browse(settings, limit: Int(limit), maximumBodyBytes: 0) {
                letters.append(DeadLetter($0))
            }
            if server.json { print(JSONValue.array(letters.map(\.json)).text) } else { printTable(of: letters) }
            noteUnseen(rest)
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish dead letters again as they came; each leaves the dead once the broker has it.",
            discussion:
                """
                Repeating one does no harm: the same message id is the same job. Shows what it will touch and asks; \
                --yes for scripts.
                """
        )
        @OptionGroup var server: ServerOptions
        @OptionGroup var consent: Consent
        @Argument(help: "Message ids.") var ids: [String] = []
        @Option(help: "Only this tenant's; needed where several have one of an id.") var tenant: String?
        @Flag(help: "All of them.") var all = false
        @Option(help: "Look at no more than so many.") var limit: UInt16 = 1000

        func validate() throws {
            guard all == ids.isEmpty else { throw ValidationError("say which: message ids, or --all") }
        }

        func run() async throws {
            let settings = try server.settings(needing: ["amqpURL"])
            var letters: [DeadLetter] = []
            let rest = try await browse(settings, limit: Int(limit), maximumBodyBytes: 0) { delivery in
                let letter = DeadLetter(delivery)
                if means(letter) { letters.append(letter) }
            }
            let missing = ids.filter { id in !letters.contains { $0.messageID == id } }
            if !missing.isEmpty {
                let named = missing.map(printable).joined(separator: ", ")
                Terminal.note("atelierctl: no dead letter\(ofTenant) has the message id \(named)")
            }
            if all || !missing.isEmpty { noteUnseen(rest) }
            guard missing.isEmpty else { throw ExitStatus.notFound }
            try checkOwners(of: letters)
            guard !consent.dryRun else {
                return server.json ? print(JSONValue.array(letters.map(\.json)).text) : printTable(of: letters)
            }
            guard !letters.isEmpty else { return print(server.json ? "[]" : "there are no dead letters\(ofTenant)") }
            if !consent.yes && !server.json { printTable(of: letters) }
            try consent.confirm("replay \(counted(letters.count, "message"))")
            try await replay(letters, unseen: rest, settings)
        }

        private var ofTenant: String { tenant.map { " of " + printable($0) } ?? "" }

        private func means(_ letter: DeadLetter) -> Bool {
            (all || letter.messageID.map(ids.contains) ?? false) && (tenant == nil || tenant == letter.tenant)
        }

        /// Ends the program where tenants share an id that was named.
        private func checkOwners(of letters: [DeadLetter]) throws {
            let shared = ids.compactMap { id -> (id: String, tenants: [String])? in
                let tenants = Set(letters.filter { $0.messageID == id }.map(\.tenant)).sorted()
                return tenants.count > 1 ? (id: id, tenants: tenants) : nil
            }
            guard !shared.isEmpty else { return }
            for (id, tenants) in shared {
                Terminal.note(
                    """
                    atelierctl: \(tenants.map(printable).joined(separator: ", ")) have a dead letter of the message \
                    id \(printable(id)); say whose with --tenant
                    """)
            }
            throw ExitStatus.badInput
        }

        /// Replays what was shown and no other. What a look gave back may lie behind what it did not reach: this one
        /// reaches all.
        private func replay(_ shown: [DeadLetter], unseen: Int, _ settings: Settings) async throws {
            let publishing = DeadLetterReplay(
                try settings.broker(), names: TopologyNames(prefix: settings.topologyPrefix))
            var results: [JSONValue] = []
            var areAllReplayed = true
            let handles = Set(shown.map(\.handle))
            func isDone() -> Bool { results.count == shown.count }
            do {
                _ = try await browse(
                    settings, limit: Int(limit) + unseen, maximumBodyBytes: settings.messageMiB << 20, until: isDone
                ) { delivery in
                    let letter = DeadLetter(delivery)
                    guard means(letter), handles.contains(letter.handle) else { return }
                    let problem = await replay(letter, of: delivery, by: publishing)
                    if problem != nil { areAllReplayed = false }
                    results.append(
                        .object([
                            "message_id": letter.messageID.map(JSONValue.string) ?? .null,
                            "problem": problem.map(JSONValue.string) ?? .null,
                        ]))
                    if !server.json {
                        print(
                            """
                            \(printable(letter.messageID ?? "(no message id)"))  \
                            \(problem.map { "not replayed: " + printable($0) } ?? "replayed")
                            """
                        )
                    }
                }
            } catch {
                await publishing.stop()
                throw error
            }
            await publishing.stop()
            if server.json { print(JSONValue.array(results).text) }
            let unmet = shown.count - results.count
            if areAllReplayed, unmet > 0 {
                Terminal.note(
                    """
                    atelierctl: \(counted(unmet, "message")) did not come back to the queue; somebody else may have \
                    them
                    """
                )
            }
            if !areAllReplayed || unmet > 0 { throw ExitStatus.unavailable }
        }

        /// Publishes a letter again, and takes it from the dead once the broker has it; gives why it stays there.
        private func replay(
            _ letter: DeadLetter, of delivery: Delivery, by publishing: DeadLetterReplay
        ) async -> String? {
            guard !delivery.isTooLong else { return "its body is longer than messageMiB allows" }
            let outcome = await publishing.publish(letter, of: delivery)
            if outcome == .confirmed { delivery.acknowledge() }
            return outcome.trouble
        }
    }
}

/// Looks through the dead letters; a broker that is away or has no such queue ends the program with a line and its
/// code.
/// - Parameter isDone: whether no more are wanted.
/// - Returns: how many lie beyond the limit.
private func browse(
    _ settings: Settings, limit: Int, maximumBodyBytes: Int, until isDone: () -> Bool = { false },
    _ body: (Delivery) async throws -> Void
) async throws -> Int {
    let queue = TopologyNames(prefix: settings.topologyPrefix).dead
    let backlog = Backlog(try settings.broker(), queue: queue, limit: limit, maximumBodyBytes: maximumBodyBytes)
    backlog.start()
    do {
        while !isDone(), let delivery = try await backlog.next() { try await body(delivery) }
        await backlog.stop()
        return max(backlog.waiting - limit, 0)
    } catch {
        await backlog.stop()
        guard let error = error as? BrokerError else { throw error }
        if case .topology(_, 404, _) = error {
            Terminal.note("atelierctl: there is no queue \(queue); atelierd declares it when it first runs")
        } else {
            Terminal.note("atelierctl: \(printable(error.description))")
        }
        throw ExitStatus.unavailable
    }
}

/// Says how many letters were not looked at.
private func noteUnseen(_ rest: Int) {
    guard rest > 0 else { return }
    let unseen = counted(rest, "more message", "was", "were")
    Terminal.note("atelierctl: \(unseen) not looked at; --limit says how far to look")
}

private func printTable(of letters: [DeadLetter]) {
    var table = Table("MESSAGE ID", "KIND", "TENANT", ">BYTES", "REASON", "DIED", "FROM")
    for letter in letters { table.rows.append(letter.cells) }
    for line in table.lines() { print(line) }
}

extension DeadLetter {
    /// For people.
    fileprivate var cells: [String] {
        [messageID ?? "", kind, tenant, String(bytes), words, time.map { moment($0.formatted(.iso8601)) } ?? "", queue]
    }
}
