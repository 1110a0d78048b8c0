/// Everything that is a tenant's own, counted and erased. Whoever calls must have the role atelier_admin.
package struct TenantErasure: Sendable {
    /// Whose.
    package let tenant: String
    /// The number of the row in `tenant_erasures` that tells of it.
    package let number: Int64

    /// As many jobs are erased in one transaction, or fewer where these hold more than it has time for.
    static let batch = 200
}

/// A sort of things that there are of a tenant, and how many.
package struct Remainder: Sendable, Equatable {
    /// In words: `jobs that have ended`.
    package let what: String
    /// Zero where there is none.
    package let count: Int
}

extension Store {
    /// What there is of a tenant, a line for each sort, zeros among them.
    package func remains(of tenant: String) throws -> [Remainder] {
        try query("select what, count from atelier.remains_of($1)", [tenant]).map { row in
            Remainder(what: row["what"] ?? "", count: row["count"].flatMap { Int($0) } ?? 0)
        }
    }

    /// Writes down that a tenant is to be erased.
    package func beginErasure(of tenant: String) throws -> TenantErasure {
        let row = try query("select atelier.begin_erasure($1) as number", [tenant]).first
        return TenantErasure(tenant: tenant, number: row?["number"].flatMap { Int64($0) } ?? 0)
    }

    /// Cancels and erases the next jobs of the tenant, and all else once there are none. Gives how many jobs are left:
    /// those that run are gone once their engine has stopped, so this is called until it gives 0.
    package func erase(_ erasure: TenantErasure) throws -> Int {
        var batch = StatementBatch(TenantErasure.batch)
        while true {
            do { return try erase(erasure, atMost: batch.size) } catch { try batch.shrink(after: error) }
        }
    }

    private func erase(_ erasure: TenantErasure, atMost batch: Int) throws -> Int {
        try query(
            "select atelier.erase_tenant($1::bigint, $2::int) as left", [String(erasure.number), String(batch)]
        ).first?["left"].flatMap { Int($0) } ?? 0
    }

    /// Writes down that nothing of the tenant remains; false where something does: files that a daemon is still to
    /// remove, or what came meanwhile.
    package func end(_ erasure: TenantErasure) throws -> Bool {
        try query("select atelier.end_erasure($1::bigint) as done", [String(erasure.number)]).first?["done"] == "t"
    }
}
