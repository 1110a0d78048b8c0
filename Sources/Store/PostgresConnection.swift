import CPostgreSQL
import Foundation
import Hashing

/// What went wrong with PostgreSQL.
package enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It cannot be reached, is going down, or was too busy: the same may work later.
    case unavailable(String)
    /// It refused the statement: SQLSTATE and its message. The same will fail again.
    case refused(state: String, message: String)

    package var description: String {
        switch self {
        case .unavailable(let reason): "PostgreSQL is unavailable: \(reason)"
        case .refused(let state, let message): "PostgreSQL refused (\(state)): \(message)"
        }
    }

    /// Whether the same may work later.
    package var isTemporary: Bool { if case .unavailable = self { true } else { false } }
}

/// One row of a result: text by column name, nil for NULL.
package struct Row: Sendable, Equatable {
    let columns: [String: String]

    /// The text of a column, nil for NULL. A column that is not in the result is a mistake of the program.
    package subscript(_ name: String) -> String? { columns[name] }
}

/// A connection of libpq: one owner, one thread. Blocks; so its owner is pinned to a thread of its own.
struct PostgresConnection: ~Copyable {
    private let handle: OpaquePointer

    /// Connects, waiting at most five seconds, and sets the session up.
    init(url: String, application: String) throws(StoreError) {
        let keywords = ["dbname", "application_name", "connect_timeout", "keepalives_idle", "tcp_user_timeout", "client_encoding"]
        let values = [url, application, "5", "10", "20000", "UTF8"]
        var keywordPointers: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer(strdup($0)) } + [nil]
        var valuePointers: [UnsafePointer<CChar>?] = values.map { UnsafePointer(strdup($0)) } + [nil]
        defer { for pointer in keywordPointers + valuePointers { free(UnsafeMutablePointer(mutating: pointer)) } }
        _ = CryptographyLibrary.staysUntilTheEnd
        guard let handle = PQconnectdbParams(&keywordPointers, &valuePointers, 1) else { throw .unavailable("out of memory") }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        // JIT compiles for 18 ms what runs for half of one.
        let setup = "set jit = off; set statement_timeout = '15s'; set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '30s'"
        if PQstatus(handle) == CONNECTION_OK { PQclear(PQexec(handle, setup)) }
        guard PQstatus(handle) == CONNECTION_OK else {
            let reason = Self.line(PQerrorMessage(handle))
            PQfinish(handle)
            throw .unavailable(reason)
        }
        self.handle = handle
    }

    deinit { PQfinish(handle) }

    /// Runs one statement with text parameters.
    func query(_ sql: String, _ parameters: [String?]) throws(StoreError) -> [Row] { try run(sql, parameters) }

    /// Runs a script of several statements, without parameters.
    func script(_ sql: String) throws(StoreError) { _ = try run(sql, nil) }

    /// The socket, to wait on.
    var socket: Int32 { PQsocket(handle) }

    /// Reads what came and gives the notifications in it.
    func notifications() throws(StoreError) -> [(channel: String, payload: String)] {
        guard PQconsumeInput(handle) == 1 else { throw .unavailable(Self.line(PQerrorMessage(handle))) }
        var list: [(channel: String, payload: String)] = []
        while let notification = PQnotifies(handle) {
            list.append((String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        return list
    }

    private func run(_ sql: String, _ parameters: [String?]?) throws(StoreError) -> [Row] {
        let result: OpaquePointer?
        if let parameters {
            // In C's strings it would silently cut the text off.
            if let index = parameters.firstIndex(where: { $0?.utf8.contains(0) ?? false }) {
                throw .refused(state: "22021", message: "parameter \(index + 1) holds a NUL character")
            }
            let pointers: [UnsafePointer<CChar>?] = parameters.map { $0.map { UnsafePointer(strdup($0)) } }
            defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
            result = PQexecParams(handle, sql, Int32(parameters.count), nil, pointers, nil, nil, 0)
        } else {
            result = PQexec(handle, sql)
        }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return Self.rows(of: result)
        default: throw error(of: result)
        }
    }

    private static func rows(of result: OpaquePointer?) -> [Row] {
        let names = (0..<PQnfields(result)).map { String(cString: PQfname(result, $0)) }
        return (0..<PQntuples(result)).map { row in
            var columns: [String: String] = [:]
            for (column, name) in names.enumerated() where PQgetisnull(result, row, Int32(column)) == 0 {
                columns[name] = String(cString: PQgetvalue(result, row, Int32(column)))
            }
            return Row(columns: columns)
        }
    }

    private func error(of result: OpaquePointer?) -> StoreError {
        let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let message = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) } ?? Self.line(PQerrorMessage(handle))
        // Connection, resources, operator intervention, serialization, locks and timeouts: later, the same may work.
        let temporary = ["08", "53", "57", "40", "55", "58"].contains(String(state.prefix(2)))
        return state.isEmpty || temporary || PQstatus(handle) != CONNECTION_OK
            ? .unavailable(message) : .refused(state: state, message: message)
    }

    private static func line(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "no reason given" }
        return String(cString: text).trimmingCharacters(in: .whitespacesAndNewlines).replacingOccurrences(of: "\n", with: "; ")
    }
}
