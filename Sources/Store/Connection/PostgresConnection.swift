import CPostgreSQL
import Foundation
import Hashing
import Synchronization

/// What went wrong with PostgreSQL.
package enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It cannot be reached, is going down, or was too busy: the same may work later.
    case unavailable(String)
    /// It ended a statement, which took longer than it may: the same may work later, and less of it sooner.
    case tookTooLong(String)
    /// It refused the statement: SQLSTATE and its message; without one the refusal is ours.
    case refused(state: String, message: String)

    /// What PostgreSQL or libpq said, in one line.
    package var description: String {
        switch self {
        case .unavailable(let reason): "PostgreSQL is unavailable: \(reason)"
        case .tookTooLong(let reason): "PostgreSQL ended the statement: \(reason)"
        case .refused("", let message): message
        case .refused(let state, let message): "PostgreSQL refused (\(state)): \(message)"
        }
    }

    /// Whether the same may work later. Only what was to be written is at fault for good: data that do not fit (classes
    /// 22 and 23), or are too much (54). A server that only reads, a schema of yesterday, a privilege that is missing:
    /// an operator puts these right, and nobody's message is given up for them.
    package var isTemporary: Bool {
        switch self {
        case .unavailable, .tookTooLong: true
        case .refused(let state, _): !["", "22", "23", "54"].contains(state.prefix(2))
        }
    }

    /// Whether PostgreSQL's disk is full: it answers, and can write nothing more until somebody makes room.
    package var isOfAFullDisk: Bool { state == Self.diskFull }

    /// Whether it answers and writes nothing, for want of room, or because it only reads.
    package var writesNothing: Bool { isOfAFullDisk || state == "25006" }

    private var state: String? { if case .refused(let state, _) = self { state } else { nil } }

    /// The SQLSTATE of a disk that is full.
    fileprivate static let diskFull = "53100"
    /// The SQLSTATE of a statement that was ended: by its time, or by hand.
    fileprivate static let queryCanceled = "57014"
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
    private let patience: Duration

    /// Connects, waiting at most five seconds, and sets the session up. Whoever says nothing to a statement for as long
    /// as `patience` is given up: a server or a link that takes every byte looks well to the kernel, whose own limits
    /// only end connections that take none. It is longer than the server lets a statement take.
    init(url: String, application: String, patience: Duration = .seconds(20)) throws(StoreError) {
        let keywords = [
            "dbname", "application_name", "connect_timeout", "keepalives_idle", "tcp_user_timeout", "client_encoding",
        ]
        let values = [Self.strict(url), application, "5", "10", "20000", "UTF8"]
        var keywordPointers: [UnsafePointer<CChar>?] = keywords.map { UnsafePointer(strdup($0)) } + [nil]
        var valuePointers: [UnsafePointer<CChar>?] = values.map { UnsafePointer(strdup($0)) } + [nil]
        defer { for pointer in keywordPointers + valuePointers { free(UnsafeMutablePointer(mutating: pointer)) } }
        _ = CryptographyLibrary.staysUntilTheEnd
        guard let handle = PQconnectdbParams(&keywordPointers, &valuePointers, 1) else {
            throw .unavailable("out of memory")
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        do throws(StoreError) { try Self.prepare(handle, patience) } catch {
            PQfinish(handle)
            throw error
        }
        (self.handle, self.patience) = (handle, patience)
    }

    deinit { PQfinish(handle) }

    /// The URL as RFC 3986 writes it: a user's name ends for libpq at the first `@`, and what follows, the password
    /// too, it repeats in its errors.
    private static func strict(_ url: String) -> String {
        url.contains("://") ? URLComponents(string: url)?.string ?? url : url
    }

    private static func prepare(_ handle: OpaquePointer, _ patience: Duration) throws(StoreError) {
        guard PQstatus(handle) == CONNECTION_OK else {
            let reason = line(PQerrorMessage(handle))
            let isDoubted = reason.contains("certificate verify failed")
            throw .unavailable(
                isDoubted ? reason + ": it must be valid and signed by an authority in the URL's sslrootcert" : reason)
        }
        // JIT compiles for 18 ms what runs for half of one.
        let settings = [
            "jit": "off", "statement_timeout": "15s", "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "30s",
            // The server's side of it: a host that has gone must not keep its locks for hours.
            "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
            "tcp_user_timeout": "20000",
        ]
        let calls = settings.map { "set_config('\($0)', '\($1)', false)" }.joined(separator: ", ")
        _ = try read(ask(handle, "select " + calls, [], patience), of: handle)
    }

    /// Runs one statement with text parameters.
    func query(_ sql: String, _ parameters: [String?]) throws(StoreError) -> [Row] {
        try Self.read(Self.ask(handle, sql, parameters, patience), of: handle)
    }

    /// Runs a script of several statements, without parameters, however long it takes.
    func script(_ sql: String) throws(StoreError) { _ = try Self.read(PQexec(handle, sql), of: handle) }

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

    /// Sends a statement and gives what the server says to it; the caller clears that.
    /// - Throws: ``StoreError/unavailable(_:)`` where it says nothing: then the connection is good for nothing any
    ///   more.
    private static func ask(
        _ handle: OpaquePointer, _ sql: String, _ parameters: [String?], _ patience: Duration
    ) throws(StoreError) -> OpaquePointer? {
        // In C's strings it would silently cut the text off.
        if let index = parameters.firstIndex(where: { $0?.utf8.contains(0) ?? false }) {
            throw .refused(state: "22021", message: "parameter \(index + 1) holds a NUL character")
        }
        let pointers: [UnsafePointer<CChar>?] = parameters.map { $0.map { UnsafePointer(strdup($0)) } }
        defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
        guard PQsendQueryParams(handle, sql, Int32(parameters.count), nil, pointers, nil, nil, 0) == 1 else {
            throw .unavailable(line(PQerrorMessage(handle)))
        }
        let end = ContinuousClock.now + patience
        var last: OpaquePointer?
        while true {
            while PQisBusy(handle) == 1 {
                guard isReadable(PQsocket(handle), until: end) else {
                    PQclear(last)
                    cancel(handle)
                    throw .unavailable("no answer within \(patience)")
                }
                if PQconsumeInput(handle) == 0 { break }  // the result that comes next says why
            }
            guard let next = PQgetResult(handle) else { return last }
            PQclear(last)
            last = next
        }
    }

    /// Asks the server to end the statement that was given up. Its own limits are by a clock that may have been set
    /// back: until that is where it was, a statement that waits for a lock would keep those it has.
    private static func cancel(_ handle: OpaquePointer) {
        // A server that answers nothing may not answer this either: on threads of its own, and few of them.
        guard cancelling.add(1, ordering: .relaxed).newValue <= 4, let request = PQgetCancel(handle) else {
            cancelling.subtract(1, ordering: .relaxed)
            return
        }
        nonisolated(unsafe) let given = request  // the thread's alone from here on
        Thread.detachNewThread {
            var problem = [CChar](repeating: 0, count: 256)
            PQcancel(given, &problem, Int32(problem.count))
            PQfreeCancel(given)
            cancelling.subtract(1, ordering: .relaxed)
        }
    }

    private static let cancelling = Atomic(0)

    private static func isReadable(_ socket: Int32, until end: ContinuousClock.Instant) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while case let left = end - .now, left > .zero {
            if poll(&descriptor, 1, Int32(left / .milliseconds(1)) + 1) > 0 { return true }
        }
        return false
    }

    /// The rows of a result, which is cleared, or the error in it.
    private static func read(_ result: OpaquePointer?, of handle: OpaquePointer) throws(StoreError) -> [Row] {
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return rows(of: result)
        default: throw error(of: result, handle)
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

    private static func error(of result: OpaquePointer?, _ handle: OpaquePointer) -> StoreError {
        let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let message =
            PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
            ?? line(PQerrorMessage(handle))
        if state == StoreError.queryCanceled, PQstatus(handle) == CONNECTION_OK { return .tookTooLong(message) }
        // Connection, resources, operator intervention, serialization and locks: later, the same may work. A full disk
        // keeps its state, for that is waited for in another way.
        let temporary =
            ["08", "53", "57", "40", "55", "58"].contains(String(state.prefix(2))) && state != StoreError.diskFull
        return state.isEmpty || temporary || PQstatus(handle) != CONNECTION_OK
            ? .unavailable(message) : .refused(state: state, message: message)
    }

    private static func line(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "no reason given" }
        return String(cString: text).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
    }
}
