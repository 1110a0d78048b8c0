import Foundation
import Jobs
import Threads

/// PostgreSQL, as Atelier speaks with it: one connection on a thread of its own, made when first needed and again after
/// it broke.
///
/// Each call is one statement and so one transaction. After `StoreError.unavailable` it is not known whether that
/// statement committed; every transition can be repeated: the message id, the fence or the state make the second time
/// harmless.
package actor Store {
    private let executor: PinnedExecutor
    private let url: String
    private let application: String
    private let patience: Duration
    private var connection: PostgresConnection?

    /// A thread of the connection's own: libpq blocks.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A store at `url`; connects with the first call. A server that says nothing to a statement for as long as
    /// `patience` is unavailable.
    package init(url: String, application: String, patience: Duration = .seconds(20)) {
        self.url = url
        self.application = application
        self.patience = patience
        executor = PinnedExecutor(name: application)
    }

    /// Runs one statement; values enter only as parameters.
    @discardableResult
    package func query(_ sql: String, _ parameters: [String?] = []) throws(StoreError) -> [Row] {
        if connection == nil {
            connection = try PostgresConnection(url: url, application: application, patience: patience)
        }
        do throws(StoreError) {
            return try connection!.query(sql, parameters)
        } catch {
            // Also after a refusal that may pass: another connection may reach a server that writes again.
            if error.isTemporary { connection = nil }
            throw error
        }
    }

    /// Runs a script of several statements.
    package func script(_ sql: String) throws(StoreError) {
        if connection == nil {
            connection = try PostgresConnection(url: url, application: application, patience: patience)
        }
        do throws(StoreError) {
            try connection!.script(sql)
        } catch {
            connection = nil  // rolls back whatever was open
            throw error
        }
    }

    /// Ends the connection, and with it whatever transaction is open; the next call makes another.
    func disconnect() { connection = nil }

    /// Rows as JSON objects: for people and scripts, `sql` being a query without parameters' types in doubt.
    package func objects(_ sql: String, _ parameters: [String?] = []) throws -> [JSONValue] {
        try query("select to_jsonb(q) as object from (\(sql)) q", parameters).map { row in
            try JSONValue(json: Data((row["object"] ?? "null").utf8))
        }
    }
}
