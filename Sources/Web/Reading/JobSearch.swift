import Foundation
import Hummingbird
import Jobs

/// Which jobs a list shows: what the address of the page says, newest first, a page at a time.
struct JobSearch: Sendable, Equatable {
    var states: [String] = []
    var kind: String?
    var tenant: String?
    var model: String?
    var error: String?
    var text: String?
    var since: String?
    var until: String?
    /// The last row of the page before, as time and number.
    var before: String?

    static let page = 50
    /// How many jobs one page looks through at most, so that a rare word costs no more than a frequent one; to look
    /// into texts takes longer.
    private var reach: Int { text == nil ? 20_000 : 10_000 }

    /// A search for nothing in particular.
    init() {}

    /// Reads it from the parameters of an address or a form. What is no value is refused: without it the search would
    /// find more, and what is done to all that it finds would be done to more.
    /// - Throws: 400, naming the parameter and what is allowed.
    init(_ value: (String) -> String?, states: [String] = []) throws {
        func read(_ name: String, _ allowed: String, _ isRight: (String) -> Bool) throws -> String? {
            try value(name).map { try Self.checked($0, name, allowed, isRight) }
        }
        func time(_ name: String, _ allowed: String, _ isRight: (String) -> Bool) throws -> String? {
            try value(name).map { try Self.checked(Self.withPlus($0), name, allowed, isRight) }
        }
        let kinds = JobKind.allCases.map(\.rawValue)
        self.states = try states.map { try Self.checked($0, "state", Self.words(Self.states), Self.states.contains) }
        kind = try read("kind", Self.words(kinds), kinds.contains)
        tenant = value("tenant")
        model = value("model")
        error = value("error")
        text = try read("text", "at most 200 characters") { $0.count <= 200 }
        since = try time("since", Self.times, Self.isMoment)
        until = try time("until", Self.times, Self.isMoment)
        before = try time("before", "what the page before gave as the next") { Self.cursor($0) != nil }
    }

    private static let states = JobState.allCases.map(\.rawValue)
    private static let times = "a day or a time like 2026-01-31 or 2026-01-31T12:00:00Z"

    private static func words(_ words: [String]) -> String { "one of " + words.joined(separator: ", ") }

    private static func checked(
        _ text: String, _ name: String, _ allowed: String, _ isRight: (String) -> Bool
    ) throws -> String {
        guard !isRight(text) else { return text }
        throw HTTPError(parameter: name, text, allowed: allowed)
    }

    /// Whether anything narrows the choice.
    var isNarrow: Bool {
        !states.isEmpty || [kind, tenant, model, error, text, since, until].contains { $0 != nil }
    }

