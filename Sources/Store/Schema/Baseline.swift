import Foundation

extension Migrations {
    /// The files that made databases before the migrations of today: `baseline/SHA256SUMS` names them, and
    /// `baseline/upgrade.sql` makes of what they made what the first migrations of today make.
    struct Baseline: Sendable {
        /// The checksums by name.
        private let checksums: [String: String]
        private let upgrade: File
        /// The migrations that such a database has then.
        private static let last = "migrations/0004_cluster.sql"

        /// Reads both files.
        /// - Throws: `Unusable` where one cannot be read.
        init(directory: String) throws {
            upgrade = try Migrations.file("baseline/upgrade.sql", of: directory)
            let list = try Migrations.file("baseline/SHA256SUMS", of: directory).text
            checksums = Dictionary(
                list.split(separator: "\n").map { line in
                    let words = line.split(separator: " ")
                    return (String(words.last ?? ""), String(words.first ?? ""))
                }
            ) { first, _ in first }
        }

        /// Those of the files that such a database has after the upgrade.
        func replacements(in files: [File]) -> [File] { files.filter { $0.isMigration && $0.name <= Self.last } }

        /// What is to be run where files of these names and checksums were applied; nil where none of them is an old
        /// one.
        /// - Throws: ``StoreError/refused(state:message:)`` where only some were applied, or others.
        func upgrade(from applied: [String: String]) throws(StoreError) -> File? {
            guard applied.keys.contains(where: { checksums[$0] != nil }) else { return nil }
            let missing = checksums.keys.filter { applied[$0] == nil }.sorted()
            guard missing.isEmpty else {
                throw .refused(
                    state: "",
                    message: """
                        this database has only \(checksums.count - missing.count) of the \(checksums.count) files of \
                        the version before: \(missing.joined(separator: ", ")) missing. Nothing was changed; run \
                        atelierctl migrate of that version first, then this one's
                        """)
            }
            if let changed = checksums.filter({ applied[$0.key] != $0.value }).keys.min() {
                throw .refused(
                    state: "",
                    message: """
                        \(changed) was applied to this database in another form than that of any version. Nothing \
                        was changed; restore the schema to the version before, or move the jobs to a new database
                        """)
            }
            return upgrade
        }

        /// The applied files, the old ones' replacements instead of them where all of them were.
        func translated(_ applied: [String: String], into files: [File]) -> [String: String] {
            guard (try? upgrade(from: applied)) != nil else { return applied }
            return Dictionary(uniqueKeysWithValues: replacements(in: files).map { ($0.name, $0.checksum) })
        }

        /// What to do where tables are there and nothing tells which files made them.
        static let unrecorded = StoreError.refused(
            state: "",
            message: """
                this database has tables of atelier, but no table atelier.schema_migrations that tells which files \
                made them. Nothing was changed; fill it (name, checksum: the SHA-256 of each file that was applied) \
                and migrate again
                """)
    }
}
