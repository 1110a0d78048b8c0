import Foundation
import Jobs

/// A message that waits to be sent.
package struct OutboxMessage: Sendable {
    /// The row.
    package let id: Int64
    /// The AMQP message id, the same on every try.
    package let eventID: String
    /// What happened.
    package let event: String
    /// Whether it goes to the default exchange (a reply) or to the exchange of events.
    package let isReply: Bool
    package let routingKey: String
    package let correlationID: String?
    /// The job, or nothing for a rejected message.
    package let job: String?
    package let body: Data
}

extension Store {
    /// The oldest messages that are due, those never tried before the others; none while another daemon's connection is
    /// at them, or each daemon would send every message. This connection is at them from then on, until `leaveOutbox`,
    /// or until it says nothing for a minute: a daemon that hangs must not keep them from the others.
    package func outbox(limit: Int) throws -> [OutboxMessage] {
        try query(
            """
            select id, event_id, event, exchange, routing_key, correlation_id, job, body from atelier.outbox
            where (select pg_try_advisory_lock(hashtextextended('atelier.outbox', 0)) and
                set_config('idle_session_timeout', '60s', false) <> '')
                and confirmed_at is null and next_try <= now() order by (tries > 0), id limit $1::int
            """, [String(limit)]
        ).map { row in
            OutboxMessage(
                id: row["id"].flatMap { Int64($0) } ?? 0, eventID: row["event_id"] ?? "", event: row["event"] ?? "",
                isReply: row["exchange"] == "",
                routingKey: row["routing_key"] ?? "", correlationID: row["correlation_id"], job: row["job"],
                body: Data((row["body"] ?? "").utf8))
        }
    }

    /// Lets another daemon's connection be at the messages.
    package func leaveOutbox() throws {
        try query("select pg_advisory_unlock_all(), set_config('idle_session_timeout', '0', false)")
    }

    /// The broker has these.
    package func confirmed(_ ids: [Int64]) throws {
        try query(
            """
            update atelier.outbox set confirmed_at = now(), tries = tries + 1, last_error = null where id = \
            any($1::bigint[])
            """,
            ["{\(ids.map { String($0) }.joined(separator: ","))}"])
    }

    /// What became of a message that was not taken.
    package enum Unsent: Sendable { case first, again, givenUp }

    /// The broker did not take this one: tried again after a growing wait. An answer that finds no queue for a day is
    /// given up: who asked has gone, and what is said to all was sent besides.
    @discardableResult
    package func unsent(_ id: Int64, _ reason: String) throws -> Unsent {
        let row = try query(
            """
            update atelier.outbox set tries = tries + 1, last_error = $2, next_try = now() + least(600, 2 ^
                least(tries, 10)) * interval '1 second',
                confirmed_at = case when exchange = '' and created_at < now() - interval '1 day' then now() end
            where id = $1::bigint returning confirmed_at is not null as over, tries
            """, [String(id), reason]
        ).first
        return row?["over"] == "t" ? .givenUp : row?["tries"] == "1" ? .first : .again
    }
}
