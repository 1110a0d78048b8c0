import Foundation
import Hashing

/// The files of `sql/`, in order of their names, each applied once in a transaction of its own.
package struct Migrations: Sendable {
    /// One file.
    package struct File: Sendable, Equatable {
        package let name: String
        package let text: String
        /// SHA-256 of its bytes: a file that was applied must not change.
        package var checksum: String { SHA256Digest.of(Data(text.utf8)).description }
    }

    /// What a file is to a database.
    package enum Standing: String, Sendable { case applied, pending, changed }

    /// The newest that this code needs.
    package static let newest = "0038_job_life.sql"

    /// In order.
    package let files: [File]

    /// A folder that is not one of migrations.
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String
    }

    /// Reads the `.sql` files in `directory`.
    /// - Throws: `Unusable` where there are none: a wrong folder must not look like a database that is up to date.
    package init(directory: String) throws {
        guard let contents = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw Unusable(description: "\(directory) is not a folder that can be read")
        }
        let names = contents.filter { $0.hasSuffix(".sql") }.sorted()
        guard !names.isEmpty else { throw Unusable(description: "\(directory) holds no .sql files") }
        files = try names.map {
            File(name: $0, text: try String(contentsOfFile: directory + "/" + $0, encoding: .utf8))
        }
    }

    /// The files with their standing in the database.
    package func standing(in store: Store) async throws -> [(file: File, standing: Standing)] {
        let exists =
            try await store.query("select to_regclass('atelier.schema_migrations') is not null as found").first?[
                "found"] == "t"
        let rows = exists ? try await store.query("select name, checksum from atelier.schema_migrations") : []
        let applied = Dictionary(rows.map { ($0["name"] ?? "", $0["checksum"] ?? "") }) { first, _ in first }
        return files.map { file in
            guard let checksum = applied[file.name] else { return (file, .pending) }
            return (file, checksum == file.checksum ? .applied : .changed)
        }
    }

    /// Applies what is pending. Gives the names; throws without applying anything when an applied file was changed.
    ///
    /// Another migration may run at the same time: of this database, or of another one of the cluster, where both
    /// create the roles. Whoever comes second is refused for a duplicate, looks again and goes on; it can come second
    /// at every file.
    package func apply(to store: Store) async throws -> [String] {
        var names: [String] = []
        var collisions = 0
        while let file = try await pending(in: store) {
            do {
                try await apply(file, to: store)
                names.append(file.name)
            } catch StoreError.refused(state: "23505", _) where collisions < 2 * files.count {
                collisions += 1
            }
        }
        return names
    }

    /// The next file to apply, or nil; throws when an applied one was changed.
    private func pending(in store: Store) async throws -> File? {
        let standing = try await standing(in: store)
        if let changed = standing.first(where: { $0.standing == .changed }) {
            throw StoreError.refused(
                state: "", message: "\(changed.file.name) was applied and then changed; add a new file instead")
        }
        return standing.first { $0.standing == .pending }?.file
    }

    private func apply(_ file: File, to store: Store) async throws {
        try await store.script(
            """
            begin;
            set local statement_timeout = 0;
            set local lock_timeout = '60s';
            select pg_advisory_xact_lock(4815162342);
            create schema if not exists atelier;
            create table if not exists atelier.schema_migrations
                (name text primary key, checksum text not null, applied_at timestamptz not null default now());
            insert into atelier.schema_migrations (name, checksum) values ('\(file.name)', '\(file.checksum)');
            \(file.text)
            commit;
            """)
    }
}

extension Store {
    /// Whether a migration was not applied, as far as is written down: where psql ran the files it is not.
    package func lacks(_ migration: String) throws -> Bool {
        guard try query("select to_regclass('atelier.schema_migrations') is not null as found").first?["found"] == "t"
        else { return false }
        return try query("select 1 from atelier.schema_migrations where name = $1", [migration]).isEmpty
    }
}
