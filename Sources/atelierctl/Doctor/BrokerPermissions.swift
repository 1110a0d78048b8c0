import Broker
import Daemon
import Foundation
import Jobs

/// What RabbitMQ's users may do, held against what keeps tenants apart. `docs/installation.md` says which rights each
/// user needs.
struct BrokerPermissions {
    /// The rights of one user on a virtual host, as regular expressions.
    struct Row: Decodable {
        let user, configure, write, read: String
    }

    private let rows: [Row]
    private let impersonators: Set<String>
    private let names: TopologyNames

    /// Asks `rabbitmqctl` on this host.
    /// - Throws: `Doctor.Trouble` where it cannot be asked: the broker is elsewhere, or this user may not.
    init(of address: BrokerAddress, names: TopologyNames) throws {
        guard ["localhost", "127.0.0.1", "::1"].contains(address.host) else {
            throw Doctor.Trouble("RabbitMQ is on another host")
        }
        self.names = names
        rows = try Self.ask([Row].self, ["list_permissions", "-p", address.virtualHost])
        guard rows.contains(where: { $0.user == address.user }) else {
            throw Doctor.Trouble("rabbitmqctl speaks with a broker that does not know \(address.user)")
        }
        let users = try Self.ask([BrokerUser].self, ["list_users"])
        impersonators = Set(users.filter { $0.tags.contains(BrokerUser.impersonator) }.map(\.user))
    }

    /// What is wrong: rights that a user has and must not have, and what the daemon's own, `user`, lacks.
    /// The web program's user, `web`, reads dead letters to show them, and may have the tag that lets it replay them.
    func problems(user: String, operators: Set<String>, web: String? = nil) -> [String] {
        rows.flatMap { row in
            row.user == user
                ? lacking(row)
                : operators.contains(row.user) ? [] : excess(row, isWeb: row.user == web)
        }
    }

    private func lacking(_ row: Row) -> [String] {
        let own = [names.exchange, names.events, names.control, names.dead, names.jobs, names.results, names.metrics]
        let queue = "amq.gen-x"
        let wanted = [
            ("configure", row.configure, own + [queue]), ("write", row.write, own + [queue, "amq.default"]),
            ("read", row.read, own + [queue]),
        ]
        let rights = wanted.flatMap { right, pattern, resources in
            resources.filter { !Self.allows(pattern, $0) }.map { "\(row.user) lacks \(right) on \($0)" }
        }
        return impersonators.contains(row.user)
            ? rights : rights + ["\(row.user) lacks the tag impersonator, without which no dead letter is replayed"]
    }

    /// What the web program's user, `web`, lacks to publish, to ask what jobs would take, to hear answers at queues
    /// that begin with `queue`, and to show dead letters. The daemon's own user has no queues of answers.
    func lacking(ofWeb web: String, queue: String) -> [String] {
        guard let row = rows.first(where: { $0.user == web }) else { return [] }
        let wanted = [
            ("configure", row.configure, [queue + ".x"]), ("write", row.write, [names.exchange, names.control]),
            ("read", row.read, [queue + ".x", names.dead]),
        ]
        return wanted.flatMap { right, pattern, resources in
            resources.filter { !Self.allows(pattern, $0) }.map { "\(web) lacks \(right) on \($0)" }
        }
    }

    private func excess(_ row: Row, isWeb: Bool) -> [String] {
        let forbidden = [
            ("configure", row.configure, [names.exchange, names.events, names.control, names.jobs, names.dead]),
            ("write", row.write, [names.events, names.jobs, names.results, names.dead, "amq.default"]),
            ("read", row.read, [names.exchange, names.jobs] + (isWeb ? [] : [names.dead])),
        ]
        let rights = forbidden.flatMap { right, pattern, resources in
            resources.filter { Self.allows(pattern, $0) }.map { "\(row.user) has \(right) on \($0)" }
        }
        let isImpersonator = !isWeb && impersonators.contains(row.user)
        return rights + (isImpersonator ? ["\(row.user) may publish as anybody (impersonator)"] : [])
    }

    /// RabbitMQ's rights are found anywhere in a name, and none where they are empty.
    private static func allows(_ pattern: String, _ resource: String) -> Bool {
        guard !pattern.isEmpty, let expression = try? NSRegularExpression(pattern: pattern) else { return false }
        return expression.firstMatch(in: resource, range: NSRange(resource.startIndex..., in: resource)) != nil
    }

    private static func ask<Answer: Decodable>(_ type: Answer.Type, _ words: [String]) throws -> Answer {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["rabbitmqctl", "-q", "--formatter", "json"] + words
        (process.standardInput, process.standardOutput) = (FileHandle.nullDevice, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let answer = try? JSONDecoder().decode(type, from: data) else {
            throw Doctor.Trouble("rabbitmqctl cannot be asked by this user, or is not in the PATH; try sudo")
        }
        return answer
    }
}
