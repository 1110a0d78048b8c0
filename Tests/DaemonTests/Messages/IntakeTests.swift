import Broker
import DaemonTesting
import Foundation
import Hashing
import Jobs
import Logging
import ServerTesting
import Store
import Testing

@testable import Daemon

/// One message's fault or one tenant's picture is nobody else's.
@Suite(.timeLimit(.minutes(15))) struct IntakeTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]

    @Test func aUsedIdWithAnotherBodyIsRejectedWithTheDifference() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1", id: "m")
            _ = try await stage.outcomes(1)
            try await stage.publish("steps=2", id: "m")
            let rejected = try await stage.outcomes(1)[0]
            #expect(rejected["event"]?.string == "rejected")
            let problem = try #require(rejected["problems"]?[0])
            #expect(problem["pointer"]?.string == "property:message_id")
            #expect(problem["found"]?.string?.hasSuffix("with another body: /prompts/0 differs") == true, "\(problem)")
            let job = try await stage.job("m", reaches: .completed)
            #expect(job["attempt"] == .integer(1), "the first is as it was")
        }
    }

    /// Its model may be gone by then, or less be allowed.
    @Test func whatWasAcceptedIsNotHeldAgainstTheDoorAgain() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let body = Script.personalization("rex", model: "gone", seed: 1)
            let stricter = Data(
                #"{"version":1,"kind":"generate","model":"gone","prompts":["a dog"],"colour":"red"}"#.utf8)
            let picture = SHA256Digest.of(Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])).description
            let row = try JobSpec(body: body).with(images: [.artifact(picture)]).json
            _ = try await stage.store.accept([
                Submission(
                    tenant: TenantRules.anonymous, messageID: "gone", kind: .personalize, spec: row, model: "gone"),
                Submission(
                    tenant: TenantRules.anonymous, messageID: "stricter", kind: .generate,
                    spec: try JSONValue(json: stricter), model: "gone"),
            ])
            try stage.start()
            try await stage.publish(body: body, id: "gone", kind: "personalize")
            try await stage.publish(body: stricter, id: "stricter")
            for id in ["gone", "stricter"] {
                let job = try await stage.job(id) {
                    $0["events"]?.array?.contains { $0["event"]?.string == "duplicate" } == true
                }
                #expect(job["state"]?.string == "available")
            }
            try await stage.publish(body: body, id: "stricter", kind: "personalize")
            let rejected = try await stage.outcomes(1)[0]
            #expect(rejected["event"]?.string == "rejected" && rejected["message_id"]?.string == "stricter")
        }
    }

    private static let probe = Data(#"{"version":1,"kind":"probe"}"#.utf8)

    /// Java's, Ruby's and Python's clients make AMQP's timestamp of a date in a header.
    @Test func aTimeInAHeaderMayBeATimestampOfAMQPs() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let due = UInt64(Date.now.timeIntervalSince1970) + 86_400
            func publish(_ id: String, _ time: FieldValue) async throws {
                try await stage.publish(
                    body: Self.probe, properties: MessageProperties(messageID: id, headers: ["run_after": time]))
            }
            try await publish("later", .timestamp(due))
            _ = try await stage.job("later", reaches: .scheduled)
            let rows = try await stage.store.query(
                "select extract(epoch from run_after)::bigint as due from atelier.jobs")
            #expect(rows.first?["due"] == "\(due)")
            for (id, time, found) in [
                ("milliseconds", .timestamp(1000 * due), "the timestamp \(1000 * due); its unit is the second"),
                ("nothing", .void, "null"), ("number", .integer(7), "the number 7"),
                ("no seconds", "2026-01-31T12:00Z", "\"2026-01-31T12:00Z\""),
            ] as [(String, FieldValue, String)] {
                try await publish(id, time)
                let problem = try await stage.outcomes(1)[0]["problems"]?[0]
                #expect(problem?["pointer"] == "property:headers/run_after" && problem?["found"]?.string == found)
            }
        }
    }

    @Test func aJobThatCouldNeverBeginIsRejected() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let start = "2031-01-31T12:00:00Z"
            for deadline in ["2031-01-31T11:00:00Z", start] {
                try await stage.publish(
                    body: Self.probe,
                    properties: MessageProperties(
                        messageID: deadline, headers: ["run_after": .string(start), "deadline": .string(deadline)]))
                let problem = try await stage.outcomes(1)[0]["problems"]?[0]
                #expect(problem?["pointer"] == "property:headers/deadline" && problem?["found"]?.string == deadline)
                #expect(problem?["allowed"]?.string == "a time after run_after, which is \(start)")
            }
        }
    }

    /// Sixteen bytes of a UUID, say: an answer would not carry back what its asker waits for.
    @Test func propertiesThatAreNoUTF8AreRejected() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let repaired = "\u{FFFD}a\u{FFFD}"
            try await stage.publish(
                body: Self.probe, properties: MessageProperties(messageID: repaired, correlationID: repaired))
            let problems = try await stage.outcomes(1)[0]["problems"]?.array ?? []
            #expect(
                problems.compactMap { $0["pointer"]?.string } == ["property:message_id", "property:correlation_id"])
            #expect(problems.allSatisfy { $0["found"]?.string?.hasPrefix("bytes that are no UTF-8") == true })
        }
    }

    @Test func startsWithoutPostgreSQLCostNoMessageADelivery() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            for number in 0..<20 { try await stage.publish(body: Self.probe, id: "d\(number)", kind: "probe") }
            for round in 1...24 {
                try stage.start(["ATELIER_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"])
                try await stage.until("RabbitMQ is there in round \(round)") {
                    stage.log.contains("server available server=broker")
                }
                await stage.stop(SIGKILL)
                try FileManager.default.removeItem(atPath: stage.folder.path + "/atelierd.log")
            }
            try stage.start()
            let outcomes = try await stage.outcomes(20)
            #expect(outcomes.allSatisfy { $0["event"]?.string == "completed" })
        }
    }

    /// A dozen services would say it every few seconds, for as long as it lasts.
    @Test func aServerThatIsAwayIsSaidOnce() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start([
                "ATELIER_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none", "ATELIER_LOG_LEVEL": "debug",
            ])
            try await stage.until("the outbox could not be read again and again") {
                stage.log.matches(of: /debug atelierd: messages of the outbox wait/).count > 5
            }
            #expect(stage.log.matches(of: /warning atelierd: messages of the outbox wait/).isEmpty)
            let said = stage.log.matches(of: /server unavailable .*Connection refused; Is the server .*server=store/)
            #expect(said.count == 1, "\(stage.log)")
        }
    }

    @Test func aMessageThatCannotBeStoredTakesNoOtherWithIt() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            // As a statement that takes too long ends, without the wait.
            try await stage.store.script(
                """
                create function public.time_out() returns trigger language plpgsql as $$ begin
                    raise exception using errcode = 'query_canceled', message = 'canceling statement due to timeout';
                end $$;
                create trigger time_out before insert on atelier.jobs
                    for each row when (new.message_id = 'poison') execute function public.time_out();
                """)
            for number in 0..<30 { try await stage.publish(body: Self.probe, id: "a\(number)", kind: "probe") }
            try await stage.publish(body: Self.probe, id: "poison", kind: "probe")
            for number in 0..<30 { try await stage.publish(body: Self.probe, id: "b\(number)", kind: "probe") }
            try stage.start()
            let outcomes = try await stage.outcomes(60)
            #expect(outcomes.allSatisfy { $0["event"]?.string == "completed" })
            try await stage.until("it is given back alone") {
                stage.log.contains("messages given back to the broker messages.count=1\n")
            }
            #expect(stage.log.matches(of: /server unavailable .*server=store/).isEmpty)
            try await stage.publish(body: Self.probe, id: "later", kind: "probe")
            _ = try await stage.outcomes(1)
            #expect(try await stage.store.query("select 1 from atelier.jobs where message_id = 'poison'").isEmpty)
            try await stage.store.script("drop trigger time_out on atelier.jobs")
            _ = try await stage.job("poison", reaches: .completed)
        }
    }

    @Test func aFullDiskOfPostgreSQLsCostsNoMessageADelivery() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            // What it says where a table cannot grow; all that needs no room it does.
            try await stage.store.script(
                """
                create function public.fill() returns trigger language plpgsql as $$ begin
                    raise exception using errcode = 'disk_full',
                        message = 'could not extend file "base/1": No space left on device';
                end $$;
                create trigger fill before insert on atelier.jobs for each row execute function public.fill();
                """)
            for number in 0..<3 { try await stage.publish(body: Self.probe, id: "m\(number)", kind: "probe") }
            try stage.start()
            try await stage.until("it waits, and tries again", within: 60) {
                stage.log.matches(of: /intake waits error="PostgreSQL refused \(53100\): could not extend/).count > 3
            }
            #expect(!stage.log.contains("message cannot be stored now"))
            #expect(!stage.log.contains("messages given back to the broker"))
            try await stage.store.script("drop trigger fill on atelier.jobs")
            let outcomes = try await stage.outcomes(3)
            #expect(outcomes.allSatisfy { $0["event"]?.string == "completed" })
        }
    }

    @Test func anotherTenantsPictureIsAsOneThatNobodyHas() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            let own = SHA256Digest.of(picture)
            try await stage.publish(body: Script.personalization("rex", seed: 1), id: "bob's", kind: "personalize")
            _ = try await stage.job("bob's", reaches: .completed)
            func refer(_ id: String, tenant: String, to digest: SHA256Digest) async throws -> JSONValue {
                guard case .object(var body) = try JSONValue(json: Script.personalization("max", seed: 2)) else {
                    throw CancellationError()
                }
                body["images"] = .array([.object(["artifact": .string(digest.prefixed)])])
                _ = try await stage.store.accept([
                    Submission(tenant: tenant, messageID: id, kind: .personalize, spec: .object(body))
                ])
                return try await stage.job(id) { $0["finalized_at"]?.string != nil }
            }
            let mine = try await refer("mine", tenant: "default", to: own)
            #expect(mine["state"]?.string == "completed")
            let nobody = SHA256Digest.of(Data("nobody's".utf8))
            let foreign = try await refer("foreign", tenant: "alice", to: own)
            let absent = try await refer("absent", tenant: "alice", to: nobody)
            #expect(foreign["state"]?.string == "discarded" && foreign["error_code"]?.string == "input.artifact")
            #expect(foreign["error_message"] == absent["error_message"])
            func told(_ job: JSONValue) -> String? {
                job["attempts"]?[0]?["problems"]?.text.replacing(/[0-9a-f]{64}/, with: "…")
            }
            #expect(told(foreign) != nil && told(foreign) == told(absent))
        }
    }

    @Test func whatAMessageMakesTheDaemonLogAndStoreEnds() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            var body: [String: JSONValue] = ["version": 1, "kind": "generate", "prompts": ["steps=1"]]
            for number in 0..<500 { body["unknown \(number)"] = JSONValue.integer(1) }
            try await stage.publish(body: JSONValue.object(body).line, id: "many")
            try await stage.until("it is logged") { stage.log.contains("message rejected") }
            let line = try #require(stage.log.split(separator: "\n").first { $0.contains("message rejected") })
            #expect(line.utf8.count < 9000, "\(line.utf8.count) bytes")
            #expect(try await stage.outcomes(1)[0]["message_id"] == "many")
            // One character to the eye.
            let kind = JSONValue.string("e" + String(repeating: "\u{301}", count: 2000))
            try await stage.publish(body: JSONValue.object(["version": 1, "kind": kind]).line, id: "long", kind: nil)
            #expect(try await stage.outcomes(1, within: 30)[0]["message_id"] == "long")
        }
    }

    @Test func whatIsTooMuchForOneStatementIsPrunedInParts() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try await stage.store.script(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result)
                    select 't', i, 'generate', '{}', 'completed', now() - interval '9 days', '{}'
                    from generate_series(1, 5) i;
                """ + StatementTimeout.onDeletingJobs(moreThan: 3))
            var environment = SettingsTests.complete
            environment["ATELIER_STATE_DIRECTORY"] = stage.folder.path
            let logger = Logger(label: "test")
            let maintenance = Maintenance(
                retention: Retention(completedJobs: 1), store: stage.store,
                artifacts: try ArtifactDirectory(root: stage.folder.path + "/artifacts"),
                sweeper: WorkspaceSweeper(settings: try Settings.read(file: nil, environment: environment)),
                shared: SharedFolder(directory: stage.folder.path, store: stage.store, logger: logger), logger: logger,
                batch: 8)
            try await maintenance.prune()
            #expect(try await stage.store.query("select 1 from atelier.jobs").isEmpty)
        }
    }

    @Test func filesOfWhatWasDeletedAreRemoved() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish(body: Script.personalization("rex", seed: 1), id: "m", kind: "personalize")
            _ = try await stage.job("m", reaches: .completed)
            #expect(await stage.stop(SIGTERM) == 0)
            let root = stage.folder.path + "/artifacts"
            let artifacts = try ArtifactDirectory(root: root)
            func files() throws -> [SHA256Digest] {
                try artifacts.shelves().flatMap { try artifacts.digests(on: $0, olderThan: .seconds(-1)) }
            }
            let before = try files()
            #expect(before.count >= 2)
            let deleted = try await stage.control("concepts", "delete", "rex", "--references", "--yes")
            #expect(deleted.status == 0, "\(deleted)")
            var environment = SettingsTests.complete
            environment["ATELIER_STATE_DIRECTORY"] = stage.folder.path
            let logger = Logger(label: "test")
            let settings = try Settings.read(file: nil, environment: environment)
            let maintenance = Maintenance(
                retention: Retention(), store: stage.store, artifacts: artifacts,
                sweeper: WorkspaceSweeper(settings: settings),
                shared: SharedFolder(directory: stage.folder.path, store: stage.store, logger: logger), logger: logger)
            try await maintenance.erase()
            #expect(try files().count == before.count, "what is young may have a job on the way to the tables")
            for digest in before {
                utimes(
                    artifacts.path(of: digest), [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)])
            }
            try await maintenance.erase()
            #expect(try files().isEmpty)
            #expect(try await stage.store.query("select 1 from atelier.erasures").isEmpty)
        }
    }
}
