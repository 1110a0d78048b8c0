import Foundation
import Hashing

/// The files of `sql/`: `migrations/`, each applied once, in order of their names; `functions/` and `views/`, applied
/// again when they changed; `roles.sql`, applied again every time, for grants may have been lost.
package struct Migrations: Sendable {
    /// One file.
    package struct File: Sendable, Equatable {
        /// Its path in the folder.
        package let name: String
        /// Its SQL.
        package let text: String
        /// SHA-256 of its bytes.
        var checksum: String { SHA256Digest.of(Data(text.utf8)).description }
        /// Whether it is applied once, and must not change afterwards.
        package var isMigration: Bool { name.hasPrefix("migrations/") }
    }

    /// What a file is to a database. A migration that was applied must not change; what else changed is pending.
    package enum Standing: String, Sendable { case applied, pending, changed }

    /// The newest migration that this code needs.
    package static let newest = "migrations/0024_worker_disk.sql"

    /// In the order they are applied in.
    package let files: [File]
    /// The files from before the migrations of today, which may have made a database.
    let baseline: Baseline

    /// A folder that is not one of migrations.
    package struct Unusable: Error, CustomStringConvertible {
        /// The folder, and what it lacks.
        package let description: String
    }

    /// Reads the files in `directory`.
    /// - Throws: `Unusable` where a sort is missing: a wrong folder must not look like a database that is up to date.
    package init(directory: String) throws {
        files =
            try ["migrations", "functions", "views"].flatMap { try Self.files(in: $0, of: directory) }
            + [Self.file("roles.sql", of: directory)]
        baseline = try Baseline(directory: directory)
    }

    private static func files(in room: String, of directory: String) throws -> [File] {
        guard (try? FileManager.default.contentsOfDirectory(atPath: directory)) != nil else {
            throw Unusable(description: "\(directory) is not a folder that can be read")
        }
        let contents = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/" + room)) ?? []
        guard contents.contains(where: { $0.hasSuffix(".sql") }) else {
            throw Unusable(description: "\(directory)/\(room) holds no .sql files")
        }
        return try contents.filter { $0.hasSuffix(".sql") }.sorted().map { try file(room + "/" + $0, of: directory) }
    }

    /// The file at `name`, a path in `directory`.
    static func file(_ name: String, of directory: String) throws -> File {
        guard let text = try? String(contentsOfFile: directory + "/" + name, encoding: .utf8) else {
            throw Unusable(description: "\(directory)/\(name) cannot be read")
        }
        return File(name: name, text: text)
    }

    /// The files with their standing in the database.
    package func standing(in store: Store) async throws -> [(file: File, standing: Standing)] {
        standing(where: try await store.appliedFiles() ?? [:])
    }

    /// The files with their standing where files of these names and checksums were applied.
    func standing(where applied: [String: String]) -> [(file: File, standing: Standing)] {
        let known = baseline.translated(applied, into: files)
        return files.map { file in
            guard let checksum = known[file.name] else { return (file, .pending) }
            return (file, checksum == file.checksum ? .applied : file.isMigration ? .changed : .pending)
        }
    }

    /// Applies what is pending, in one transaction. Gives the names; throws without applying anything when an applied
    /// migration was changed.
    ///
    /// Another migration may run at the same time: of this database, which one waits for; or of another one of the
    /// cluster, where both create the roles: then who comes second is refused for a duplicate, and begins again.
    package func apply(to store: Store) async throws -> [String] {
        for _ in 0..<3 {
            do { return try await store.apply(self) } catch StoreError.refused(state: "23505", _) { continue }
        }
        return try await store.apply(self)
    }
}

extension Store {
    /// Whether a migration was not applied, as far as is written down: where psql ran the files it is not.
    package func lacks(_ migration: String) throws -> Bool {
        guard let applied = try appliedFiles() else { return false }
        return applied[migration] == nil
    }

