import Foundation
import Jobs
import Store
import Synchronization

/// PostgreSQL as the role that sees the dashboard's views and nothing else: a few connections, each on a thread of its
/// own, so that no page waits for another's query and no thread of the cooperative pool for any.
package struct Reader: Sendable {
    private let stores: [Store]
    private let turn = Turn()

    /// Which connection is next.
    private final class Turn: Sendable {
        private let count = Atomic(0)
        func next(of number: Int) -> Int { abs(count.add(1, ordering: .relaxed).newValue) % number }
    }

    /// Connects with the first query.
    package init(url: String, connections: Int = 4) {
        stores = (0..<connections).map { _ in
            Store(url: url, application: "atelier-web", patience: .seconds(16))
        }
    }

    /// Rows as JSON objects; values enter only as parameters.
    /// - Throws: `StoreError`.
    package func rows(_ sql: String, _ parameters: [String?] = []) async throws -> [JSONValue] {
        let store = stores[turn.next(of: stores.count)]
        let rows = try await store.query("select to_jsonb(q) as object from (\(sql)) q", parameters)
        return try rows.map { try StrictJSON.value(of: Data(($0["object"] ?? "null").utf8)) }
    }

    /// The first row, or nil.
    /// - Throws: `StoreError`.
    package func row(_ sql: String, _ parameters: [String?] = []) async throws -> JSONValue? {
        try await rows(sql, parameters).first
    }
}