    /// A day or a time that exists, as PostgreSQL reads it.
    private static func isMoment(_ text: String) -> Bool {
        let form =
            /\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-](0\d|1[0-4]):?[0-5]\d)?)?/
        guard text.wholeMatch(of: form) != nil else { return false }
        let day = text.prefix(10).split(separator: "-").compactMap { Int($0) }
        return DateComponents(calendar: Calendar(identifier: .gregorian), year: day[0], month: day[1], day: day[2])
            .isValidDate
    }

    /// A time whose zone's plus sign its writer did not escape, so that it came as a blank.
    private static func withPlus(_ text: String) -> String {
        text.replacing(/(T\S*) (?=\d\d:?\d\d(?:_\d+)?$)/) { "\($0.output.1)+" }
    }

    /// A day or a time as it means the same to every server: as all that pages show it is UTC's, unless it says a zone.
    static func inUTC(_ text: String) -> String {
        if text.count == 10 { return text + "T00:00:00Z" }
        return text.dropFirst(11).contains { "Z+-".contains($0) } ? text : text + "Z"
    }

    private static func cursor(_ text: String) -> (time: String, number: String)? {
        let parts = text.split(separator: "_")
        guard parts.count == 2, isMoment(String(parts[0])), let number = Int64(parts[1]) else { return nil }
        return (String(parts[0]), String(number))
    }

    /// Where the next page begins after this row.
    static func cursor(after row: JSONValue) -> String? {
        guard let time = row["created_at"]?.string, let number = row["number"]?.integer else { return nil }
        return "\(time)_\(number)"
    }

    /// What narrows rows `j` of `dashboard.job_rows`; `$1` to `$8` are ``binds``.
    private static let condition = """
        ($1::text[] is null or j.state = any ($1::text[]))
        and ($2::text is null or j.kind = $2)
        and ($3::text is null or j.tenant = $3)
        and ($4::text is null or j.model = $4)
        and ($5::text is null or j.error_code = $5)
        and ($6::timestamptz is null or j.created_at >= $6::timestamptz)
        and ($7::timestamptz is null or j.created_at < $7::timestamptz)
        and ($8::text is null or j.message_id ilike $8 or j.job::text ilike $8 or j.concept ilike $8
            or j.tenant ilike $8 or j.error_message ilike $8 or j.prompt ilike $8)
        """

    private var binds: [String?] {
        let pattern = text.map { text in
            "%"
                + text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
        }
        return [
            states.isEmpty ? nil : "{\(states.joined(separator: ","))}", kind, tenant, model, error,
            since.map(Self.inUTC), until.map(Self.inUTC), pattern,
        ]
    }

    /// A page of a list.
    struct Page: Sendable {
        let rows: [JSONValue]
        /// Where the next page begins; nil at the end.
        let next: String?
        /// How far back was looked, where that was not far enough to fill the page.
        let horizon: String?
    }

    /// How far back a page looks that begins at a time, or at the newest; nil where that is all that may be found.
    private func horizon(from start: String?, of reader: Reader) async throws -> String? {
        try await reader.row(
            """
            select created_at from (
                select created_at from dashboard.job_rows
                where ($1::timestamptz is null or created_at <= $1::timestamptz)
                order by created_at desc offset \(reach) limit 1) h
            where $2::timestamptz is null or created_at > $2::timestamptz
            """, [start, since.map(Self.inUTC)])?["created_at"]?.string
    }

    /// The page's rows.
    /// - Throws: `StoreError`.
    func page(of reader: Reader) async throws -> Page {
        let cursor = before.flatMap(Self.cursor)
        let horizon = try await horizon(from: cursor?.time ?? until.map(Self.inUTC), of: reader)
        var rows = try await reader.rows(
            """
            select j.* from dashboard.job_rows j
            where \(Self.condition)
                and ($9::timestamptz is null or (j.created_at, j.number) < ($9::timestamptz, $10::bigint))
                and j.created_at >= coalesce($11::timestamptz, '-infinity')
            order by j.created_at desc, j.number desc
            limit \(Self.page + 1)
            """, binds + [cursor?.time, cursor?.number, horizon])
        guard rows.count > Self.page else {
            return Page(rows: rows, next: horizon.map { $0 + "_0" }, horizon: horizon)
        }
        rows.removeLast()
        return Page(rows: rows, next: rows.last.flatMap(Self.cursor(after:)), horizon: nil)
    }

    /// Ids of all that are meant and in one of `states`, whatever the page, the newest first: at most so many.
    /// - Throws: `StoreError`.
    func identifiers(in states: [JobState], of reader: Reader, limit: Int) async throws -> [JSONValue] {
        try await reader.rows(
            """
            select j.* from dashboard.job_rows j
            where \(Self.condition) and j.state = any ($9::text[])
            order by j.created_at desc, j.number desc
            limit \(limit)
            """, binds + ["{\(states.map(\.rawValue).joined(separator: ","))}"])
    }

    /// The same as an address's parameters.
    var query: String {
        let pairs: [(String, String?)] =
            states.map { ("state", $0) } + [
                ("kind", kind), ("tenant", tenant), ("model", model), ("error", error), ("text", text),
                ("since", since), ("until", until),
            ]
        return pairs.compactMap { name, value in value.map { name + "=" + Self.escaped($0) } }.joined(separator: "&")
    }

    /// A text as a part of an address.
    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }
}

extension HTTPError {
    /// 400 for a parameter of the address that has another value than is allowed.
    init(parameter name: String, _ text: String, allowed: String) {
        self.init(.badRequest, message: "\(name)=\(text.clipped(to: 60)): allowed is \(allowed).")
    }
}
