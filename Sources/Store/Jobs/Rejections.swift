import Foundation
import Hashing
import Jobs

/// A message that cannot be a job.
package struct Rejection: Sendable {
    /// Who published it, as the broker vouches; empty where nobody did.
    package var tenant: String
    /// Nil where it had none.
    package var messageID: String?
    /// As it was said, whether it is one or not.
    package var kind: String?
    /// At least one.
    package var problems: [Problem]
    /// As it came; of a long one the beginning is kept.
    package var body: Data
    /// The queue that is told besides.
    package var replyTo: String?
    /// Goes into the event.
    package var correlationID: String?

    /// Describes a rejection.
    package init(
        tenant: String, messageID: String?, kind: String?, problems: [Problem], body: Data, replyTo: String? = nil,
        correlationID: String? = nil
    ) {
        (self.tenant, self.messageID, self.kind, self.problems) = (tenant, messageID, kind, problems)
        (self.body, self.replyTo, self.correlationID) = (body, replyTo, correlationID)
    }
}

extension [Problem] {
    /// The first fifty problems and their number, in texts that end: as `atelier.bounded_problems` has them, and before
    /// they are sent there or logged. What was bounded before stays as it is.
    package var bounded: [Problem] {
        let first = prefix(count <= 51 ? 51 : 50).map {
            Problem(
                $0.pointer.clipped(to: 299), found: $0.found.clipped(to: 299), allowed: $0.allowed.clipped(to: 599))
        }
        guard count > 51 else { return first }
        return first + [Problem("", found: "\(count) problems", allowed: "none; the first 50 are listed")]
    }
}

extension Store {
    /// Writes down a rejected message and the event that says so.
    package func reject(_ rejection: Rejection) throws {
        let problems = try JSONEncoder().encode(rejection.problems.bounded)
        try query(
            "select atelier.reject($1, $2, $3, $4::jsonb, $5::bytea, $6, $7)",
            [
                rejection.tenant.storable, rejection.messageID?.storable, rejection.kind?.storable,
                Self.clean(String(decoding: problems, as: UTF8.self)),
                "\\x" + Self.kept(of: rejection.body).hexadecimal, rejection.replyTo?.storable,
                rejection.correlationID?.storable,
            ])
    }

    private static let keptBytes = 64 << 10

    /// A rejected body as it is written down: of a long one its beginning, and what tells it from others that begin so.
    static func kept(of body: Data) -> Data {
        if body.count <= keptBytes { return body }
        return body.prefix(keptBytes) + Data("\n… \(body.count) bytes in all, \(SHA256Digest.of(body).prefixed)\n".utf8)
    }

    /// What was refused at the door, newest first, with all problems.
    /// - Parameters:
    ///   - tenant: only this one's, where given.
    ///   - since: only those from then on, where given.
    ///   - after: only those that come after the one with this number: the next page.
    package func rejections(
        tenant: String? = nil, since: Date? = nil, after number: Int64? = nil, limit: Int
    ) throws -> [JSONValue] {
        try objects(
            """
            select r.id as number, r.tenant, r.message_id, r.kind, r.at, r.problems
            from atelier.rejections r
            where ($1::text is null or r.tenant = $1)
                and ($2::timestamptz is null or r.at >= $2::timestamptz)
                and ($3::bigint is null or r.id < $3::bigint)
            order by r.id desc
            limit $4::int
            """, [tenant, since?.formatted(.iso8601), number.map { String($0) }, String(limit)])
    }

    /// How many there are of a tenant, or of all, since then, or ever.
    package func countRejections(tenant: String?, since: Date?) throws -> Int {
        try query(
            """
            select count(*) as found from atelier.rejections r
            where ($1::text is null or r.tenant = $1) and ($2::timestamptz is null or r.at >= $2::timestamptz)
            """, [tenant, since?.formatted(.iso8601)]
        ).first?["found"].flatMap { Int($0) } ?? 0
    }

    /// Those with this number or message id, the number first, then the newest, each with the beginning of what came.
    package func rejections(named text: String) throws -> [JSONValue] {
        try objects(
            """
            select r.id as number, r.tenant, r.message_id, r.kind, r.at, r.problems,
                octet_length(r.body) as kept_bytes, encode(substring(r.body from 1 for 2048), 'escape') as beginning
            from atelier.rejections r
            where r.id = $1::bigint or r.message_id = $2
            order by (r.id = $1::bigint) desc nulls last, r.id desc
            """, [Int64(text).map { String($0) }, text])
    }
}

extension Data {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 2 * count) { text in
            for (index, byte) in enumerated() {
                (text[2 * index], text[2 * index + 1]) = (digits[Int(byte >> 4)], digits[Int(byte & 15)])
            }
            return 2 * count
        }
    }
}