    /// The checksums of the files that were applied, by name; nil where that is not written down.
    func appliedFiles() throws -> [String: String]? {
        guard try query("select to_regclass('atelier.schema_migrations') is not null as found").first?["found"] == "t"
        else { return nil }
        let rows = try query("select name, checksum from atelier.schema_migrations")
        return Dictionary(rows.map { ($0["name"] ?? "", $0["checksum"] ?? "") }) { first, _ in first }
    }

    /// Applies what is pending of the files, in one transaction under a lock.
    fileprivate func apply(_ migrations: Migrations) throws -> [String] {
        do {
            let names = try applyInTransaction(migrations)
            try script("commit")
            return names
        } catch {
            disconnect()  // rolls back
            throw error
        }
    }

    private func applyInTransaction(_ migrations: Migrations) throws -> [String] {
        // Functions may name what a later file makes.
        try script(
            """
            begin;
            set local statement_timeout = 0;
            set local lock_timeout = '60s';
            set local check_function_bodies = off;
            select pg_advisory_xact_lock(4815162342);
            """)
        let hasTables = try query("select to_regclass('atelier.jobs') is not null as found").first?["found"] == "t"
        if let applied = try appliedFiles() {
            if let upgrade = try migrations.baseline.upgrade(from: applied) { try upgradeBaseline(upgrade, migrations) }
        } else if hasTables {
            throw Migrations.Baseline.unrecorded
        } else {
            try checkEncoding()
        }
        try script(
            """
            create schema if not exists atelier;
            create table if not exists atelier.schema_migrations
                (name text primary key, checksum text not null, applied_at timestamptz not null default now());
            """)
        let standing = migrations.standing(where: try appliedFiles() ?? [:])
        if let changed = standing.first(where: { $0.standing == .changed }) {
            throw StoreError.refused(
                state: "", message: "\(changed.file.name) was applied and then changed; add a new file instead")
        }
        let pending = standing.filter { $0.standing == .pending || $0.file.name == "roles.sql" }.map(\.file)
        guard standing.contains(where: { $0.standing == .pending }) else {
            // A restore without grants, or a hand, may have taken rights that were given once.
            for file in pending { try run(file) }
            return []
        }
        for file in pending { try apply(file) }
        return pending.map(\.name)
    }

    /// The encoding that the database keeps texts in, as PostgreSQL calls it.
    /// - Throws: `StoreError`.
    package func encoding() throws(StoreError) -> String {
        try query("select current_setting('server_encoding') as encoding").first?["encoding"] ?? ""
    }

    /// A database of another encoding cuts texts amid letters, or refuses them; later it cannot be given another.
    private func checkEncoding() throws(StoreError) {
        let encoding = try encoding()
        guard encoding != "UTF8" else { return }
        throw .refused(
            state: "",
            message: """
                this database is in \(encoding), which cuts texts amid letters or refuses them; drop it, and make it \
                anew: create database NAME owner OWNER template template0 encoding 'UTF8'
                """)
    }

    private func upgradeBaseline(_ upgrade: Migrations.File, _ migrations: Migrations) throws {
        try run(upgrade)
        try query("delete from atelier.schema_migrations")
        for file in migrations.baseline.replacements(in: migrations.files) { try note(file) }
    }

    private func apply(_ file: Migrations.File) throws {
        try run(file)
        try note(file)
    }

    private func note(_ file: Migrations.File) throws {
        try query(
            """
            insert into atelier.schema_migrations (name, checksum) values ($1, $2)
            on conflict (name) do update set checksum = excluded.checksum, applied_at = now()
            """, [file.name, file.checksum])
    }

    /// Runs a file; what PostgreSQL refuses is told with the file's name.
    private func run(_ file: Migrations.File) throws {
        do { try script(file.text) } catch StoreError.refused(let state, let message) {
            throw StoreError.refused(state: state, message: "sql/\(file.name): \(message)")
        }
    }
}
