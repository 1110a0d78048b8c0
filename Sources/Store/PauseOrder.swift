/// Whether the daemons start new work. A later order has a larger number.
package struct PauseOrder: Sendable, Equatable {
    /// Whether new work is held back.
    package let isPaused: Bool
    /// Counts the orders.
    package let number: Int
    /// Before any order was heard.
    package static let none = PauseOrder(isPaused: false, number: -1)
}

extension Store {
    /// Whether the cluster is paused, as it stands in the tables.
    package func pauseOrder() throws -> PauseOrder {
        try Self.pauseOrder(query("select paused, changes from atelier.cluster"))
    }

    /// Pauses the cluster or lets it work again, for the daemons to come too. Gives what holds then.
    package func order(paused: Bool) throws -> PauseOrder {
        try Self.pauseOrder(query("select paused, changes from atelier.pause($1::boolean)", [paused ? "t" : "f"]))
    }

    /// The same, so many seconds after it was said: what was written down since, and was not known, stands. Gives
    /// whether it was written down, too.
    package func order(
        paused: Bool, saidBefore seconds: Double, knowing known: PauseOrder
    ) throws -> (order: PauseOrder, isWritten: Bool) {
        let rows = try query(
            "select paused, changes, is_written from atelier.pause($1::boolean, $2::bigint, $3::double precision)",
            [paused ? "t" : "f", String(known.number), String(seconds)])
        return (Self.pauseOrder(rows), rows.first?["is_written"] == "t")
    }

    private static func pauseOrder(_ rows: [Row]) -> PauseOrder {
        PauseOrder(isPaused: rows.first?["paused"] == "t", number: rows.first?["changes"].flatMap { Int($0) } ?? 0)
    }
}
