import Foundation
import Jobs

extension Store {
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
    package func countRejections(tenant: String? = nil, since: Date? = nil) throws -> Int {
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
