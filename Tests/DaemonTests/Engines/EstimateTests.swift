import Broker
import DaemonTesting
import Foundation
import Jobs
import SchemaTesting
import Testing

/// What is said beforehand of what a job takes, and which jobs are none for want of memory.
@Suite(.timeLimit(.minutes(15))) struct EstimateTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]

    private func measured(_ stage: Stage) async throws {
        try await stage.until("the host is measured") {
            try await stage.store.query("select 1 as found from atelier.host_rates").count == 1
        }
    }

    private func event(_ name: String, of id: String, on stage: Stage) async throws -> JSONValue? {
        let rows = try await stage.store.query(
            """
            select e.detail::text as detail from atelier.job_events e join atelier.jobs j on j.id = e.job
            where j.message_id = $1 and e.event = $2
            """, [id, name])
        return try rows.first?["detail"].map { try JSONValue(json: Data($0.utf8)) }
    }

    /// Whoever mended one would only meet the next.
    @Test func allThatIsWrongWithAJobIsSaidAtOnce() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let job = try stage.folder.write(
                "wrong.json",
                """
                {"version":1,"kind":"personalize","method":"arbooth","model":"pocket-infinity",
                "concept":{"name":"rex","role":"subject","class":"dog"},"images":[{"file":"none.png"}],
                "prompts":["inspect-problem"],"options":{"iteration":1}}
                """)
            for command in [["estimate", job], ["run", job, "--out", stage.folder.path + "/out"]] {
                let told = try await stage.control(command)
                #expect(told.status == 65, "\(told)")
                for place in ["/options/iteration", "/prompts/0: found 99 tokens", "/images/0/file"] {
                    #expect(told.errors.contains(place), "\(command): \(told)")
                }
            }
        }
    }

    @Test func whyNothingIsCountedIsSaid() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let job = try stage.folder.write(
                "job.json", String(decoding: Script.body("steps=1 inspect-uncounted"), as: UTF8.self))
            let told = try await stage.control("estimate", job)
            #expect(told.status == 66 && told.errors.contains("cannot be told: its weights are damaged"), "\(told)")
        }
    }

    @Test func anEstimateIsToldAndCorrectedByWhatJobsTook() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let told: JSONValue = ["seconds": 5, "memory_bytes": .integer(4 << 20), "disk_bytes": 7, "jobs": 0]
            let job = try stage.folder.write(
                "job.json", String(decoding: Script.body("steps=1 inspect-cost=3"), as: UTF8.self))
            let asked = try await stage.control("estimate", job, "--json")
            let there = JSONValue.integer(Int(ProcessInfo.processInfo.physicalMemory))
            let figures = told.adding("fits", true).adding("largest_memory_bytes", there).adding("alternatives", [])
                .adding("warnings", [])
            #expect(try JSONValue(json: Data(asked.output.utf8)) == figures, "\(asked)")
            let shown = try await stage.control("estimate", job)
            #expect(shown.status == 0 && shown.output.contains("about 5.0s (at this host's speed;"), "\(shown)")
            #expect(shown.output.contains("memory 4 MiB, disk 1 MiB"), "\(shown)")
            for (prompt, said) in [
                ("a <Rex> dog", "; known: none is learnt yet"),
                ("a <rex> dog", "warning: /prompts/0: <rex> is no concept that can be used yet"),
            ] {
                let file = try stage.folder.write(
                    "names.json", String(decoding: Script.body(prompt + " inspect-cost=3"), as: UTF8.self))
                let named = try await stage.control("estimate", file)
                #expect(named.errors.contains(said) && (named.status == 0) == !prompt.contains("R"), "\(named)")
            }
            try await stage.publish("steps=1 inspect-cost=3", id: "first")
            let first = try await stage.job("first", reaches: .completed)
            #expect(try await event("accepted", of: "first", on: stage)?["estimate"] == told)
            let id = try #require(first["job"]?.string ?? first["id"]?.string)
            let details = try await stage.store.objects(
                "select estimate from dashboard.job_details where job = $1::uuid", [id])
            #expect(details.first?["estimate"] == told)
            // It took far less than the five seconds: the next estimate says so.
            try await stage.publish("steps=1 inspect-cost=3", id: "second")
            _ = try await stage.job("second", reaches: .completed)
            let second = try #require(try await event("accepted", of: "second", on: stage)?["estimate"])
            #expect(second["jobs"] == 1 && (second["seconds"]?.double ?? 9) < 5)
        }
    }

    /// Where no worker tells what it has, this host is all there is: what it has not the memory for would end amid the
    /// work.
    @Test func whatThisHostHasNotTheMemoryForIsNotBegun() async throws {
        try await Stage.with(settings: Self.settings.merging(["ATELIER_ENGINE_MEMORY_MIB": "1000"]) { $1 }) { stage in
            let (job, out) = (
                try stage.folder.write(
                    "large.json", String(decoding: Script.body("steps=1 inspect-cost=1500"), as: UTF8.self)),
                stage.folder.path + "/out"
            )
            let there = """
                a job that takes about 1.5 GiB of memory; allowed: at most 1.0 GiB, all that an engine may take here; \
                it would fit with /images_per_prompt 1 (about 750 MiB)
                """
            let begun = try await stage.control("run", job, "--out", out)
            #expect(begun.status == 65 && begun.errors.contains(there), "\(begun)")
            #expect(!FileManager.default.fileExists(atPath: out))
            let asked = try await stage.control("estimate", job)
            #expect(asked.status == 0 && asked.errors.contains("warning: it does not fit: " + there), "\(asked)")
            let figures = try await JSONValue(json: Data(stage.control("estimate", job, "--json").output.utf8))
            #expect(figures["fits"] == false && figures["largest_memory_bytes"] == .integer(1000 << 20))
            #expect(
                figures["alternatives"] == [["change": "/images_per_prompt 1", "memory_bytes": .integer(750 << 20)]],
                "\(figures)")
            let small = try stage.folder.write(
                "small.json", String(decoding: Script.body("steps=1 inspect-cost=1200"), as: UTF8.self))
            let done = try await stage.control("run", small, "--out", out)
            #expect(done.status == 0, "an estimate may be a quarter too high: \(done)")
            #expect(done.errors.contains("warning: it may not fit: it takes about 1.2 GiB"), "\(done)")
            let doubtful = try await stage.control("estimate", small)
            #expect(doubtful.errors.contains("warning: it may not fit: it takes about 1.2 GiB"), "\(doubtful)")
            let told = try await JSONValue(json: Data(stage.control("estimate", small, "--json").output.utf8))
            #expect(told["fits"] == true && told["warnings"]?.array?.count == 1, "\(told)")
        }
    }

    /// Over the broker, without anything published, stored, or said to others.
    @Test func whoAsksIsToldAndNobodyElse() async throws {
        try await Stage.with(settings: Self.settings.merging(["ATELIER_ENGINE_MEMORY_MIB": "1000"]) { $1 }) { stage in
            try stage.start()
            try await measured(stage)
            let asker = EstimateAsker(
                address: try BrokerAddress(url: stage.servers.amqpURL), control: stage.names.control)
            let queue = "reply.\(asker.address.user).\(stage.names.prefix)"
            let schema = try JSONSchema(path: MessageTests.folder + "estimate.json")
            func told(_ script: String) async throws -> JSONValue {
                let job = try JSONValue(json: Script.body(script))
                let answer = try #require(try await asker.ask(job, listeningAt: queue).first, "\(stage.log)")
                #expect(try schema.problems(in: answer).isEmpty, "\(answer)")
                return answer
            }
            let small = try await told("steps=1 inspect-cost=3 inspect-warning")
            #expect(
                small["estimate"]
                    == ["seconds": 5, "memory_bytes": .integer(4 << 20), "disk_bytes": 7, "jobs": 0], "\(small)")
            #expect(small["fits"] == true && small["largest_memory_bytes"] == .integer(1000 << 20))
            #expect(small["warnings"] == ["/prompts/0: as it was written"] && small["alternatives"] == nil)
            let unlearnt = try await told("a <rex> dog inspect-cost=3")["warnings"]?.array ?? []
            #expect(unlearnt.count == 1, "\(unlearnt)")
            #expect(unlearnt.first?.string?.hasPrefix("/prompts/0: <rex> is no") == true, "\(unlearnt)")
            let wrong = try await told("a <Rex> dog inspect-cost=3")["problems"]?[0]
            #expect(wrong?["allowed"]?.string?.hasSuffix("; known: none is learnt yet") == true, "\(wrong as Any)")
            let large = try await told("inspect-cost=1500")
            #expect(large["fits"] == false && large["estimate"]?["memory_bytes"] == .integer(1501 << 20), "\(large)")
            #expect(
                large["alternatives"] == [["change": "/images_per_prompt 1", "memory_bytes": .integer(1501 << 19)]])
            #expect(try await told("inspect-problem")["problems"]?[0]?["pointer"] == "/prompts/0")
            #expect(try await told("nothing is counted")["estimate"] == nil)
            let unknown = try await asker.ask(
                ["version": 1, "kind": "generate", "model": "nobody's", "prompts": ["x"]], listeningAt: queue)
            #expect(unknown.first?["problems"]?[0]?["pointer"] == "/model", "\(unknown)")
            let field = String(repeating: "~", count: 9000)
            let long = try await asker.ask(["version": 1, "kind": "probe", field: 1], listeningAt: queue)
            #expect(long.first?["problems"]?[0]?["pointer"]?.string?.count == 300, "\(long)")
            let pictures = try await asker.ask(
                ["images": [["data": .string(String(repeating: "A", count: 1 << 20))]]], listeningAt: queue)
            let excess = try #require(pictures.first, "\(stage.log)")
            #expect(try schema.problems(in: excess).isEmpty, "\(excess)")
            let allowed = excess["problems"]?[0]?["allowed"]?.string
            #expect(allowed?.hasPrefix("at most 1048576 bytes; for each picture") == true, "\(excess)")
            let job = try JSONValue(json: Script.body("inspect-cost=3"))
            for (pointer, asked, further) in [
                ("/job", nil, [:]), ("/conceps", job, ["conceps": false]), ("/concepts", job, ["concepts": 0]),
                ("/adapters", job, ["adapters": ["rex": ["method": "arbooth", "bytes": -1]]]),
            ] as [(String, JSONValue?, [String: JSONValue])] {
                let answer = try await asker.ask(asked, further, listeningAt: queue)
                #expect(answer.first?["problems"]?[0]?["pointer"] == .string(pointer), "\(answer)")
            }
            let probe = try await asker.ask(["version": 1, "kind": "probe"], listeningAt: queue)
            #expect(probe.first?["problems"]?[0]?["pointer"] == "/kind", "\(probe)")
            for table in ["jobs", "rejections", "outbox"] {
                #expect(try await stage.store.query("select 1 from atelier.\(table)").isEmpty, "\(table)")
            }
            // To a queue that is another tenant's nothing goes.
            let other = "reply.somebody.\(stage.names.prefix)"
            #expect(try await asker.ask(job, listeningAt: other, within: 3).isEmpty)
            #expect(stage.log.contains("control message refused"))
        }
    }

    /// In the accepted event and to who asks, of what is learnt and of a file.
    @Test func whatAJobsConceptsWeighIsCounted() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            try await stage.publish(body: Script.personalization("rex", seed: 1), id: "rex", kind: "personalize")
            _ = try await stage.job("rex", reaches: .completed)
            func told(_ concept: String, _ arguments: String...) async throws -> JSONValue? {
                let body = Script.body("steps=1 a <\(concept)> dog inspect-cost=3")
                let file = try stage.folder.write("job.json", String(decoding: body, as: UTF8.self))
                let told = try await stage.control(["estimate", file, "--json", "--tenant", "default"] + arguments)
                #expect(told.status == 0 && !told.errors.contains("no concept"), "\(told)")
                return try JSONValue(json: Data(told.output.utf8))["memory_bytes"]
            }
            // The engine itself takes one, what was learnt nine.
            #expect(try await told("rex") == .integer(13 << 20))
            let header = Data(#"{"__metadata__":{"description":"{\"method\":\"arbooth\"}"}}"#.utf8)
            let file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
            let path = stage.folder.path + "/max.safetensors"
            try file.write(to: URL(fileURLWithPath: path))
            #expect(try await told("max", "--adapter", "max=" + path) == .integer((4 + file.count) << 20))
            try await stage.publish("steps=1 a <rex> dog inspect-cost=3", id: "drawn")
            _ = try await stage.job("drawn", reaches: .completed)
            let accepted = try await event("accepted", of: "drawn", on: stage)
            #expect(accepted?["estimate"]?["memory_bytes"] == .integer(13 << 20), "\(accepted as Any)")
        }
    }

    @Test func aJobThatFitsNowhereIsRejectedWithWhatWouldFit() async throws {
        try await Stage.with(settings: Self.settings.merging(["ATELIER_ENGINE_MEMORY_MIB": "1000"]) { $1 }) { stage in
            try stage.start()
            try await measured(stage)
            try await stage.publish("steps=1 inspect-cost=1500", id: "large")
            let rejected = try await stage.outcomes(1)[0]
            let problem = try #require(rejected["problems"]?[0])
            #expect(rejected["event"] == "rejected" && problem["pointer"] == "")
            #expect(problem["found"] == "a job that takes about 1.5 GiB of memory")
            #expect(
                problem["allowed"]?.string == """
                    at most 1.0 GiB, all that an engine may take of any worker; it would fit with \
                    /images_per_prompt 1 (about 751 MiB)
                    """)
            // An estimate may be a quarter too high.
            try await stage.publish("steps=1 inspect-cost=1200", id: "fits")
            _ = try await stage.job("fits", reaches: .completed)
            let warnings = try await event("accepted", of: "fits", on: stage)?["warnings"]?.array ?? []
            #expect(warnings.count == 1, "\(warnings)")
            #expect(
                warnings.first?.string?.hasPrefix(
                    """
                    it may not fit: it takes about 1.2 GiB of memory, and 1.0 GiB is all that an engine may take of \
                    any worker; it would fit with /images_per_prompt 1
                    """) == true, "\(warnings)")
        }
    }

    /// Room comes back: it is no reason to refuse a job, but one to say how much it keeps, and not to begin it yet.
    @Test func aJobThatTheDiskHasNoRoomForIsWarnedOfAndWaits() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let script = "steps=1 inspect-cost=3 inspect-disk=1000000000"
            try await stage.publish(script, id: "large")
            try await stage.publish("steps=1 inspect-cost=3", id: "small")
            _ = try await stage.job("small", reaches: .completed)
            let held = try await stage.job("large") { $0["lacks"] == "worker.disk" }
            #expect(held["state"] == "available" && held["attempt"] == 0, "\(held)")
            let shown = try await stage.control("jobs", "show", "large")
            #expect(
                shown.output.contains("room: it keeps up to 1000000000 MiB on the disk, and no living worker"),
                "\(shown)")
            let doctor = try await stage.control("doctor")
            #expect(doctor.output.contains("up to 1000000000 MiB on the disk, where "), "\(doctor)")
            #expect(doctor.output.contains("[worker.disk]"), "\(doctor)")
            let warnings = try await event("accepted", of: "large", on: stage)?["warnings"]?.array ?? []
            let said = "there may be no room for it: it keeps up to 1000000000 MiB on the disk, where "
            #expect(warnings.count == 1 && warnings.first?.string?.hasPrefix(said) == true, "\(warnings)")
            // Workers do it, whose disks nobody knows; or this folder is meant.
            let job = try stage.folder.write("large.json", String(decoding: Script.body(script), as: UTF8.self))
            let anywhere = try await stage.control("estimate", job, "--json")
            #expect(try JSONValue(json: Data(anywhere.output.utf8))["fits"] == true, "\(anywhere)")
            let here = try await stage.control("estimate", job, "--json", "--out", stage.folder.path + "/new/out")
            #expect(try JSONValue(json: Data(here.output.utf8))["fits"] == false, "\(here)")
        }
    }

    /// It would wait for a worker that never comes; so would a smaller form that fits by what was counted alone.
    @Test func whatJobsTookIsCountedAtTheDoor() async throws {
        try await Stage.with(settings: Self.settings.merging(["ATELIER_ENGINE_MEMORY_MIB": "1000"]) { $1 }) { stage in
            try stage.start()
            try await measured(stage)
            func correct(_ factor: Int) async throws {
                _ = try await stage.store.query(
                    """
                    insert into atelier.estimate_ratios (kind, method, model, jobs, seconds, memory)
                        values ('generate', '', 'pocket-infinity', 9, 1, $1::int)
                        on conflict (kind, method, model) do update set memory = excluded.memory
                    """, [String(factor)])
            }
            try await correct(2)
            try await stage.publish("steps=1 inspect-cost=900", id: "twice")
            let twice = try #require(try await stage.outcomes(1)[0]["problems"]?[0])
            #expect(twice["found"] == "a job that takes about 1.8 GiB of memory", "\(twice)")
            #expect(twice["allowed"]?.string?.hasSuffix(" /images_per_prompt 1 (about 901 MiB)") == true, "\(twice)")
            try await correct(4)
            try await stage.publish("steps=1 inspect-cost=900", id: "more")
            let more = try #require(try await stage.outcomes(1)[0]["problems"]?[0])
            #expect(more["allowed"]?.string?.hasSuffix("; no smaller form of it fits") == true, "\(more)")
        }
    }
}
