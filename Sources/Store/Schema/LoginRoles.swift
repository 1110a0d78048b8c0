extension Store {
    /// Whether a login of this server lacks the rights of a role; false of one that is not there.
    /// - Throws: `StoreError`.
    package func lacks(_ role: String, login: String) throws -> Bool {
        try !query(
            "select 1 from pg_roles where rolname = $1 and not pg_has_role(oid, $2, 'usage')", [login, role]
        ).isEmpty
    }
}
