import Broker
import Foundation
import Jobs
import Store

/// Makes an installation out of two servers: database, roles, the broker's users, each with what it needs and no more,
/// and the files with their URLs. What was done before is left as it is, so that it can be done again.
package struct Setup: Sendable {
    /// What it cannot do, and what to do about it.
    package struct Problem: Error, CustomStringConvertible {
        /// What could not be done, and what to do.
        package let description: String
    }

    /// What everything is called: the database and its owner; users begin with it.
    package var name = "atelier"
    /// The folder that settings and secrets go to.
    package var folder = "/etc/atelier"
    /// PostgreSQL as who may make roles and databases; nil: this machine's, as the user `postgres`.
    package var postgresAdmin: String?
    /// The program that administers RabbitMQ.
    package var rabbitmqctl = "rabbitmqctl"
    /// Where the daemon finds RabbitMQ: host, port and virtual host. In one of its own no user of the broker's has any
    /// right, the one called `guest` among them.
    package var amqp = "localhost:5672/atelier"
    /// Tenants that may publish, each a user of the broker.
    package var tenants: [String] = []

    /// The usual.
    package init() {}

    private var files: SetupFolder { SetupFolder(path: folder) }

    /// What stands in a file of the installation, where that is there and this user reads it.
    package static func secret(_ file: String, in folder: String = Setup().folder) -> String? {
        SetupFolder(path: folder).secret(file)
    }

    /// Does all of it; `say` is told each thing that was done, or was there.
    /// - Throws: ``Problem``, `StoreError`, `Migrations.Unusable`, `SystemError`.
    package func run(migrations: Migrations, say: @escaping @Sendable (String) -> Void) async throws {
        guard name.wholeMatch(of: /[a-z][a-z0-9_]{0,40}/) != nil else {
            throw Problem(description: "\(name): a name is a lower-case letter, then letters, digits and _")
        }
        for tenant in tenants where tenant.wholeMatch(of: /[A-Za-z0-9_.-]{1,100}/) == nil {
            throw Problem(description: "\(tenant): a tenant is letters, digits, dots, dashes and underscores")
        }
        try files.make()
        let admin = try await adminStore()
        try await database(admin, say)
        _ = try await migrations.apply(to: Store(url: try url("owner-url"), application: "atelierctl"))
        say("the schema is \(Migrations.newest)")
        try await logins(admin, say)
        try broker(say)
        if !FileManager.default.fileExists(atPath: folder + "/atelier.json") {
            try files.write("atelier.json", "{}", mode: 0o644)
        }
        say("next: systemctl enable --now atelierd atelier-maintenance.timer atelier-web; atelierctl doctor --probe")
    }

    private func url(_ file: String) throws -> String {
        guard let url = files.secret(file) else { throw Problem(description: "\(folder)/\(file) is gone") }
        return url
    }

    // MARK: - PostgreSQL

    /// A store as who may make roles. Without a URL it is the user `postgres` of this machine, whom PostgreSQL knows by
    /// the process's own user at the moment it connects.
    private func adminStore() async throws -> Store {
        if let postgresAdmin { return try await connected(Store(url: postgresAdmin, application: "atelierctl")) }
        guard geteuid() == 0, let user = getpwnam("postgres") else {
            throw Problem(
                description: "setup makes roles and a database: run it as root, or give --postgres a superuser's URL")
        }
        guard seteuid(user.pointee.pw_uid) == 0 else { throw SystemError("become", "postgres") }
        defer { seteuid(0) }
        return try await connected(
            Store(url: "postgresql:///postgres?host=/var/run/postgresql&user=postgres", application: "atelierctl"))
    }

    private func connected(_ store: Store) async throws -> Store {
        try await store.query("select 1")
        return store
    }

    /// Where the database is, as those who log in by password find it.
    private var place: String {
        let parts = postgresAdmin.flatMap { URLComponents(string: $0) }
        return (parts?.host ?? "localhost") + (parts?.port.map { ":\($0)" } ?? "") + "/" + name
    }

    private func database(_ admin: Store, _ say: (String) -> Void) async throws {
        if files.secret("owner-url") == nil {
            let password = SetupFolder.password()
            try await role(name, password, "createrole", admin)
            try files.write("owner-url", "postgresql://\(name):\(password)@\(place)")
            say("PostgreSQL: the role \(name), which owns the database: \(folder)/owner-url")
        }
        if try await admin.query("select 1 from pg_database where datname = $1", [name]).isEmpty {
            // A server that was made where no locale is set has a template in SQL_ASCII.
            try await admin.query("create database \(name) owner \(name) template template0 encoding 'UTF8'")
            say("PostgreSQL: the database \(name)")
        } else {
            say("PostgreSQL: the database \(name) was there")
        }
    }

    /// Roles that log in, each with the rights of one of the schema's.
    private func logins(_ admin: Store, _ say: (String) -> Void) async throws {
        for (login, rights, file) in [
            (name + "d", "atelier_daemon, atelier_admin", "postgres-url"),
            (name + "_web_reader", "atelier_reader", "reader-url"),
            (name + "_web_admin", "atelier_admin", "admin-url"),
        ] {
            if let url = files.secret(file) {
                try await grant(rights, to: url, admin, say)
                continue
            }
            let password = SetupFolder.password()
            try await role(login, password, "in role \(rights)", admin)
            try files.write(file, "postgresql://\(login):\(password)@\(place)")
            say("PostgreSQL: the role \(login) with the rights of \(rights): \(folder)/\(file)")
        }
    }

    /// Gives a login that was there the rights that it lacks of those; a role of another server's is left alone.
    private func grant(_ rights: String, to url: String, _ admin: Store, _ say: (String) -> Void) async throws {
        guard let login = URLComponents(string: url)?.user else { return }
        for role in rights.split(separator: ", ").map(String.init) {
            guard try await admin.lacks(role, login: login) else { continue }
            try await admin.query("grant \(role) to \"\(login.replacing("\"", with: "\"\""))\"")
            say("PostgreSQL: the role \(login) lacked the rights of \(role), and has them")
        }
    }

    private func role(_ login: String, _ password: String, _ more: String, _ admin: Store) async throws {
        if try await admin.query("select 1 from pg_roles where rolname = $1", [login]).isEmpty {
            try await admin.query("create role \(login) login password '\(password)' \(more)")
        } else {
            // Its password is nowhere any more: it gets another. Its rights it has.
            try await admin.query("alter role \(login) login password '\(password)'")
            if more.hasPrefix("in role ") { try await admin.query("grant \(more.dropFirst(8)) to \(login)") }
        }
    }

    // MARK: - RabbitMQ

    private func broker(_ say: (String) -> Void) throws {
        let host = amqp.contains("/") ? amqp : amqp + "/"
        // Refused where it is there.
        if files.secret("amqp-url") == nil, try rabbitmq(["add_vhost", virtualHost], input: "") == 0 {
            say("RabbitMQ: the virtual host \(virtualHost)")
        }
        let queues = #"^(atelier(\..*)?|amq\.gen.*)$"#
        let answers = "reply\\.\(Self.pattern(JobEvent.routingWord(name + "-web")))\\..*"
        for (user, file, rights) in [
            (name + "d", "amqp-url", [queues, #"^(atelier(\..*)?|amq\.gen.*|amq\.default)$"#, queues]),
            // Publishes jobs, asks what they would take, and reads the dead letters to publish them again.
            (name + "-web", "web-amqp-url", Self.webRights(answers)),
        ] where files.secret(file) == nil {
            let password = SetupFolder.password()
            try self.user(user, password, rights)
            try files.write(file, "amqp://\(user):\(password)@\(host)")
            say("RabbitMQ: the user \(user): \(folder)/\(file)")
        }
        try refreshDaemon(say)
        try refreshWeb(answers, say)
        for tenant in tenants { try add(tenant, host, say) }
    }

    /// A user who may publish, and reads its own answers and events and no other tenant's.
    private func add(_ tenant: String, _ host: String, _ say: (String) -> Void) throws {
        let own = SetupFolder(path: folder + "/tenants")
        guard own.secret(tenant) == nil else { return }
        try own.make()
        let password = SetupFolder.password()
        let word = Self.pattern(JobEvent.routingWord(tenant))
        let queue = "reply\\." + word
        try user(
            tenant, password,
            ["^\(queue)(\\..*)?$", "^(atelier|\(queue)(\\..*)?)$", "^(atelier\\.events|\(queue)(\\..*)?)$"])
        let topics = ["set_topic_permissions", "-p", virtualHost, tenant, "atelier.events", "^$", "^\(word)\\."]
        guard try rabbitmq(topics, input: "") == 0 else {
            throw Problem(description: "\(rabbitmqctl) bounds no topics of \(tenant)")
        }
        try own.write(tenant, "amqp://\(tenant):\(password)@\(host)")
        say("RabbitMQ: the tenant \(tenant), who may publish: \(folder)/tenants/\(tenant)")
    }

    /// What the web program's user may configure, write and read, where its answers come to queues of that pattern.
    private static func webRights(_ answers: String) -> [String] {
        ["^\(answers)$", "^atelier(\\.control)?$", "^(atelier\\.dead|\(answers))$"]
    }

    /// The daemon's user publishes dead letters again in their senders' names: it gets the tag for that, beside those
    /// that it has. One of another name is somebody's own, and left alone; so is a broker that cannot be asked.
    private func refreshDaemon(_ say: (String) -> Void) throws {
        guard let address = files.secret("amqp-url").flatMap({ try? BrokerAddress(url: $0) }),
            address.user == name + "d", let owned = try tags(of: address.user), !owned.contains(BrokerUser.impersonator)
        else { return }
        if try rabbitmq(["set_user_tags", address.user] + owned + [BrokerUser.impersonator], input: "") == 0 {
            say("RabbitMQ: the user \(address.user) may publish dead letters again in their senders' names")
        }
    }

    /// A user's tags; nil where there is none, or nobody can be asked.
    private func tags(of user: String) throws -> [String]? {
        let said = try answer(to: ["--formatter", "json", "list_users"], input: "").output
        return (try? JSONDecoder().decode([BrokerUser].self, from: said))?.first { $0.user == user }?.tags
    }

    /// The web program's user, where an earlier version made it, may since do more: it gets what today's needs. One of
    /// another name is somebody's own, and left alone; so is a broker that cannot be asked.
    private func refreshWeb(_ answers: String, _ say: (String) -> Void) throws {
        guard let address = files.secret("web-amqp-url").flatMap({ try? BrokerAddress(url: $0) }),
            address.user == name + "-web"
        else { return }
        let rights = ["set_permissions", "-p", address.virtualHost, address.user] + Self.webRights(answers)
        if try rabbitmq(rights, input: "") == 0 {
            say("RabbitMQ: the user \(address.user) has the rights that this version needs")
        }
    }

    private var virtualHost: String {
        let parts = amqp.split(separator: "/", maxSplits: 1)
        return parts.count > 1 && !parts[1].isEmpty ? parts[1].removingPercentEncoding ?? String(parts[1]) : "/"
    }

    /// The text as a regular expression that means it.
    private static func pattern(_ text: String) -> String { text.replacing(".", with: "\\.") }

    private func user(_ user: String, _ password: String, _ rights: [String]) throws {
        // Where it is there, its password is nowhere any more. The password goes by stdin: arguments are everybody's.
        if try rabbitmq(["add_user", user], input: password) != 0,
            try rabbitmq(["change_password", user], input: password) != 0
        {
            throw Problem(description: "\(rabbitmqctl) makes no user \(user): is RabbitMQ running on this machine?")
        }
        guard try rabbitmq(["set_permissions", "-p", virtualHost, user] + rights, input: "") == 0 else {
            throw Problem(description: "\(rabbitmqctl) gives \(user) no rights on the virtual host \(virtualHost)")
        }
    }

    private func rabbitmq(_ arguments: [String], input: String) throws -> Int32 {
        try answer(to: arguments, input: input).status
    }

    private func answer(to arguments: [String], input: String) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [rabbitmqctl, "--quiet"] + arguments
        let (pipe, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (pipe, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        try pipe.fileHandleForWriting.write(contentsOf: Data((input + "\n").utf8))
        try pipe.fileHandleForWriting.close()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, said)
    }
}
