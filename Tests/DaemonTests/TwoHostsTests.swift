import Broker
import DaemonTesting
import Foundation
import Jobs
import Synchronization
import Testing

/// Two daemons with state folders of their own, as on two hosts; they share the two servers and one folder.
@Suite(.timeLimit(.minutes(15))) struct TwoHostsTests {
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
            await stage.stop(SIGKILL, first)
            let job = try await stage.job(id, reaches: .completed)
            #expect(try await worker(of: id, attempt: 2, stage) == (first == "north" ? "south" : "north"))
            #expect(job["attempt"] == .integer(2) && job["failures"] == .integer(0))
            #expect((job["attempts"]?[1]?["resumed_from_step"]?.integer ?? 0) > 5)
            #expect(job.digest(of: "picture") == Script.picture(160), "the same bytes as without a dead host")
            let got = try await stage.control(
                ["artifacts", "verify"], settings: ["ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared"])
            #expect(got.status == 0 && got.output == "1 artifact is whole, 0 not\n", "\(got)")
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

    // MARK: - Models

    private func start(_ stage: Stage, _ name: String) throws {
        try stage.start(
            [
                "ATELIER_WORKER_NAME": name, "ATELIER_STATE_DIRECTORY": "\(stage.folder.path)/\(name)",
                "ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared",
                "ATELIER_MODELS": "\(stage.folder.path)/\(name)-models", "ATELIER_LEASE_SECONDS": "60",
            ], name)
    }

    private func body(_ model: String) -> Data {
        JSONValue.object([
            "version": 1, "kind": "generate", "model": .string(model), "prompts": ["steps=1"],
        ]).line
    }

    @Test func aJobIsDoneWhereItsModelIs() async throws {
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"]
        try await Stage.with(settings: settings) { stage in
            for (name, models) in [("north", ["both", "cold"]), ("south", ["both", "warm"])] {
                let folder = "\(stage.folder.path)/\(name)-models"
                for model in models { try StubModel.write(model, .infinity, in: folder) }
                try StubModel.write("changed", .infinity, in: folder, number: name == "north" ? 1 : 2)
                try start(stage, name)
            }
            try await stage.until("each knows the other's models") {
                try await stage.store.query("select from atelier.worker_models where model <> 'both'").count == 4
            }
            for round in 1...3 {
                for (model, worker) in [("cold", "north"), ("warm", "south")] {
                    try await stage.publish(body: body(model), id: "\(model) \(round)")
                    _ = try await stage.job("\(model) \(round)", reaches: .completed)
                    #expect(try await self.worker(of: "\(model) \(round)", attempt: 1, stage) == worker)
                }
            }
            // Of one name, but other weights: whoever took it has them, and only who has them does it.
            try await stage.publish(body: body("changed"), id: "changed")
            let job = try await stage.job("changed", reaches: .completed)
            let digests = try await stage.store.query(
                """
                select m.digest from atelier.worker_models m join atelier.workers w on w.id = m.worker
                where m.model = 'changed' and w.name = $1
                """, [try await worker(of: "changed", attempt: 1, stage)])
            #expect(digests.first?["digest"] == job["model_digest"]?.string)
            // Nobody has it.
            try await stage.publish(body: body("hot"), id: "hot")
            let rejection = try #require(try await stage.outcomes(8).first { $0["message_id"] == "hot" })
            #expect(rejection["problems"]?[0]?["pointer"] == "/model")
            #expect(rejection["problems"]?[0]?["allowed"] == "both, changed, cold, warm")
        }
    }

    @Test func anEvaluationIsDoneWhereItsEncodersAre() async throws {
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"]
        try await Stage.with(settings: settings) { stage in
            for name in ["north", "south"] {
                let folder = "\(stage.folder.path)/\(name)-models"
                try StubModel.write("both", .infinity, in: folder)
                if name == "south" { continue }
                try StubModel.write("pocket-clip", .clip, in: folder)
                try StubModel.write("pocket-dino", .dino, in: folder)
            }
            try start(stage, "south")
            try start(stage, "north")
            try await stage.until("each knows the other's models") {
                try await stage.store.query("select from atelier.worker_models").count == 4
            }
            let body: JSONValue = [
                "version": 1, "kind": "evaluate", "model": "both", "concepts": ["rex"], "suite": "little-world",
            ]
            for id in ["1", "2", "3", "4"] {
                try await stage.publish(body: body.line, id: id, kind: "evaluate")
                // Nobody has learnt rex: whoever claims it says so.
                let job = try await stage.job(id, reaches: .discarded)
                #expect(job["error_code"] == "concept.unknown")
                #expect(try await worker(of: id, attempt: 1, stage) == "north")
            }
        }
    }

    @Test func aJobThatNobodyCanDoSaysSoUntilSomebodyCan() async throws {
        let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"]
        try await Stage.with(settings: settings) { stage in
            try StubModel.write("cold", .infinity, in: stage.folder.path + "/north-models")
            try StubModel.write("warm", .infinity, in: stage.folder.path + "/south-models")
            try start(stage, "north")
            try start(stage, "south")
            try await stage.until("both models are known") {
                try await stage.store.query("select from atelier.worker_models").count == 2
            }
            #expect(await stage.stop(SIGTERM, "south") == 0)
            try await stage.publish(body: body("warm"), id: "w")
            let waiting = try await stage.job("w", reaches: .available)
            #expect(waiting["lacks_worker"] == true)
            let shown = try await stage.control("jobs", "show", "w")
            #expect(
                shown.output.contains("warm (digest ") && shown.output.contains("no living worker holds"), "\(shown)")
            let doctor = try await stage.control("doctor")
            #expect(doctor.output.contains("1 for warm ("), "\(doctor)")
            let view = try await stage.store.query("select model, jobs from dashboard.without_worker")
            #expect(view.count == 1 && view[0]["model"] == "warm" && view[0]["jobs"] == "1")
            // The model comes to a host that runs.
            let added = try await stage.control(
                ["models", "add", stage.folder.path + "/south-models/warm"],
                settings: ["ATELIER_MODELS": stage.folder.path + "/north-models"])
            #expect(added.status == 0, "\(added)")
            _ = try await stage.job("w", reaches: .completed)
            #expect(try await worker(of: "w", attempt: 1, stage) == "north")
            let held = try await stage.control("models", "list", "--cluster")
            #expect(held.lines.contains { $0.hasPrefix("warm ") && $0.hasSuffix("north") }, "\(held)")
        }
    }

    /// The only worker with the memory for a job leaves after it was accepted.
    @Test func aJobThatFitsNoLivingWorkerAnyMoreIsSaidToWaitForMemory() async throws {
        let settings = [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0",
            "ATELIER_LEASE_SECONDS": "60",
        ]
        try await Stage.with(settings: settings) { stage in
            for (name, memory) in [("north", "4000"), ("south", "1000")] {
                try stage.start(
                    [
                        "ATELIER_WORKER_NAME": name, "ATELIER_STATE_DIRECTORY": "\(stage.folder.path)/\(name)",
                        "ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared", "ATELIER_ENGINE_MEMORY_MIB": memory,
                    ], name)
            }
            try await stage.until("both say what they have") {
                let told = try await stage.store.query(
                    "select from atelier.workers where gone_at is null and memory_bytes is not null")
                let rates = try await stage.store.query("select from atelier.host_rates")
                return told.count == 2 && !rates.isEmpty
            }
            let later = (Date() + 86_400).formatted(.iso8601)
            try await stage.publish(
                body: Script.body("steps=1 inspect-cost=2000"),
                properties: MessageProperties(messageID: "large", headers: ["run_after": .string(later)]))
            let fits = try await stage.job("large", reaches: .scheduled)
            #expect(fits["lacks"] == .null, "\(fits)")
            #expect(await stage.stop(SIGTERM, "north") == 0)
            #expect(try await stage.job("large", reaches: .scheduled)["lacks"] == "worker.memory")
            let shown = try await stage.control("jobs", "show", "large")
            #expect(
                shown.output.contains("may take more than 1000 MiB [worker.memory]")
                    && shown.output.contains("it takes about 2001 MiB"), "\(shown)")
            let doctor = try await stage.control("doctor")
            #expect(
                doctor.output.contains("up to 2001 MiB of memory, where 1000 MiB is the most [worker.memory]"),
                "\(doctor)")
            let web = try await stage.startWeb()
            let page = try await ProgramRun(
                "curl", ["-s", "-H", "Accept: text/html", web + "/models"],
                environment: ["PATH": "/usr/bin:/bin", "no_proxy": "*"])
            #expect(page.output.contains("1 generate job of pocket-infinity waits for a worker"), "\(page)")
            for path in ["/jobs/" + (fits["id"]?.string ?? ""), "/?part=live", "/metrics"] {
                let page = try await ProgramRun(
                    "curl", ["-s", "-H", "Accept: text/html", web + path],
                    environment: ["PATH": "/usr/bin:/bin", "no_proxy": "*"])
                #expect(page.output.contains("worker.memory"), "\(path): \(page)")
            }
        }
    }
}
