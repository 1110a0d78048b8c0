import Broker
import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Store
import Testing

@testable import Daemon

/// Faults of servers and hosts that look like faults of jobs: nobody's job is given up for them.
@Suite(.timeLimit(.minutes(8))) struct HostFaultTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0"], body)
    }

    /// Makes the database read-only for all who connect from now on, or writable again; whoever is connected as the daemon is cut off.
    private func readOnly(_ isReadOnly: Bool, _ stage: Stage) async throws {
        let name = try #require(try await stage.store.query("select current_database() as name").first?["name"])
        try await stage.store.script(
            """
            alter database \(name) \(isReadOnly ? "set default_transaction_read_only = on" : "reset default_transaction_read_only");
            select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(name)' and pid <> pg_backend_pid();
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
            // Something to say of which it cannot be written down that it was said; this test's own connection still writes.
            try await stage.store.script(
                """
                set transaction_read_only = off;
                insert into atelier.outbox (event, exchange, routing_key, body) values ('rejected', 'events', 't.generate.rejected', '{}');
                select pg_notify('atelier_outbox', '');
                """)
            try await stage.until("the message was sent") { stage.log.contains("that they were could not be written down") }
            let start = stage.log.count(of: "that they were could not be written down")
            try await Task.sleep(for: .seconds(3))
            let rounds = stage.log.count(of: "that they were could not be written down") - start
            #expect((1...40).contains(rounds), "\(rounds) rounds in 3 s, at a look every 0.3 s")
            try await readOnly(false, stage)
            for id in ["during", "meanwhile"] {
                let job = try await stage.job(id, reaches: .completed)
                #expect(job["failures"] == .integer(0) && job.digest(of: "picture") == Script.picture(id == "during" ? 30 : 2), "\(job)")
            }
            #expect(try await stage.store.query("select 1 from atelier.rejections").isEmpty)
        }
    }

    @Test func aMessageThatAMQPCannotCarryHoldsUpNoOther() async throws {
        try await withStage { stage in
            try await stage.store.query(
                "insert into atelier.outbox (event, exchange, routing_key, correlation_id, body) values ('rejected', 'events', 't.generate.rejected', repeat('x', 300), '{}')")
            try stage.start()
            try await stage.publish("steps=2", id: "next")
            _ = try await stage.outcomes(1)
            let rows = try await stage.store.query("select last_error from atelier.outbox where confirmed_at is null and correlation_id is not null and length(correlation_id) = 300")
            #expect(rows.first?["last_error"]?.contains("correlation_id has 300 bytes; allowed are 255") == true, "\(rows)")
        }
    }

    @Test func aFolderThatCannotBeMadeCostsNoJobAnAttempt() async throws {
        try await withStage { stage in
            let work = stage.folder.path + "/work"
            try stage.start()
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            try? FileManager.default.removeItem(atPath: work)
            try Data().write(to: URL(fileURLWithPath: work))
            try await stage.publish("steps=2", id: "held")
            try await stage.until("the daemon rests") { stage.log.contains("no new work for a while: this host is at fault") }
            let held = try await stage.job("held") { $0["state"]?.string == "available" }
            #expect(held["failures"] == .integer(0) && held["attempts"]?[0]?["error_message"]?.string?.contains("this host cannot start it") == true, "\(held)")
            try FileManager.default.removeItem(atPath: work)
            let job = try await stage.job("held", reaches: .completed)
            #expect(job["failures"] == .integer(0) && (job["attempt"]?.integer ?? 99) < 10, "\(job)")
        }
    }

    @Test func anotherFolderAtThePathOfTheSharedOneGetsNoWork() async throws {
        try await withStage { stage in
            let shared = stage.folder.path + "/shared", settings = ["ATELIER_SHARED_DIRECTORY": shared]
            try stage.start(settings)
            try await stage.publish("steps=2", id: "before")
            _ = try await stage.job("before", reaches: .completed)
            // As if its file system had gone: the mount point is there, and empty.
            try FileManager.default.moveItem(atPath: shared, toPath: shared + ".away")
            try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
            try await stage.publish("steps=2", id: "held")
            try await stage.until("it is noticed") { stage.log.contains("is its file system mounted?") }
            try await Task.sleep(for: .seconds(1))  // several looks of the daemon
            #expect(try await stage.job("held", reaches: .available)["attempt"] == .integer(0))
            try FileManager.default.removeItem(atPath: shared)
            try FileManager.default.moveItem(atPath: shared + ".away", toPath: shared)
            _ = try await stage.job("held", reaches: .completed)
            #expect(stage.log.contains("the folder of artifacts is there again"))
        }
    }

    @Test func aSchemaOlderThanTheDaemonEndsItAtOnce() async throws {
        #expect(Migrations.newest == (try Migrations(directory: Servers.root + "/sql").files.last?.name))
        try await withStage { stage in
            try await stage.store.query("delete from atelier.schema_migrations where name = $1", [Migrations.newest])
            try stage.start()
            try await stage.until("it says why") { stage.log.contains("the schema is older than this daemon: run atelierctl migrate") }
            #expect(stage.stop(SIGTERM) == 69)
        }
    }

    /// The id of a folder whose lock is free, or soon will be: a program that another test is just starting holds a copy until it runs.
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
