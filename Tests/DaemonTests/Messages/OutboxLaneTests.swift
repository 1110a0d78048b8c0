import DaemonTesting
import Foundation
import ServerTesting
import Store
import Testing

/// A message that the broker will not take counts against itself, and holds up nobody else's outcome.
@Suite(.timeLimit(.minutes(15))) struct OutboxLaneTests {
    private static let probe = Data(#"{"version":1,"kind":"probe"}"#.utf8)

    /// The statement at which the sender of what is doubtful is held; nil where it is at none.
    private func held(_ stage: Stage) async throws -> String? {
        try await stage.store.query(
            """
            select concat(pid, ' since ', query_start) as statement from pg_stat_activity
            where application_name = 'atelierd/outbox-doubtful' and wait_event_type = 'Lock'
            """
        ).first?["statement"]
    }

    /// Waits until an outcome comes while that sender is held at one statement all the time.
    private func outcomeComesWhileAnotherIsHeld(_ stage: Stage) async throws {
        var number = 0
        try await stage.until("an outcome comes while another is held") {
            guard let statement = try await held(stage) else { return false }
            number += 1
            try await stage.publish(body: Self.probe, id: "beside\(number)", kind: "probe")
            _ = try await stage.outcomes(1)
            return try await held(stage) == statement
        }
    }

    /// RabbitMQ hands a direct reply to who asked, and returns it all the same where a queue must take it.
    @Test func aDirectReplyIsSentOnce() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body)
                    values ('completed', '', 'amq.rabbitmq.reply-to.somebody', '{}')
                """)
            try stage.start()
            var rows: [Row] = []
            try await stage.until("it was sent") {
                rows = try await stage.store.query(
                    "select tries, confirmed_at is not null as taken, last_error from atelier.outbox where tries > 0")
                return !rows.isEmpty
            }
            #expect(rows.map { $0["tries"] } == ["1"] && rows.map { $0["taken"] } == ["t"], "\(rows)")
        }
    }

    @Test func aMessageTheBrokerWillNotTakeIsSetAsideAndHoldsUpNoOther() async throws {
        let servers = try await Servers.startOwn()
        try await servers.rabbitmqctl("eval", "application:set_env(rabbit, max_message_size, 2000000).")
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]
        try await Stage.with(servers, settings: settings) { stage in
            // Held where it is written down that the broker did not take one.
            try await stage.store.script(
                """
                create function public.hold() returns trigger language plpgsql as $$ begin
                    perform pg_advisory_xact_lock_shared(7);
                    return new;
                end $$;
                create trigger hold before update on atelier.outbox
                    for each row when (new.tries > 1 and new.confirmed_at is null) execute function public.hold();
                select pg_advisory_lock(7);
                insert into atelier.outbox (event, exchange, routing_key, body) select 'rejected', 'events', \
                't.generate.rejected', jsonb_build_object('text', repeat('x', 3000000)) from generate_series(1, 3);
                """)
            try stage.start()
            try await outcomeComesWhileAnotherIsHeld(stage)
            try await stage.store.query("select pg_advisory_unlock(7)")
            try await stage.until("they are set aside") {
                try await stage.store.query(
                    """
                    select 1 from atelier.outbox where confirmed_at is null and set_aside_at is not null
                        and last_error like '%closed the channel: 406%'
                    """
                ).count == 3
            }
            #expect(stage.log.contains("message set aside"))
            #expect(
                stage.log.matches(of: /server unavailable error=.*406.* server=broker/).isEmpty,
                "no connection but their own is closed for them")
        }
        try await servers.remove()
    }
}
