import Foundation
import Store

/// What the web program's logins may do in the database, held against what its pages ask and do: an installation that
/// an earlier version set up, or that was restored without its grants, may lack some of it.
struct DatabaseRights {
    /// A login of an installation: its file, and the role of the schema's whose rights it must have.
    private static let logins = [("reader-url", "atelier_reader"), ("admin-url", "atelier_admin")]
    /// What is called as `atelier_admin`.
    private static let functions = [
        "cancel", "retry", "rebindings", "rebound_models", "rebind", "pause", "delete_job", "delete_concept",
        "resend_set_aside",
    ]

    let store: Store
    /// What stands in a file of the installation; nil where it is not there, or not for this user to read.
    let secret: @Sendable (String) -> String?

    /// What is lacking, with what gives it.
    /// - Throws: `StoreError` when PostgreSQL is away.
    func problems() async throws -> [String] {
        let grants = try await lackingOfRoles()
        var problems = grants.isEmpty ? [] : [grants.joined(separator: ", ") + "; \(Migrate.command) grants it"]
        for (file, role) in Self.logins { problems += try await lacking(of: file, role) }
        return problems
    }

    private func lackingOfRoles() async throws -> [String] {
        let rows = try await store.query(
            """
            select 'atelier_reader lacks usage of the schema dashboard' as what
            where not has_schema_privilege('atelier_reader', 'dashboard', 'usage')
            union all
            select 'atelier_admin lacks usage of the schema atelier'
            where not has_schema_privilege('atelier_admin', 'atelier', 'usage')
            union all
            (select 'atelier_reader may not read dashboard.' || c.relname
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'dashboard' and c.relkind in ('v', 'm', 'r')
                and not has_table_privilege('atelier_reader', c.oid, 'select')
            order by c.relname)
            union all
            (select 'atelier_admin may not call atelier.' || p.proname
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'atelier' and p.proname = any ($1::text[])
                and not has_function_privilege('atelier_admin', p.oid, 'execute')
            order by p.proname)
            """, ["{\(Self.functions.joined(separator: ","))}"])
        return rows.compactMap { $0["what"] }
    }

    /// Nothing where the login of a file has the role's rights, or there is none in this database's cluster.
    private func lacking(of file: String, _ role: String) async throws -> [String] {
        guard let login = secret(file).flatMap({ URLComponents(string: $0)?.user }) else { return [] }
        guard try await store.lacks(role, login: login) else { return [] }
        return ["\(login), the login of \(file), lacks the rights of \(role); sudo atelierctl setup grants them"]
    }
}
