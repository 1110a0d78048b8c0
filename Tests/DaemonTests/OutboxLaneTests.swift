import DaemonTesting
import Foundation
import ServerTesting
import Store
import Testing

/// A message that the broker will not take counts against itself, and holds up nobody else's outcome.
@Suite(.timeLimit(.minutes(15))) struct OutboxLaneTests {
    private static let probe = Data(#"{"version":1,"kind":"probe"}"#.utf8)

    /// How long so many probes take, each from its publishing to its outcome; sorted.
    private func latencies(_ count: Int, _ name: String, on stage: Stage) async throws -> [Duration] {
        var latencies: [Duration] = []
        for number in 0..<count {
            let start = ContinuousClock.now
            try await stage.publish(body: Self.probe, id: "\(name)\(number)", kind: "probe")
            _ = try await stage.outcomes(1, within: 20)
            latencies.append(start.duration(to: .now))
        }
        return latencies.sorted()
    }

    @Test func aMessageTheBrokerWillNotTakeIsSetAsideAndHoldsUpNoOther() async throws {
        let servers = try await Servers.startOwn()
        try await servers.rabbitmqctl("eval", "application:set_env(rabbit, max_message_size, 2000000).")
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]
        try await Stage.with(servers, settings: settings) { stage in
            try stage.start()
            _ = try await latencies(5, "warm", on: stage)
            let idle = try await latencies(60, "idle", on: stage)
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body) select 'rejected', 'events', \
                't.generate.rejected', jsonb_build_object('text', repeat('x', 3000000)) from generate_series(1, 3);
                select pg_notify('atelier_outbox', '');
                """)
            try await stage.until("a channel is closed") {
                try await !stage.store.query("select 1 from atelier.outbox where last_error like '%406%'").isEmpty
            }
            let beside = try await latencies(60, "beside", on: stage)
            print("an outcome takes \(idle[30]), at most \(idle[59]); beside poison \(beside[30]), \(beside[59])")
            #expect(beside[30] < idle[30] * 3 && beside[59] < .seconds(1), "\(idle[30]) idle, \(beside[30]) beside")
            try await stage.until("they are set aside", within: 200) {
                try await stage.store.query(
                    """
                    select 1 from atelier.outbox where confirmed_at is null and set_aside_at is not null
                        and last_error like '%closed the channel: 406%'
                    """
                ).count == 3
            }
            #expect(stage.log.contains("message set aside"))
        }
        try await servers.remove()
    }
}
