import Broker
import DaemonTesting
import Foundation
import Jobs
import Synchronization
import Testing

/// Two daemons with state folders of their own, as on two hosts; they share the two servers and one folder.
@Suite(.timeLimit(.minutes(8))) struct TwoHostsTests {
    private func withTwo(_ body: (Stage) async throws -> Void) async throws {
        let settings = [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_LEASE_SECONDS": "2",
            "ATELIER_FREE_DISK_MIB": "0",
        ]
        try await Stage.with(settings: settings) { stage in
            for name in ["north", "south"] {
                let state = "\(stage.folder.path)/\(name)"
                try stage.start(
                    [
                        "ATELIER_WORKER_NAME": name, "ATELIER_STATE_DIRECTORY": state,
                        "ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared",
                    ], name)
            }
            try await stage.until("both are there") {
                try await stage.store.query("select name from atelier.workers where gone_at is null").count == 2
            }
            try await body(stage)
        }
    }

    private func worker(of id: String, attempt: Int, _ stage: Stage) async throws -> String? {
        try await stage.store.query(
            """
            select w.name from atelier.attempts a join atelier.workers w on w.id = a.worker join atelier.jobs j on \
            j.id = a.job where j.message_id = $1 and a.attempt = $2::int
            """,
            [id, String(attempt)]
        ).first?["name"]
    }

    @Test func theyShareTheWorkAndSayEverythingOnce() async throws {
        try await withTwo { stage in
            let received = Mutex<[String]>([])
            let events = Consumer(
                try BrokerAddress(url: stage.servers.amqpURL),
                source: .privateQueue(exchange: stage.names.events, routingKey: "#.completed"),
                topology: .atelier(stage.names))
            events.start()
            Task {
                for await delivery in events.deliveries {
                    received.withLock { $0.append(delivery.properties.messageID ?? "") }
                    delivery.acknowledge()
                }
            }
            for id in 1...6 { try await stage.publish("steps=20 delay=30", id: "\(id)") }
            for id in 1...6 { _ = try await stage.job("\(id)", reaches: .completed) }
            var names: Set<String> = []
            for id in 1...6 { names.insert(try #require(try await worker(of: "\(id)", attempt: 1, stage))) }
            #expect(names == ["north", "south"])
            try await stage.until("all were received of") { received.withLock { Set($0).count } == 6 }
            #expect(received.withLock { $0.count } == 6, "one of the two sends each message")
            await events.stop()
            for name in names {
                #expect(
                    !FileManager.default.fileExists(atPath: "\(stage.folder.path)/\(name)/artifacts"),
                    "what was made lies where all see it")
            }
        }
    }

    @Test func oneGoesOnFromTheOthersCheckpoint() async throws {
        try await withTwo { stage in
            let id = try await stage.publish("steps=160 delay=40")
            _ = try await stage.job(id) { ($0["step"]?.integer ?? 0) > 10 }
            let first = try #require(try await worker(of: id, attempt: 1, stage))
            stage.stop(SIGKILL, first)
            let job = try await stage.job(id, reaches: .completed)
            #expect(try await worker(of: id, attempt: 2, stage) == (first == "north" ? "south" : "north"))
            #expect(job["attempt"] == .integer(2) && job["failures"] == .integer(0))
            #expect((job["attempts"]?[1]?["resumed_from_step"]?.integer ?? 0) > 5)
            #expect(job.digest(of: "picture") == Script.picture(160), "the same bytes as without a dead host")
            let got = try await stage.control(
                ["artifacts", "verify"], settings: ["ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared"])
            #expect(got.status == 0 && got.output == "1 artifacts are whole, 0 are not\n", "\(got)")
            let path =
                stage.folder.path + "/shared/artifacts/" + Script.picture(160).prefix(2) + "/"
                + Script.picture(160).dropFirst(2)
            chmod(path, 0o600)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
            let bad = try await stage.control(
                ["artifacts", "verify"], settings: ["ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared"])
            #expect(
                bad.status == 2 && bad.output.hasPrefix("BAD  \(Script.picture(160))  ")
                    && bad.output.contains("has SHA-256"), "\(bad)")
        }
    }
}
