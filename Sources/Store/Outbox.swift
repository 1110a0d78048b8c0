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
    /// The word of an event, or the queue of a reply.
    package let routingKey: String
    /// Of the message that is answered.
    package let correlationID: String?
    /// The job, or nothing for a rejected message.
    package let job: String?
    /// One JSON object.
    package let body: Data
}

/// The two ways out: what was never tried or doubted, and everything else, which goes one at a time.
package enum OutboxLane: Sendable { case fresh, doubtful }

extension Store {
    /// The oldest messages of a lane that are due; none while another daemon's connection is at them, or each daemon
    /// would send every message. This connection is at them from then on, until `leaveOutbox`, or until it says nothing
    /// for a minute: a daemon that hangs must not keep them from the others.
    ///
    /// No more than `limit` messages, and no more than `bytes` of bodies unless the first alone has more.
    package func outbox(_ lane: OutboxLane, limit: Int, bytes: Int = 16 << 20) throws -> [OutboxMessage] {
        try query(
            """
            select id, event_id, event, exchange, routing_key, correlation_id, job, body
            from atelier.outbox_batch($1::int, $2::bigint, $3::boolean)
            where (select pg_try_advisory_lock(hashtextextended($4, 0)) and
                set_config('idle_session_timeout', '60s', false) <> '')
            """,
            [
                String(limit), String(bytes), String(lane == .doubtful),
                lane == .fresh ? "atelier.outbox" : "atelier.outbox.doubtful",
            ]
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

    /// These go one at a time from now on: what was on its way when the broker closed the channel, for one of them may
    /// be why, and what is large.
    package func doubt(_ ids: [Int64], _ reason: String?) throws {
        try query(
            "update atelier.outbox set tries = tries + 1, last_error = left($2, 1000) where id = any($1::bigint[])",
            ["{\(ids.map { String($0) }.joined(separator: ","))}", reason?.storable])
    }

    /// What became of a message that was not taken.
    package enum Unsent: String, Sendable {
        /// It is tried again, for the first time or not.
        case first, again
        /// Nobody waits for it any more.
        case givenUp = "given_up"
        /// It was refused too often, and waits for `atelier.resend_set_aside()`.
        case setAside = "set_aside"
    }

    /// The broker did not take this one, for `reason`: it is put off, for longer each time, and counts against itself.
    /// After `most` tries it is set aside with its reason; nil: never, as where a queue is missing that may come back.
    /// An answer that finds no queue for a day is given up: who asked has gone, and what is emitted to all was sent
    /// besides.
    @discardableResult
    package func unsent(_ id: Int64, _ reason: String, most: Int? = nil) throws -> Unsent {
        let row = try query(
            "select atelier.outbox_unsent($1::bigint, $2, $3::int) as fate",
            [String(id), reason.storable, most.map { String($0) }]
        ).first
        return row?["fate"].flatMap(Unsent.init(rawValue:)) ?? .again
    }
}
