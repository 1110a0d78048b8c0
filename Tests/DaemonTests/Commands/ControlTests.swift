import Broker
import Catalogue
import DaemonTesting
import FileTesting
import Foundation
import Hashing
import Jobs
import ServerTesting
import Store
import Testing

/// atelierctl as an operator uses it, with the rights of `atelier_admin`, beside a running daemon.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ControlTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"], body)
    }

    @Test func retryTakesAFilterShowsWhatItMeansAndAsks() async throws {
        try await withStage { stage in
            try stage.start()
            for id in ["bad 1", "bad 2"] { try await stage.publish("steps=3 fail=fatal", id: id) }
            try await stage.publish("steps=3", id: "good")
            for id in ["bad 1", "bad 2"] { _ = try await stage.job(id, reaches: .discarded) }
            let good = try await stage.job("good", reaches: .completed)
            let filter = ["--state", "discarded", "--kind", "generate", "--error", "engine.scripted", "--since", "1h"]

            let list = try await stage.control(["jobs", "list"] + filter)
            #expect(
                list.lines.count == 3 && list.lines[0].hasPrefix("JOB ") && list.lines[1].contains("discarded"),
                "\(list)")
            let asked = try await stage.control(["jobs", "retry"] + filter)
            #expect(
                asked.status == 75 && asked.lines.count == 3 && asked.errors.contains("add --yes to retry 2 jobs"),
                "\(asked)")
            let dry = try await stage.control(["jobs", "retry", "--dry-run", "--json"] + filter)
            #expect(try JSONValue(json: Data(dry.output.utf8)).array?.count == 2)
            #expect(try await stage.job("bad 1", reaches: .discarded)["attempt"] == .integer(1))

            let done = try await stage.control(["jobs", "retry", "--from-scratch", "--yes"] + filter)
            #expect(
                done.status == 0 && done.lines.count == 2 && done.lines.allSatisfy { $0.hasSuffix("  available") },
                "\(done)")
            for id in ["bad 1", "bad 2"] {
                let again = try await stage.job(id) {
                    $0["attempt"] == .integer(2) && $0["state"]?.string == "discarded"
                }
                #expect(again["attempts"]?[1]?["resumed_from_step"] == .null)
            }

            let completed = try await stage.control("jobs", "retry", "good", "--yes")
            #expect(
                completed.status == 66 && completed.errors.contains("cannot be retried")
                    && completed.errors.contains("completed"), "\(completed)")
            let other = try await stage.control("jobs", "retry", "bad 1", "--kind", "evaluate", "--yes")
            #expect(other.status == 66 && other.errors.contains("is left out by what else was asked for"), "\(other)")
            let unknown = try await stage.control("jobs", "retry", "nobody", "--yes")
            #expect(
                unknown.status == 66 && unknown.errors.contains("\"nobody\"") && unknown.output.isEmpty, "\(unknown)")
            #expect(try await stage.control("jobs", "retry", "--yes").status == 64)
            let none = try await stage.control("jobs", "retry", "--state", "completed", "--yes")
            #expect(
                none.status == 66 && none.errors.contains("1 job cannot be retried: it is completed"), "\(none)")
            let id = try #require(good["id"]?.string)
            for name in ["good", id, String(id.prefix(8))] {
                let shown = try await stage.control("jobs", "show", name)
                #expect(
                    shown.status == 0 && shown.output.contains(id) && shown.output.contains("picture-1.png"),
                    "\(name): \(shown)")
            }
            let rows = try await stage.store.query(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result)
                select 'another', message_id, kind, spec, state, finalized_at, result
                from atelier.jobs where message_id = 'good' returning id
                """)
            let another = try #require(rows.first?["id"])
            let both = try await stage.control("jobs", "show", "good")
            #expect(both.status == 66 && both.errors.contains(id) && both.errors.contains(another), "\(both)")
        }
    }

    @Test func warningsAndScoresAreShownToPeople() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("warn", id: "drifts")
            _ = try await stage.job("drifts", reaches: .completed)
            let shown = try await stage.control("jobs", "show", "drifts")
            let watched = try await stage.control("jobs", "watch", "drifts")
            for run in [shown, watched] {
                #expect(run.status == 0 && run.output.contains("DIV of \\x1b[2J fell"), "\(run)")
                #expect(run.output.contains("rex      arbooth         8  dino.scripted  0.750  ± 0.125"), "\(run)")
            }
            let rows = try await stage.store.objects("select concept, warning from dashboard.warnings")
            #expect(rows.count == 1 && rows[0]["warning"] == .string("DIV of \u{1B}[2J fell"), "\(rows)")
        }
    }

    @Test func cancelStopsWhatRunsAndWhatWaits() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2000 delay=20", id: "runs")
            _ = try await stage.job("runs") { ($0["step"]?.integer ?? 0) > 0 }
            try await stage.publish("steps=2", id: "waits")
            _ = try await stage.job("waits", reaches: .available)
            let run = try await stage.control(
                "jobs", "cancel", "runs", "waits", "--reason", "enough \u{1B}[2J", "--yes")
            #expect(
                run.status == 0 && run.output.contains("  stopping") && run.output.contains("  cancelled"), "\(run)")
            for id in ["runs", "waits"] {
                let job = try await stage.job(id, reaches: .cancelled)
                #expect(job["cancel_reason"]?.string == "enough \u{1B}[2J")
            }
            let shown = try await stage.control("jobs", "show", "waits")
            #expect(shown.output.contains("enough \\x1b[2J") && !shown.output.contains("\u{1B}"))
            let watched = try await stage.control("jobs", "watch", "runs")
            #expect(watched.status == 1 && watched.output.contains("enough \\x1b[2J"), "\(watched)")
            #expect(try await stage.control("jobs", "cancel", "waits", "--yes").status == 66)
        }
    }

    /// "No daemon runs" was said beside a running one, whose queue was not there again yet.
    @Test func resumeHoldsRightAfterTheBrokerRestarted() async throws {
        let servers = try await Servers.startOwn()
        do {
            try await Stage.with(servers, settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
                try stage.start()
                #expect(try await stage.control("pause").status == 0)
                try await stage.until("the worker is paused") {
                    try await stage.control("workers").lines.last?.contains("  paused  ") == true
                }
                try await stage.publish("steps=2", id: "held")
                _ = try await stage.job("held", reaches: .available)
                try await servers.stop(.rabbitmq)
                try await servers.start(.rabbitmq)
                let resume = try await stage.control("resume")
                #expect(resume.status == 0 && resume.output.contains("start work again"), "\(resume)")
                #expect(!resume.errors.contains("no daemon runs"), "\(resume)")
                _ = try await stage.job("held", reaches: .completed)
            }
        } catch {
            try? await servers.remove()
            throw error
        }
        try await servers.remove()
    }

    private func send(_ body: JSONValue, _ stage: Stage) async throws {
        let address = try BrokerAddress(url: stage.servers.amqpURL)
        let publisher = Publisher(address)
        publisher.start()
        let message = OutgoingMessage(
            exchange: stage.names.control, routingKey: "", properties: MessageProperties(userID: address.user),
            body: Array(body.line))
        try await stage.until("a daemon listens") { await publisher.publish(message) == .confirmed }
        await publisher.stop()
    }

    /// Nobody says it again: the queue is a daemon's own.
    @Test func whatIsSaidWhilePostgreSQLIsAwayIsDoneOnceItIsBack() async throws {
        let servers = try await Servers.startOwn()
        do {
            try await Stage.with(servers, settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
                try stage.start()
                try await stage.pause()
                try await stage.publish("steps=2", id: "cancelled")
                try await stage.publish("steps=2", id: "held")
                let job = try #require(try await stage.job("cancelled", reaches: .available).jobID)
                _ = try await stage.job("held", reaches: .available)
                try await servers.stop(.postgresql)
                try await send(["action": "cancel", "job": .string(job.uuidString), "reason": "enough"], stage)
                try await send(["action": "resume"], stage)
                try await stage.until("it is heard") { stage.log.contains("a control message waits") }
                try await servers.start(.postgresql)
                let cancelled = try await stage.job("cancelled", reaches: .cancelled)
                #expect(cancelled["cancel_reason"]?.string == "enough")
                _ = try await stage.job("held", reaches: .completed)
            }
        } catch {
            try? await servers.remove()
            throw error
        }
        try await servers.remove()
    }

    /// Says these while the daemon's listener, and nothing else, is without PostgreSQL; `meanwhile` is done after the
    /// daemon has them.
    private func hold(_ actions: [String], _ stage: Stage, _ meanwhile: () async throws -> Void) async throws {
        let waits = { stage.log.matches(of: /a control message waits/).count }
        let (before, role) = (waits(), stage.roleName("daemon"))
        try await stage.store.script(
            """
            alter role \(role) nologin;
            select pg_terminate_backend(pid, 60000) from pg_stat_activity
                where application_name = 'atelierd/control' and usename = '\(role)';
            """)
        for action in actions { try await send(["action": .string(action)], stage) }
        try await stage.until("they wait") { waits() > before }
        try await expectProbeAnswered("beside \(before)", stage)
        try await meanwhile()
        try await stage.store.script("alter role \(role) login")
    }

    private func expectProbeAnswered(_ id: String, _ stage: Stage) async throws {
        try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: id, kind: "probe")
        #expect(try await stage.outcomes(1)[0]["message_id"]?.string == id)
    }

    /// Neither the first nor the second of them.
    @Test func noOrderThatWaitedIsWrittenOverALaterOne() async throws {
        try await withStage { stage in
            try stage.start()
            try await expectProbeAnswered("before", stage)
            try await hold(["resume", "pause"], stage) { _ = try await stage.store.order(paused: false) }
            try await stage.until("the second is done with") {
                try await stage.store.pauseOrder().isPaused
                    || stage.log.contains("not paused: another order was written down while this one waited")
            }
            let later = try await stage.store.pauseOrder()
            #expect(!later.isPaused && later.number == 1)

            try await hold(["pause", "resume", "pause"], stage) {}
            try await stage.until("all are written down") { try await stage.store.pauseOrder().number == 4 }
            #expect(try await stage.store.pauseOrder().isPaused, "what came before from the same queue is no later one")
        }
    }

    @Test func pauseHoldsWorkBackUntilResume() async throws {
        try await withStage { stage in
            let early = try await stage.control("pause")
            #expect(
                early.status == 0 && early.errors.contains("nobody was told")
                    && early.errors.contains("with its next heartbeat"), "\(early)")
            try stage.start()
            try await stage.until("the first worker is paused") {
                try await stage.control("workers").lines.last?.contains("  paused  ") == true
            }
            #expect(try await stage.control("resume").status == 0)
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            let pause = try await stage.control("pause")
            #expect(pause.status == 0 && pause.output.contains("until atelierctl resume"), "\(pause)")
            try await stage.until("the worker says it is paused") {
                try await stage.control("workers").lines.last?.contains("  paused  ") == true
            }
            try await stage.publish("steps=2", id: "held")
            _ = try await stage.job("held", reaches: .available)
            try await Task.sleep(for: .seconds(1))  // several looks of the daemon
            #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            await stage.stop(SIGTERM)
            try stage.start()  // who pauses for an upgrade does not find the new daemon at work
            try await stage.until("the new worker is paused too") {
                try await stage.control("workers").lines.last?.contains("  paused  ") == true
            }
            #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            try await stage.until("it is told to resume") { try await stage.control("resume").status == 0 }
            _ = try await stage.job("held", reaches: .completed)
            try await stage.until("the worker works again") {
                try await stage.control("workers").lines.last?.contains("  working  ") == true
            }
            await stage.stop(SIGTERM)
            #expect(try await stage.control("workers").lines.count == 1)
            #expect(try await stage.control("workers", "--all").lines.last?.contains("  gone  ") == true)
        }
    }

    @Test func aProbeIsAnsweredBesideABusyEngineAndWhilePaused() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2000 delay=20", id: "busy")
            _ = try await stage.job("busy") { ($0["step"]?.integer ?? 0) > 0 }
            let one = try await stage.control("probe")
            #expect(one.status == 0 && one.output.hasPrefix("1 of 1 probe answered in "), "\(one)")
            #expect(try await stage.control("pause").status == 0)
            let many = try await stage.control("probe", "--count", "300", "--together", "--json", "--timeout", "60")
            let times = try JSONValue(json: Data(many.output.utf8))
            #expect(many.status == 0 && times["answered"] == .integer(300), "\(many)")
            let rows = try await stage.store.query(
                """
                select state, count(*) as jobs, max(attempt) as attempts from atelier.jobs where kind = 'probe' group \
                by state
                """
            )
            #expect(rows.map { [$0["state"], $0["jobs"], $0["attempts"]] } == [["completed", "301", "1"]])
            let outcomes = try await stage.outcomes(301)
            #expect(
                outcomes.allSatisfy {
                    $0["kind"] == .string("probe") && $0["result"]?["worker"]?.string?.isEmpty == false
                })
            let rejected = try await stage.control(
                "submit", "-", input: #"{"version":1,"kind":"probe","model":"pocket-infinity"}"#)
            #expect(
                rejected.status == 65
                    && rejected.errors.contains("/model: found an unknown field; allowed: version, kind"), "\(rejected)"
            )
            await stage.stop(SIGTERM)
            let late = try await stage.control("probe", "--timeout", "2")
            #expect(late.status == 1 && late.output.hasPrefix("none of 1 probe answered in "), "\(late)")
        }
    }

    @Test func withoutQueuesTheProgramsSayWhatToDo() async throws {
        try await withStage { stage in
            let job = try stage.folder.write("job.json", #"{"version":1,"kind":"probe"}"#)
            let nobody = ["ATELIER_TOPOLOGY_PREFIX": stage.names.prefix + "x"]
            for arguments in [["submit", job], ["probe"]] {
                let run = try await stage.control(arguments, settings: nobody)
                #expect(
                    run.status == 69 && run.errors.contains("atelierd declares") && run.errors.contains("first runs"),
                    "\(arguments): \(run)")
            }
            try await stage.publish(body: Data("{}".utf8), id: "declares the queues")
            let wrong = try await stage.control("submit", job, "--deadline", "tomorrow")
            #expect(wrong.status == 64 && wrong.errors.contains("2026-01-31T12:00:00Z"), "\(wrong)")
            let longID = String(repeating: "i", count: 129)
            for (option, value, allowed) in [("--priority", "10", "0 to 9"), ("--id", longID, "1 to 128")] {
                let run = try await stage.control("submit", job, option, value)
                #expect(run.status == 64 && run.errors.contains("allowed are \(allowed)"), "\(run)")
            }
            let start = "2031-01-31T12:00:00Z"
            let never = try await stage.control("submit", job, "--run-after", start, "--deadline", start)
            #expect(never.status == 64 && never.errors.contains("after --run-after, which is \(start)"), "\(never)")
            #expect(
                try await stage.control(
                    "submit", job, "--id", "timely", "--run-after", "2031-01-31T12:00:00Z", "--deadline",
                    "2031-02-01T12:00:00Z"
                ).status == 0)
            try stage.start()
            let timely = try await stage.job("timely", reaches: .scheduled)
            #expect(timely["deadline"]?.string?.hasPrefix("2031-02-01T12:00:00") == true)
            // AMQP's own lifetime of a message is a deadline too, once the message is a job.
            let later = FieldValue.string("2031-01-31T12:00:00Z")
            try await stage.publish(
                body: Script.body("steps=1"),
                properties: MessageProperties(messageID: "short", expiration: "600000", headers: ["run_after": later]))
            _ = try await stage.job("short", reaches: .scheduled)
            // By the sender's own word it was published five minutes ago.
            try await stage.publish(
                body: Script.body("steps=1"),
                properties: MessageProperties(
                    messageID: "waited", expiration: "600000",
                    timestamp: UInt64(Date.now.timeIntervalSince1970) - 300, headers: ["run_after": later]))
            _ = try await stage.job("waited", reaches: .scheduled)
            let rows = try await stage.store.query(
                """
                select extract(epoch from deadline - now()) as seconds from atelier.jobs
                where message_id in ('short', 'waited') order by message_id
                """)
            let seconds = rows.compactMap { $0["seconds"].flatMap { Double($0) } }
            #expect(seconds.count == 2 && (500...600).contains(seconds[0]), "\(seconds)")
            #expect((200...301).contains(seconds[1]), "\(seconds)")
        }
    }

    @Test func submitWaitsForTheOutcomeAndSaysWhy() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=1", id: "first")  // waits for the queues
            let good = try stage.folder.write("good.json", String(decoding: Script.body("steps=5"), as: UTF8.self))
            let bad = try stage.folder.write(
                "bad.json", String(decoding: Script.body("steps=5 fail=fatal"), as: UTF8.self))
            let done = try await stage.control("submit", good, "--id", "mine", "--wait")
            #expect(done.status == 0 && done.errors.contains("mine") && done.output.contains("  completed"), "\(done)")
            let again = try await stage.control("submit", good, "--id", "mine", "--wait")
            #expect(again.output == done.output)
            let other = try stage.folder.write("other.json", String(decoding: Script.body("steps=6"), as: UTF8.self))
            let used = try await stage.control("submit", other, "--id", "mine", "--wait")
            #expect(used.status == 1 && used.lines.first == "rejected:", "\(used)")
            #expect(used.output.contains("\n  property:message_id: found \"mine\", the id of job "), "\(used)")
            let told = try await stage.control("submit", other, "--id", "mine", "--wait", "--json")
            #expect(
                try JSONValue(json: Data(told.output.utf8))["problems"]?[0]?["pointer"] == "property:message_id",
                "\(told)")
            let failed = try await stage.control("submit", bad, "--id", "bad", "--wait")
            #expect(
                failed.status == 1 && failed.output.contains("discarded  engine.scripted: as the script says"),
                "\(failed)")
            #expect(
                try await stage.control("jobs", "show", "bad").output.contains(
                    "    | scripted engine, attempt 1: steps=5 fail=fatal"))
            let refused = try await stage.control(
                "submit", "-",
                input:
                    #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"options":{"guide":1}}"#)
            #expect(
                refused.status == 65 && refused.errors.contains("/options/guide")
                    && refused.errors.contains("guidance, temperature"), "\(refused)")
            let id = try #require(done.output.split(separator: " ").first.map(String.init))
            let got = try await stage.control("artifacts", "get", id, "--out", stage.folder.path + "/got")
            #expect(got.lines == [stage.folder.path + "/got/picture-1.png"])
            let taken = stage.folder.path + "/taken"
            try FileManager.default.createDirectory(
                atPath: taken + "/picture-1.png", withIntermediateDirectories: true)
            let unwritten = try await stage.control("artifacts", "get", id, "--out", taken)
            #expect(unwritten.status == 74 && unwritten.errors.contains(taken + "/picture-1.png"), "\(unwritten)")
            let away = try await stage.control(
                ["submit", good, "--id", "away", "--wait"],
                settings: ["ATELIER_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"])
            #expect(away.status == 69 && away.errors.contains("; nothing was published\n"), "\(away)")
        }
    }

    /// Refuses the two messages that wait for a daemon.
    private func refuseBoth(_ stage: Stage) async throws {
        let refusing = Consumer(try BrokerAddress(url: stage.servers.amqpURL), source: .queue(stage.names.jobs))
        refusing.start()
        var count = 0
        for await delivery in refusing.deliveries {
            delivery.reject(requeue: false)
            count += 1
            if count == 2 { break }
        }
        await refusing.stop()
        try await stage.until("both are dead") { try await stage.control("dead").lines.count == 3 }
    }

    @Test func aDeadLetterIsReplayedForItsTenantAlone() async throws {
        try await withStage { stage in
            let user = try BrokerAddress(url: stage.servers.amqpURL).user
            for owner in [nil, user] {
                try await stage.publish(
                    body: Script.body("steps=1"),
                    properties: MessageProperties(messageID: "shared", type: "generate", userID: owner))
            }
            try await refuseBoth(stage)
            let asked = try await stage.control("dead", "replay", "shared", "--yes")
            #expect(
                asked.status == 65 && asked.output.isEmpty && asked.errors.contains("--tenant")
                    && ["default", user].allSatisfy { asked.errors.contains($0) }, "\(asked)")
            #expect(try await stage.control("dead").lines.count == 3)
            try stage.start()
            let one = try await stage.control("dead", "replay", "shared", "--tenant", user, "--yes")
            #expect(one.status == 0 && one.lines == ["shared  replayed"], "\(one)")
            _ = try await stage.job("shared", reaches: .completed)
            let left = try await stage.control("dead")
            #expect(left.lines.count == 2 && left.lines[1].contains(" default "), "\(left)")
        }
    }

    @Test func deadLettersAreListedAndReplayedOnce() async throws {
        try await withStage { stage in
            try await stage.publish("steps=2", id: "first")  // declares the queues
            let none = try await stage.control("dead", "list")
            #expect(none.status == 0 && none.lines.count == 1, "\(none)")
            try await stage.publish("steps=3", id: "second")
            try await refuseBoth(stage)
            let list = try await stage.control("dead", "list")
            #expect(
                list.lines[1].hasPrefix("first ") && list.lines[1].contains("refused by the store")
                    && list.lines[1].contains(stage.names.jobs), "\(list)")
            #expect(try await stage.control("dead", "replay", "first").status == 75)
            #expect(try await stage.control("dead", "replay", "third", "--yes").status == 66)
            #expect(try await stage.control("dead", "replay").status == 64)
            // What lies beyond the limit is no less there.
            for arguments in [["list"], ["replay", "third", "--yes"]] {
                let short = try await stage.control(["dead"] + arguments + ["--limit", "1"])
                #expect(short.errors.contains("1 more message was not looked at; --limit"), "\(short)")
            }

            try stage.start()
            // What was seen to be there is found again, though others lie before it then.
            let names = try await stage.control("dead").lines.dropFirst().compactMap { $0.split(separator: " ").first }
            try #require(names.count == 2)
            let (front, other) = (String(names[0]), String(names[1]))
            let replayed = try await stage.control("dead", "replay", front, "--limit", "1", "--yes")
            #expect(replayed.status == 0 && replayed.lines == ["\(front)  replayed"], "\(replayed)")
            _ = try await stage.job(front, reaches: .completed)
            #expect(try await stage.control("dead", "--json").output.contains("\"\(other)\""))
            #expect(try await stage.control("dead", "replay", "--all", "--yes").lines == ["\(other)  replayed"])
            _ = try await stage.job(other, reaches: .completed)
            #expect(try await stage.control("dead").lines.count == 1)
            #expect(try await stage.store.jobs(JobFilter()).count == 2)
        }
    }

    /// Another program's adapter is a concept as if it had been learnt here.
    @Test func anImportedAdapterIsAConceptOfItsTenant() async throws {
        try await withStage { stage in
            let model = stage.folder.path + "/pocket-infinity"
            func file(_ path: String, _ tensors: [(String, [Int])]) throws {
                var (entries, bytes): ([String], Int) = ([], 0)
                for (name, shape) in tensors {
                    let size = shape.reduce(4, *)
                    let place = "[\(bytes),\(bytes + size)]"
                    entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":\#(place)}"#)
                    bytes += size
                }
                let data = [UInt8](repeating: 1, count: bytes)
                try Data(HandmadeSafetensors("{\(entries.joined(separator: ","))}", data).bytes)
                    .write(to: URL(fileURLWithPath: path))
            }
            try file("\(model)/transformer.safetensors", [("blocks.0.to_q.weight", [4, 6])])
            try ModelFolder.seal(model)
            let adapter = stage.folder.path + "/other.safetensors"
            try file(
                adapter,
                [
                    ("transformer.blocks.0.to_q.lora_A.weight", [2, 6]),
                    ("transformer.blocks.0.to_q.lora_B.weight", [4, 2]),
                ])
            let common = ["concepts", "import", adapter, "--model", "pocket-infinity", "--class", "dog"]
            for version in 1...2 {
                let said = try await stage.control(common + ["--name", "rex", "--tenant", "default"])
                #expect(said.status == 0 && said.output == "rex@\(version) of default\n", "\(said)")
            }
            let list = try await stage.control("concepts", "list")
            #expect(list.lines.count == 2 && list.lines[1].contains("2  subject  dog"), "\(list)")
            let shown = try await stage.control("concepts", "show", "rex")
            #expect(shown.output.contains("method          lora\n"), "\(shown)")
            #expect(shown.output.contains("older versions  1\n"), "\(shown)")
            let file = stage.folder.path + "/back"
            let back = try await stage.control("concepts", "export", "rex", "--format", "peft", "--out", file)
            #expect(back.status == 0, "\(back)")
            let kohya = stage.folder.path + "/kohya.safetensors"
            for (format, place) in [("kohya", kohya), ("peft", file)] {
                let told = try await stage.control(
                    "concepts", "export", "rex", "--format", format, "--out", place, "--force", "--json")
                let json = try JSONValue(json: Data(told.output.utf8))
                let weights = format == "peft" ? file + "/adapter_model.safetensors" : kohya
                let digest = format == "peft" ? json["files"]?["adapter_model.safetensors"] : json["sha256"]
                #expect(digest?.string == (try SHA256Digest.ofFile(weights).description), "\(told)")
            }
            try stage.start()
            try await stage.publish(
                body: JSONValue.object([
                    "version": 1, "kind": "generate", "model": "pocket-infinity",
                    "prompts": ["steps=2 a <rex> dog"],
                ]).line, id: "drawn", kind: "generate")
            _ = try await stage.job("drawn", reaches: .completed)
            #expect(
                try await stage.control("concepts", "delete", "rex", "--yes").output
                    == "deleted rex of default, versions 2, 1\n")
            let refused = try await stage.control(
                common + ["--name", "rex", "--tenant", "default", "--trigger", "sks dog"])
            #expect(refused.status != 0 && refused.errors.contains("a trigger is of released diffusion models"))
        }
    }

    @Test func whatPromptsSayForAnImportedConceptIsShown() async throws {
        try await withStage { stage in
            try await stage.store.script(
                """
                insert into atelier.jobs (message_id, tenant, kind, spec, state, finalized_at, result)
                    values (
                        'one', 't', 'import', '{"concept": {"name": "rex"}, "options": {"trigger": "sks dog"}}',
                        'completed', now(), '{}');
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select 't', 'rex', 1, 'subject', 'm', repeat('a', 64), j.id from atelier.jobs j;
                """)
            let shown = try await stage.control("concepts", "show", "rex")
            #expect(shown.output.contains("trigger         sks dog\n"), "\(shown)")
        }
    }

    /// One adapter knows what a job learnt: nothing of that goes without a word.
    @Test func whatGoesWithADeletedConceptIsNamed() async throws {
        try await withStage { stage in
            try await stage.store.script(
                """
                insert into atelier.jobs (message_id, tenant, kind, spec, state, finalized_at, result)
                    values (
                        'two', 't', 'personalize', '{"concepts": [{"name": "rex"}, {"name": "mia"}]}', 'completed',
                        now(), '{}');
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select 't', n, 1, 'subject', 'm', repeat('a', 64), j.id
                    from atelier.jobs j, unnest(array['rex', 'mia']) n;
                """)
            let what = "rex of t, version 1, and with it mia@1, which the same job learnt\n"
            let shown = try await stage.control("concepts", "delete", "rex", "--dry-run")
            #expect(shown.output == "would delete " + what, "\(shown)")
            let json = try await stage.control("concepts", "delete", "rex", "--dry-run", "--json")
            let rows = try JSONValue(json: Data(json.output.utf8)).array
            #expect(rows?.compactMap { $0["name"]?.string } == ["rex", "mia"], "\(json)")
            let deleted = try await stage.control("concepts", "delete", "rex", "--yes")
            #expect(deleted.output == "deleted " + what, "\(deleted)")
            #expect(try await stage.control("concepts").lines.count == 1)
        }
    }

    @Test func conceptsAreListedShownExportedAndDeleted() async throws {
        try await withStage { stage in
            #expect(try await stage.control("concepts").lines.count == 1)
            #expect(try await stage.control("concepts", "show", "rex").errors.contains("nothing was learnt yet"))
            try stage.start()
            for (seed, name) in [(1, "rex"), (2, "rex"), (3, "max")] {
                try await stage.publish(
                    body: Script.personalization(name, seed: seed), id: "\(seed)", kind: "personalize")
                _ = try await stage.job("\(seed)", reaches: .completed)
            }
            let list = try await stage.control("concepts", "list")
            #expect(
                list.lines.count == 3 && list.lines[1].hasPrefix("max ") && list.lines[2].contains("2  subject  dog"),
                "\(list)")
            #expect(try await stage.control("concepts", "--all").lines.count == 4)
            let shown = try await stage.control("concepts", "show", "rex")
            #expect(
                shown.output.contains("version         2\n") && shown.output.contains("older versions  1\n")
                    && shown.output.contains("adapter_bytes   9\n"), "\(shown)")
            let file = stage.folder.path + "/old.safetensors"
            #expect(try await stage.control("concepts", "export", "rex", "--version", "1", "--out", file).status == 0)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "adapter 1")
            let other = try await stage.control(
                "concepts", "export", "rex", "--version", "1", "--format", "peft", "--out",
                stage.folder.path + "/peft")
            #expect(other.status == 65 && other.errors.contains("atelierctl: rex@1: "), "\(other)")

            #expect(try await stage.control("concepts", "delete", "rex").status == 75)
            let one = try await stage.control("concepts", "delete", "rex", "--version", "2", "--yes")
            #expect(one.status == 0 && one.output == "deleted rex of default, version 2\n", "\(one)")
            #expect(
                try await stage.store.newestConcepts(tenant: "default").first { $0.name == "rex" }?.adapter
                    == (try await stage.store.concepts(name: "rex"))[0]["adapter_sha256"]?.string)
            #expect(try await stage.store.concepts(name: "rex").map { $0["version"] } == [.integer(1)])
            // A version is never given twice.
            try await stage.publish(body: Script.personalization("rex", seed: 4), id: "4", kind: "personalize")
            _ = try await stage.job("4", reaches: .completed)
            #expect(
                try await stage.control("concepts", "delete", "rex", "--yes").output
                    == "deleted rex of default, versions 3, 1\n")
            let gone = try await stage.control("concepts", "show", "rex")
            #expect(gone.status == 66 && gone.errors.contains("there are max"), "\(gone)")
            try await stage.publish("steps=2 <rex>", id: "too late")
            let late = try await stage.job("too late", reaches: .discarded)
            #expect(late["error_code"]?.string == "concept.unknown")
            #expect(late["attempts"]?[0]?["problems"]?.array?[0]["allowed"]?.string == "<max>")
            #expect(
                try await stage.control("jobs", "show", "too late").output.contains(
                    "/prompts/0: found <rex>; allowed: <max>"))
        }
    }
}
