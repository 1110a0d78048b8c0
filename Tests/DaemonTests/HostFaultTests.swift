import Broker
import DaemonTesting
import Foundation
import Jobs
import Logging
import ServerTesting
import Store
import Testing

@testable import Daemon

/// Faults of servers and hosts that look like faults of jobs: nobody's job is given up for them.
@Suite(.timeLimit(.minutes(15))) struct HostFaultTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(
            settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"], body)
    }

    /// Makes the database read-only for all who connect from now on, or writable again; whoever is connected as the
    /// daemon is cut off.
    private func readOnly(_ isReadOnly: Bool, _ stage: Stage) async throws {
        let name = try #require(try await stage.store.query("select current_database() as name").first?["name"])
        try await stage.store.script(
            """
            alter database \(name)
                \(isReadOnly ? "set default_transaction_read_only = on" : "reset default_transaction_read_only");
            select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(name)' and pid <>
                pg_backend_pid();
            """)
    }

    @Test func aDatabaseThatOnlyReadsIsWaitedFor() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            try await stage.publish("steps=30 delay=100", id: "during")
            _ = try await stage.job("during") { ($0["step"]?.integer ?? 0) > 0 }
            try await readOnly(true, stage)
            try await stage.publish("steps=2", id: "meanwhile")
            let doctor = try await stage.control("doctor", "--no-daemon")
            #expect(
                doctor.output.contains("BAD  postgresql: it only reads: default_transaction_read_only is on"),
                "\(doctor)")
            // Something to say of which it cannot be written down that it was said; this test's own connection still
            // writes.
            try await stage.store.script(
                """
                set transaction_read_only = off;
                insert into atelier.outbox (event, exchange, routing_key, body) values ('rejected', 'events', \
                't.generate.rejected', '{}');
                select pg_notify('atelier_outbox', '');
                """)
            try await stage.until("the message was sent") {
                stage.log.contains("that they were could not be written down")
            }
            let start = stage.log.count(of: "that they were could not be written down")
            try await Task.sleep(for: .seconds(3))
            let rounds = stage.log.count(of: "that they were could not be written down") - start
            #expect((1...40).contains(rounds), "\(rounds) rounds in 3 s, at a look every 0.3 s")
            try await readOnly(false, stage)
            for id in ["during", "meanwhile"] {
                let job = try await stage.job(id, reaches: .completed)
                #expect(
                    job["failures"] == .integer(0)
                        && job.digest(of: "picture") == Script.picture(id == "during" ? 30 : 2), "\(job)")
            }
            #expect(try await stage.store.query("select 1 from atelier.rejections").isEmpty)
        }
    }

    @Test func aMessageThatAMQPCannotCarryHoldsUpNoOther() async throws {
        try await withStage { stage in
            try await stage.store.query(
                """
                insert into atelier.outbox (event, exchange, routing_key, correlation_id, body) values ('rejected', \
                'events', 't.generate.rejected', repeat('x', 300), '{}')
                """
            )
            try stage.start()
            try await stage.publish("steps=2", id: "next")
            _ = try await stage.outcomes(1)
            let rows = try await stage.store.query(
                """
                select last_error from atelier.outbox where confirmed_at is null and correlation_id is not null and \
                length(correlation_id) = 300
                """
            )
            #expect(
                rows.first?["last_error"]?.contains("correlation_id has 300 bytes; allowed are 255") == true, "\(rows)")
        }
    }

    @Test func aFolderThatCannotBeMadeCostsNoJobAnAttempt() async throws {
        try await withStage { stage in
            let work = stage.folder.path + "/work"
            try stage.start()
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            // The attempt before may still be tidying up in it.
            try await stage.until("the folder is a file") {
                try? FileManager.default.removeItem(atPath: work)
                return (try? Data().write(to: URL(fileURLWithPath: work))) != nil
            }
            try await stage.publish("steps=2", id: "held")
            try await stage.until("the daemon rests") {
                stage.log.contains("no new work for a while: this host is at fault")
            }
            let held = try await stage.job("held") { $0["state"]?.string == "available" }
            #expect(
                held["failures"] == .integer(0)
                    && held["attempts"]?[0]?["error_message"]?.string?.contains("this host cannot start it") == true,
                "\(held)")
            try FileManager.default.removeItem(atPath: work)
            let job = try await stage.job("held", reaches: .completed)
            #expect(job["failures"] == .integer(0) && (job["attempt"]?.integer ?? 99) < 10, "\(job)")
        }
    }

    /// As if the folder's file system had gone: the mount point is there, and empty.
    private func unmounted(_ folder: String, _ body: () async throws -> Void) async throws {
        try FileManager.default.moveItem(atPath: folder, toPath: folder + ".away")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await body()
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: folder + ".away", toPath: folder)
    }

    @Test func anotherFolderAtThePathOfTheSharedOneGetsNoWork() async throws {
        try await withStage { stage in
            let shared = stage.folder.path + "/shared"
            let settings = ["ATELIER_SHARED_DIRECTORY": shared]
            try stage.start(settings)
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            try await unmounted(shared) {
                try await stage.publish("steps=2", id: "held")
                try await stage.until("it is noticed") { stage.log.contains("is its file system mounted?") }
                try await Task.sleep(for: .seconds(1))  // several looks of the daemon
                #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            }
            _ = try await stage.job("held", reaches: .completed)
            #expect(stage.log.contains("the folder of artifacts is there again"))
        }
    }

    @Test func nothingIsSweptFromTheFolderOfAnotherCluster() async throws {
        try await withStage { first in
            let shared = first.folder.path + "/shared"
            let settings = ["ATELIER_SHARED_DIRECTORY": shared]
            let digest = Script.picture(2)
            try first.start(settings)
            try await first.publish("steps=2", id: "made")
            _ = try await first.job("made", reaches: .completed)
            await first.stop(SIGTERM)
            let artifact = "\(shared)/artifacts/\(digest.prefix(2))/\(digest.dropFirst(2))"
            let work = "\(shared)/work/\(UUID().uuidString.lowercased())"
            try FileManager.default.setAttributes(
                [.modificationDate: Date.now.addingTimeInterval(-3 * 86_400)], ofItemAtPath: artifact)
            try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
            try await withStage { second in
                try second.start(settings)
                try await second.until("it keeps away") {
                    second.log.contains("maintenance put off")
                        && second.log.contains("the mark of another cluster's folder")
                }
                #expect(
                    FileManager.default.fileExists(atPath: artifact) && FileManager.default.fileExists(atPath: work))
                // As who restores the tables does.
                let mark = try String(contentsOfFile: shared + "/cluster", encoding: .utf8).trimmingCharacters(
                    in: .whitespacesAndNewlines)
                try await second.store.query("update atelier.cluster set shared_mark = $1::uuid", [mark])
                try await second.publish("steps=3", id: "now")
                _ = try await second.job("now", reaches: .completed)
            }
        }
    }

    @Test func aFolderGetsItsMarkHoweverOftenThatIsBrokenOff() async throws {
        try await withStage { stage in
            let folder = stage.folder.path + "/deep/shared"
            func check() async throws {
                try await SharedFolder(directory: folder, store: stage.store, logger: Logger(label: "test")).check()
            }
            // Something else lies where it should be.
            try "no folder".write(toFile: stage.folder.path + "/deep", atomically: true, encoding: .utf8)
            await #expect(throws: CocoaError.self) { try await check() }
            #expect(try await stage.store.sharedMark(proposal: nil) == nil, "what could not be written is not known")
            try FileManager.default.removeItem(atPath: stage.folder.path + "/deep")
            let shared = SharedFolder(directory: folder, store: stage.store, logger: Logger(label: "test"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 { group.addTask { number % 2 == 0 ? try await shared.check() : try await check() } }
                try await group.waitForAll()
            }
            let mark = try #require(try await stage.store.sharedMark(proposal: nil))
            // As it was before the file got its name.
            try FileManager.default.moveItem(atPath: folder + "/cluster", toPath: folder + "/cluster.new")
            try await check()
            #expect(try String(contentsOfFile: folder + "/cluster", encoding: .utf8).contains(mark.uuidString))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["cluster"])
            for former in ["house", "house.new"] {
                try FileManager.default.moveItem(atPath: folder + "/cluster", toPath: "\(folder)/\(former)")
                try await check()
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder) == ["cluster"],
                    "the version before called it \(former)")
            }
            try UUID().uuidString.write(toFile: folder + "/house", atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: folder + "/cluster")
            await #expect(throws: SharedFolder.Strange.self, "another cluster's is left alone") { try await check() }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["house"])
            try FileManager.default.removeItem(atPath: folder + "/house")
            await #expect(throws: SharedFolder.Strange.self) { try await check() }
        }
    }

    @Test func aSharedFolderThatHangsStopsNoHeartbeatAndNoProbe() async throws {
        try await withStage { stage in
            let shared = stage.folder.path + "/shared"
            try stage.start(["ATELIER_SHARED_DIRECTORY": shared])
            try await stage.publish("steps=1", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            // Whoever opens a FIFO waits for the other end, as for a mount whose server is away.
            try FileManager.default.moveItem(atPath: shared + "/cluster", toPath: shared + "/cluster.away")
            try #require(mkfifo(shared + "/cluster", 0o600) == 0)
            try await stage.publish("steps=1", id: "held")
            try await stage.until("it is said") { stage.log.contains("the folder of artifacts does not answer") }
            func beat() async throws -> Double {
                let rows = try await stage.store.query("select extract(epoch from beat_at) as at from atelier.workers")
                return rows.first?["at"].flatMap { Double($0) } ?? 0
            }
            let first = try await beat()
            try await stage.until("the heart beats on") { try await beat() > first + 2 }
            try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "probe", kind: "probe")
            _ = try await stage.job("probe", within: 10, reaches: .completed)
            #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            let end = open(shared + "/cluster", O_WRONLY | O_NONBLOCK)
            #expect(end >= 0, "somebody waits at the other end")
            try #require(rename(shared + "/cluster.away", shared + "/cluster") == 0)
            close(end)
            _ = try await stage.job("held", reaches: .completed)
            #expect(stage.log.contains("the folder of artifacts answers again"))
            #expect(await stage.stop(SIGTERM) == 0)
        }
    }

    @Test func aSharedFolderThatHangsDoesNotHoldTheStartUp() async throws {
        try await withStage { stage in
            let shared = stage.folder.path + "/shared"
            try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
            try #require(mkfifo(shared + "/cluster", 0o600) == 0)
            try stage.start(["ATELIER_SHARED_DIRECTORY": shared])
            try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "probe", kind: "probe")
            _ = try await stage.job("probe", reaches: .completed)
            try await stage.publish("steps=1", id: "held")
            try await stage.until("it is said") { stage.log.contains("the folder of artifacts does not answer") }
            #expect(try FileManager.default.contentsOfDirectory(atPath: shared) == ["cluster"], "nothing is made yet")
            #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            // It answers, and is a fresh one.
            let end = open(shared + "/cluster", O_WRONLY | O_NONBLOCK)
            #expect(end >= 0, "somebody waits at the other end")
            try #require(unlink(shared + "/cluster") == 0)
            close(end)
            _ = try await stage.job("held", reaches: .completed)
            #expect(await stage.stop(SIGTERM) == 0)
        }
    }

    /// What an engine left behind holds its pipe, and so its attempt's end; the job may run here again by then.
    @Test func anAttemptThatIsLongInEndingLeavesTheNextOneOfItsJobAlone() async throws {
        try await withStage { stage in
            let engine = try stage.folder.writeProgram(
                "clinging-engine",
                """
                #!/bin/sh
                if [ "$1" = work ] && [ ! -e "\(stage.folder.path)/clung" ]; then
                    touch "\(stage.folder.path)/clung"
                    setsid sleep 6 &
                fi
                exec "\(Stage.programs)/scripted-engine" "$@"
                """)
            try stage.start([
                "ATELIER_ENGINE": engine, "ATELIER_ENGINE_CONFINEMENT": "none", "ATELIER_DRAWING_SLOTS": "2",
            ])
            try await stage.publish("steps=200 delay=50", id: "m")
            _ = try await stage.job("m") { ($0["step"]?.integer ?? 0) > 3 }
            // As another daemon does that has not heard of this one for the time of a lease.
            try await stage.store.script(
                """
                with gone as (update atelier.workers set gone_at = now() where gone_at is null returning id)
                    select atelier.rescue(array[id], 'the daemon gave no sign of life') from gone
                """)
            let job = try await stage.job("m", reaches: .completed)
            #expect(job["attempt"] == 2 && job.digest(of: "picture") == Script.picture(200), "\(job)\n\(stage.log)")
        }
    }

    /// Who writes an order to an engine that does not read it waits once the pipe is full; nobody else does.
    @Test func anOrderThatIsNotReadHoldsUpNeitherACancelNorTheHeartbeat() async throws {
        try await withStage { stage in
            let engine = try stage.folder.writeProgram(
                "deaf-engine",
                """
                #!/bin/sh
                [ "$1" = inspect ] && exec "\(Stage.programs)/scripted-engine" "$@"
                exec sleep 600
                """)
            try stage.start(["ATELIER_ENGINE": engine, "ATELIER_ENGINE_CONFINEMENT": "none"])
            // In JSON each of these takes two bytes: twice as many as a pipe holds.
            let prompts = Array(repeating: JSONValue.string(String(repeating: "\"", count: 1000)), count: 64)
            let body: JSONValue = [
                "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": .array(prompts),
            ]
            try await stage.publish(body: body.line, id: "deaf")
            _ = try await stage.job("deaf") { $0["state"]?.string == "running" }
            try await stage.until("the engine runs") { stage.engine != nil }
            func beat() async throws -> Double {
                let rows = try await stage.store.query("select extract(epoch from beat_at) as at from atelier.workers")
                return rows.first?["at"].flatMap { Double($0) } ?? 0
            }
            let first = try await beat()
            try await stage.until("the heart beats on") { try await beat() > first + 1 }
            let cancel = try await stage.control("jobs", "cancel", "deaf", "--yes")
            #expect(cancel.status == 0, "\(cancel)")
            _ = try await stage.job("deaf", within: 30, reaches: .cancelled)
            #expect(await stage.stop(SIGTERM) == 0)
        }
    }

    @Test func aDaemonWithoutABrokerHoldsUpNoOthersMessages() async throws {
        try await withStage { stage in
            let state = { (name: String) in
                [
                    "ATELIER_WORKER_NAME": name, "ATELIER_STATE_DIRECTORY": "\(stage.folder.path)/\(name)",
                    "ATELIER_SHARED_DIRECTORY": stage.folder.path + "/shared",
                ]
            }
            try stage.start(
                state("lonely").merging(["ATELIER_AMQP_URL": "amqp://guest:guest@127.0.0.1:9"]) { $1 }, "lonely")
            try stage.start(state("well"), "well")
            try await stage.until("both are there") {
                try await stage.store.query("select 1 from atelier.workers where gone_at is null").count == 2
            }
            for number in 1...5 {
                let start = ContinuousClock.now
                try await stage.publish("steps=1", id: "\(number)")
                _ = try await stage.outcomes(1)
                #expect(start.duration(to: .now) < .seconds(20))
            }
            let start = ContinuousClock.now
            #expect(await stage.stop(SIGTERM, "lonely") == 0)
            #expect(start.duration(to: .now) < .seconds(20), "a stop does not wait for a broker")
        }
    }

    @Test func messagesAHostCannotTakeGoBackToTheBroker() async throws {
        try await withStage { stage in
            let shared = stage.folder.path + "/shared"
            let settings = ["ATELIER_SHARED_DIRECTORY": shared]
            try stage.start(settings)
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            try await unmounted(shared) {
                try await stage.publish("steps=2", id: "without pictures")
                try await stage.publish(
                    body: Script.personalization("rex", seed: 1), id: "with a picture", kind: "personalize")
                try await stage.until("they are given back") { stage.log.contains("messages given back to the broker") }
                #expect(
                    try await stage.job("without pictures", reaches: .available)["attempt"] == .integer(0),
                    "one without pictures has no part in that")
            }
            _ = try await stage.job("with a picture", reaches: .completed)
        }
    }

    @Test func aDamagedModelIsTheHostsFault() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2 fail-once=fatal code=model.damaged", id: "held")
            let job = try await stage.job("held", reaches: .completed)
            let first = job["attempts"]?[0]
            #expect(
                job["failures"] == .integer(0) && job["rescues"] == .integer(1)
                    && first?["error_code"] == .string("host.fault"), "\(job)")
            #expect(first?["error_message"]?.string?.contains("model.damaged: as the script says") == true)
        }
    }

    @Test func whatPostgreSQLWillNeverAnswerIsAskedAgainAfterARest() async throws {
        try await withStage { stage in
            // Whoever reads checkpoints divides by zero, their owner aside.
            try await stage.store.script(
                """
                alter table atelier.checkpoints enable row level security;
                create policy broken on atelier.checkpoints using (1 / 0 > 0);
                """)
            try stage.start()
            try await stage.publish("steps=2", id: "held")
            let held = try await stage.job("held") { $0["attempts"]?[0]?["error_code"]?.string != nil }
            let message = held["attempts"]?[0]?["error_message"]?.string ?? ""
            #expect(
                held["attempts"]?[0]?["error_code"] == "host.fault" && held["failures"] == .integer(0)
                    && (held["rescues"]?.integer ?? 0) > 0 && message.contains("22012"), "\(held)")
            #expect(stage.log.contains("PostgreSQL refuses what the attempt begins with"))
            try await stage.store.script("alter table atelier.checkpoints disable row level security")
            _ = try await stage.job("held", reaches: .completed)
        }
    }

    @Test func anAttemptKeepsNoMoreCheckpointsThanItNeeds() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=5000 delay=100", id: "long")
            let job = try await stage.job("long") { ($0["step"]?.integer ?? 0) > 30 }
            let folder = "\(stage.folder.path)/work/\(try #require(job.jobID).uuidString.lowercased())/1"
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.hasPrefix("checkpoint-")
            }
            #expect(
                (1...20).contains(files.count),
                "two are needed, and what half a second makes is not written down yet: \(files.sorted())")
            _ = try await stage.store.cancel(try #require(job.jobID), reason: nil)
            _ = try await stage.job("long", reaches: .cancelled)
        }
    }

    @Test func checkpointsGoOnceTwoNewerOnesAreWrittenDown() {
        var files = CheckpointFiles()
        for name in ["1", "2", "3"] { files.announce(name) }
        #expect(files.write("3") == ["1", "2"] && !files.areAllOurs, "those between were never written down")
        files.announce("4")
        #expect(files.write("4").isEmpty && files.areAllOurs)
        for name in ["5", "6"] { files.announce(name) }
        #expect(files.write("5") == ["3"], "the sixth is not written down yet, and not forgotten")
        #expect(files.write("6") == ["4"])
    }

    @Test func aSchemaOlderThanTheDaemonEndsItAtOnce() async throws {
        #expect(
            Migrations.newest
                == (try Migrations(directory: Servers.root + "/sql").files.last(where: \.isMigration)?.name))
        try await withStage { stage in
            try await stage.store.query("delete from atelier.schema_migrations where name = $1", [Migrations.newest])
            try stage.start()
            try await stage.until("it says why") {
                stage.log.contains("the schema is older than this daemon: run atelierctl migrate")
            }
            // It ends by itself: 0 is no signal.
            #expect(await stage.stop(0) == 69)
        }
    }

    /// The id of a folder whose lock is free, or soon will be: a program that another test is just starting holds a
    /// copy until it runs.
    private func id(of folder: TemporaryFolder) async throws -> UUID {
        for _ in 0..<200 {
            if let lock = try? StateLock(directory: folder.path) { return lock.folder }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try StateLock(directory: folder.path).folder
    }

    @Test func aStateFolderKeepsItsId() async throws {
        let folders = try (0..<2).map { _ in try TemporaryFolder() }
        let first = try await id(of: folders[0])
        #expect(try await id(of: folders[0]) == first)
        #expect(try await id(of: folders[1]) != first)
        try Data("not an id".utf8).write(to: URL(fileURLWithPath: folders[1].path + "/lock"))
        let anew = try await id(of: folders[1])
        #expect(try await id(of: folders[1]) == anew)
        let held = open(folders[0].path + "/lock", O_RDWR | O_CLOEXEC)
        defer { close(held) }
        while flock(held, LOCK_EX | LOCK_NB) != 0 { try await Task.sleep(for: .milliseconds(20)) }
        let error = #expect(throws: SystemError.self) { try StateLock(directory: folders[0].path) }
        #expect(error?.description.contains("another atelierd works in \(folders[0].path)") == true)
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
