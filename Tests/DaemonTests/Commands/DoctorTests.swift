import Broker
import Catalogue
import DaemonTesting
import Foundation
import Hashing
import Jobs
import ServerTesting
import Store
import Testing

@testable import Daemon

/// The doctor names what is wrong, and the models' files say whether they are whole.
@Suite(.serialized, .timeLimit(.minutes(15))) struct DoctorTests {
    static let weights = StubModel.weights()

    private func model(_ name: String, in folder: TemporaryFolder, _ weights: Data = weights) throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        try folder.write(name + "/config.json", "{}")
        let digest = SHA256Digest.of(Data("\(SHA256Digest.of(Self.weights))  transformer.safetensors\n".utf8))
        let description = ModelDescription(family: .lpips, name: name, pictures: [], digest: digest.description)
        try folder.write(name + "/model.json", JSONValue(description).text)
        try weights.write(to: URL(fileURLWithPath: "\(folder.path)/\(name)/transformer.safetensors"))
    }

    @Test func aModelIsWholeOrItIsSaidWhatIsNot() throws {
        let folder = try TemporaryFolder()
        try model("pocket-infinity", in: folder)
        let whole = try #require(try ModelCatalogue(directory: folder.path).models.first)
        #expect(whole.problems.isEmpty && whole.weights.map(\.parameters) == [3])
        for (weights, problem) in [
            (Self.weights.dropLast(), "a: data_offsets [0, 12] lie outside the 11 bytes of data"),
            (Self.weights.prefix(20), "its header claims"),
            (Data(), "it is empty (0 bytes)"),
            (Self.weights.replacing(Data("[3]".utf8), with: Data("[4]".utf8)), "a: shape [4] of F32 needs 16 bytes"),
            (Self.weights + [0], "the last 1 of its \(Self.weights.count + 1) bytes belong to no tensor"),
        ] {
            try model("pocket-infinity", in: folder, Data(weights))
            let problems = try ModelCatalogue(directory: folder.path).models.flatMap(\.problems)
            #expect(
                problems.count == 1 && problems[0].hasPrefix("transformer.safetensors: ")
                    && problems[0].contains(problem), "\(problems)")
        }
    }

    @Test func aSealedModelIsReadToItsLastByte() throws {
        let folder = try TemporaryFolder()
        try model("tiny", in: folder)
        func problems() throws -> [String] { try ModelCatalogue(directory: folder.path).models.flatMap { $0.verify() } }
        #expect(try problems() == ["has no SHA256SUMS: atelierctl models seal tiny"])
        try ChecksumFile.write(in: folder.path + "/tiny")
        #expect(try problems() == [])
        try model("tiny", in: folder, Self.weights.dropLast() + [1])
        #expect(try problems().count == 2 && problems()[0].hasPrefix("transformer.safetensors: has SHA-256 "))
        #expect(try problems()[1].hasPrefix("model.json: its digest is "))
        try model("tiny", in: folder)
        try folder.write("tiny/tokenizer.json", "{}")
        #expect(try problems() == ["tokenizer.json: is not in SHA256SUMS"])
        unlink(folder.path + "/tiny/tokenizer.json")
        try folder.write(
            "tiny/SHA256SUMS",
            String(contentsOfFile: folder.path + "/tiny/SHA256SUMS", encoding: .utf8)
                + "\(String(repeating: "0", count: 64))  gone.json\n")
        #expect(try problems() == ["gone.json: is missing or cannot be read"])
        for line in ["0  x", "\(String(repeating: "0", count: 64)) x", "\(String(repeating: "0", count: 64))  ../x"] {
            try folder.write("tiny/SHA256SUMS", line)
            #expect(try problems().first?.hasPrefix("SHA256SUMS: line 1 is not a SHA-256") == true, "\(line)")
        }
    }

    private func models(in folder: TemporaryFolder, _ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(
            Stage.programs + "/atelierctl", ["models"] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "ATELIER_MODELS": folder.path,
                "ATELIER_ENGINE": Stage.programs + "/scripted-engine",
            ])
    }

    /// Sums of an earlier version lack it.
    @Test func aTokenizerThatNoSumCoversIsNoFaultAndIsSaid() async throws {
        let folder = try TemporaryFolder()
        try StubModel.write("m", .clip, in: folder.path)
        try folder.write("m/merges.txt", "words")
        let verify = try await models(in: folder, "verify")
        #expect(verify.status == 0 && verify.output == "ok   m\n", "\(verify)")
        #expect(verify.errors.contains("atelierctl: m: merges.txt: not in SHA256SUMS"), "\(verify)")
        #expect(try await models(in: folder, "seal").status == 0)
        #expect(try await !models(in: folder, "verify").errors.contains("merges.txt"))
    }

    @Test func theScheduleOfAPipelineIsShown() async throws {
        let folder = try TemporaryFolder()
        try StubModel.write("m", .diffusion, in: folder.path)
        try FileManager.default.createDirectory(atPath: folder.path + "/m/scheduler", withIntermediateDirectories: true)
        try folder.write("m/config.json", #"{"pipeline": "SD3Transformer2DModel"}"#)
        try folder.write(
            "m/scheduler/scheduler_config.json", #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3}"#)
        let shown = try await models(in: folder, "show", "m")
        #expect(shown.lines.contains("schedule            FlowMatchEulerDiscreteScheduler, shift 3"), "\(shown)")
    }

    /// Who changes a model seals it: `atelierctl models seal`, which `atelier-lab export` does by itself.
    @Test func theModelsThatShipAreAsTheirSumsSay() throws {
        let models = try ModelCatalogue(directory: Servers.root + "/models").models
        #expect(models.count >= 5)
        for model in models { #expect(model.verify() == [], "\(model.name)") }
    }

    @Test func eachFaultHasItsName() async throws {
        let settings = [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_LEASE_SECONDS": "2",
            "ATELIER_FREE_DISK_MIB": "0",
        ]
        try await Stage.with(settings: settings) { stage in
            try model("tiny", in: stage.folder)
            func faults(_ arguments: String...) async throws -> [String: String] {
                let run = try await stage.control(["doctor", "--json"] + arguments)
                let findings = try JSONValue(json: Data(run.output.utf8)).array ?? []
                let bad = findings.filter { $0["ok"] == .bool(false) }
                #expect(run.status == (bad.isEmpty ? 0 : 2), "\(run)")
                return Dictionary(
                    uniqueKeysWithValues: bad.map { ($0["check"]?.string ?? "", $0["detail"]?.string ?? "") })
            }
            try await stage.publish(
                body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "declares the queues", kind: "probe")
            #expect(try await faults().keys.sorted() == ["daemon", "intake"])
            try stage.start()
            try await stage.until("all is well") { try await faults("--probe").isEmpty }

            #expect(try await stage.control("pause").status == 0)
            try await stage.until("the pause is named") {
                try await faults()["paused"]?.contains("atelierctl resume") == true
            }
            #expect(try await faults("--probe").keys.sorted() == ["paused"], "a probe is answered all the same")
            #expect(try await stage.control("resume").status == 0)
            try await stage.until("the pause is over") { try await faults().isEmpty }

            try model("tiny", in: stage.folder, Self.weights.dropLast(2))
            #expect(try await faults()["models"]?.hasPrefix("tiny/transformer.safetensors: a: data_offsets ") == true)
            let verify = try await stage.control("models", "verify")
            #expect(verify.status == 2 && verify.output.contains("BAD  tiny\n"), "\(verify)")
            try model("tiny", in: stage.folder)
            let unsealed = try await stage.control("models", "verify")
            #expect(
                unsealed.status == 2 && unsealed.output.contains("has no SHA256SUMS: atelierctl models seal tiny"),
                "\(unsealed)")
            #expect(
                try await stage.control("models", "seal", "tiny").output
                    == "tiny  config.json model.json transformer.safetensors\n")
            let sealed = try await stage.control("models", "seal", "tiny", "--json")
            let first = try JSONValue(json: Data(sealed.output.utf8)).array?.first
            #expect(first?["name"] == "tiny", "\(sealed)")
            #expect(try await stage.control("models", "verify", "tiny").output == "ok   tiny\n")
            let list = try await stage.control("models", "list")
            #expect(
                list.status == 0 && list.lines.count == 6 && list.lines[5].hasPrefix("tiny")
                    && list.lines[5].contains("lpips") && list.lines[5].hasSuffix("whole"), "\(list)")
            #expect(try await stage.control("models", "verify", "huge").status == 66)

            try await stage.store.query(
                """
                insert into atelier.outbox (event, exchange, routing_key, body, created_at, next_try, last_error) \
                values ('x', '', 'nowhere', '{}', now() - interval '2 minutes', now() + interval '1 hour', 'no queue \
                takes it')
                """
            )
            #expect(try await faults()["outbox"]?.contains("no queue takes it") == true)
            try await stage.store.query("delete from atelier.outbox where routing_key = 'nowhere'")
            try await stage.store.query(
                """
                insert into atelier.outbox (event, exchange, routing_key, body, tries, set_aside_at, last_error)
                values ('x', 'events', 'nowhere', '{}', 5, now(), 'larger than the broker takes')
                """
            )
            #expect(
                try await faults()["outbox"]?.hasPrefix("1 message was set aside: larger than the broker takes; ")
                    == true)
            try await stage.store.query("delete from atelier.outbox where routing_key = 'nowhere'")
            for id in 1...3 { try await stage.publish(body: Data("{}".utf8), id: "rubbish \(id)") }
            try await stage.until("the rubbish is named") {
                try await faults()["rejections"]?.contains("3 messages of the last hour were refused at the door")
                    == true
            }
            try await stage.store.query("delete from atelier.rejections")
            await stage.stop(SIGKILL)
            try await stage.publish(body: Data("{}".utf8), id: "nobody takes it")
            #expect(try await faults()["intake"]?.contains("1 message waits in \(stage.names.jobs)") == true)
            try await stage.until("the silence is named") {
                try await faults()["daemon"]?.contains("gave no sign of life") == true
            }

            try await stage.publish("steps=1", id: "poison")
            let refusing = Consumer(try BrokerAddress(url: stage.servers.amqpURL), source: .queue(stage.names.jobs))
            refusing.start()
            for await delivery in refusing.deliveries {
                delivery.reject(requeue: false)
                break
            }
            await refusing.stop()
            try await stage.until("the dead letter is named") {
                try await faults("--no-daemon")["dead letters"]?.contains("atelierctl dead list") == true
            }
        }
    }

    /// A job waits by right where the slots of its kind are taken, and for a worker that has what it needs.
    @Test func onlyAJobBesideAFreeSlotForItIsAFault() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            let (holder, other) = (UUID(), UUID())
            for (worker, name) in [(holder, "holder"), (other, "other")] {
                _ = try await stage.store.register(worker, name: name, host: name, stateDirectory: "/" + name, slots: 2)
            }
            try await stage.store.registerModels([WorkerModel(model: "m", digest: "d")], of: holder)
            func enter(_ id: String, _ kind: JobKind) async throws {
                _ = try await stage.store.accept([
                    Submission(tenant: "t", messageID: id, kind: kind, spec: [:], model: "m", modelDigest: "d")
                ])
                try await stage.store.query(
                    "update atelier.jobs set run_after = now() - interval '5 minutes' where message_id = $1", [id])
            }
            func waiting() async throws -> String {
                try await stage.control("doctor", "--no-daemon").lines.first { $0.contains(" waiting: ") } ?? ""
            }
            try await enter("runs", .personalize)
            #expect(try await stage.store.claim(holder, 1).count == 1)
            try await enter("trains next", .personalize)
            #expect(try await waiting() == "ok   waiting: 1 job ready", "the holder's slot for trainings is taken")
            try await enter("draws", .generate)
            #expect(try await waiting().hasPrefix("BAD  waiting: a job is ready since 3"))
            try await stage.store.query(
                #"update atelier.jobs set estimate = '{"memory_bytes": 1000}' where message_id = 'draws'"#)
            try await stage.store.query("update atelier.workers set memory_bytes = 100")
            #expect(try await waiting() == "ok   waiting: 2 jobs ready", "it does not fit the holder's memory")
            try await enter("draws little", .generate)
            #expect(try await waiting().hasPrefix("BAD  waiting: a job is ready since 3"), "behind one that does not")
        }
    }

    @Test func aMissingSchemaIsOneLineAndWhoMayMakeItIsSaid() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            let empty = try await stage.servers.makeDatabase()
            let url = ["ATELIER_POSTGRES_URL": empty, "ATELIER_STATE_DIRECTORY": stage.folder.path + "/not-yet"]
            let run = try await stage.control(["doctor", "--no-daemon"], settings: url)
            let bad = run.lines.filter { $0.hasPrefix("BAD  ") }.map { $0.split(separator: ":")[0].dropFirst(5) }
            #expect(bad == ["schema", "state folder"], "\(run)")
            #expect(run.output.contains("there is none yet; as the database's owner: sudo atelierctl migrate"))
            #expect(run.output.contains("/scripted-engine, protocol 1"), "it is asked without the daemon's folders")
            #expect(run.output.contains("disk: not measured: \(stage.folder.path)/not-yet is not there yet"), "\(run)")
            let shared = stage.folder.path + "/unmounted"
            let apart = try await stage.control(
                ["doctor", "--no-daemon"], settings: url.merging(["ATELIER_SHARED_DIRECTORY": shared]) { $1 })
            #expect(apart.output.contains("\(shared) is not there; is the file system of sharedDirectory mounted?"))

            // The operator's role of another database may connect, and nothing more.
            var parts = try #require(URLComponents(string: empty))
            (parts.user, parts.password) = (stage.roleName("admin"), "test")
            let other = try #require(parts.string)
            let refused = try await stage.control(["migrate"], settings: ["ATELIER_POSTGRES_URL": other])
            #expect(refused.status == 65 && refused.errors.contains("only the database's owner may"), "\(refused)")
            let owner = try stage.folder.write("owner-url", empty + "\n")
            let done = try await stage.control(
                ["migrate", "--owner-url-file", owner], settings: ["ATELIER_POSTGRES_URL": other])
            #expect(done.status == 0 && done.lines.allSatisfy { $0.hasSuffix("  applied") }, "\(done)")
            try await stage.servers.dropDatabase(empty)
        }
    }

    @Test func aKilledDaemonIsSilentLongBeforeItsLeaseEnds() async throws {
        try await Stage.with(settings: ["ATELIER_LEASE_SECONDS": "600", "ATELIER_HEARTBEAT_SECONDS": "0.3"]) { stage in
            try stage.start()
            try await stage.until("it works") {
                try await stage.control("workers").lines.last?.contains("  working  ") == true
            }
            await stage.stop(SIGKILL)
            try await stage.until("it is silent") {
                try await stage.control("workers").lines.last?.contains("  silent  ") == true
            }
            let doctor = try await stage.control("doctor")
            #expect(doctor.output.contains("after 600 s another daemon takes its jobs over"), "\(doctor)")
        }
    }

    @Test func aDaemonWithoutRoomIsNotSaidToWork() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            func isSaid(_ state: String) async throws -> Bool {
                try await stage.control("workers").lines.last?.contains("  \(state)  ") == true
            }
            try stage.start()
            try await stage.until("it works") { try await isSaid("working") }
            // A folder that is not there has no room.
            let (artifacts, work) = (stage.folder.path + "/artifacts", stage.folder.path + "/work")
            try await stage.until("its folders are made") { FileManager.default.fileExists(atPath: work) }
            try FileManager.default.moveItem(atPath: artifacts, toPath: artifacts + ".away")
            try await stage.until("its disk is full") { try await isSaid("disk full") }
            let doctor = try await stage.control("doctor")
            let paused = doctor.lines.first { $0.hasPrefix("BAD  paused: ") }
            #expect(paused?.contains(" starts no new work: disk full; ") == true, "\(doctor)")
            try FileManager.default.moveItem(atPath: artifacts + ".away", toPath: artifacts)
            try await stage.until("it works again") { try await isSaid("working") }
        }
    }
}
