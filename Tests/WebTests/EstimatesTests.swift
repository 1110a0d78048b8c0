import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Store
import Testing

/// What a job would take, asked through the web program of the real daemon before anything is published.
@Suite(.serialized, .timeLimit(.minutes(15))) struct EstimatesTests {
    private static let settings = [
        "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_ENGINE_MEMORY_MIB": "1000",
    ]

    private static func job(_ prompt: String) -> JSONValue {
        ["version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": [.string(prompt)]]
    }

    private func measured(_ stage: Stage) async throws {
        try await stage.until("the host is measured") {
            try await stage.store.query("select 1 as found from atelier.host_rates").count == 1
        }
    }

    @Test func aJobIsPricedBeforeItIsPublished() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let site = try WebClient(try await stage.startWeb())
            func told(_ body: JSONValue) async throws -> WebClient.Answer {
                try await site.send(json: body, to: "/api/estimates")
            }
            let small = try await told(Self.job("steps=1 inspect-cost=3"))
            #expect(small.status == 200 && small.json?["seconds"]?.double == 5, "\(small) \(stage.log)")
            #expect(small.json?["memory_bytes"] == .integer(4 << 20) && small.json?["disk_bytes"] == 7)
            #expect(small.json?["fits"] == true && small.json?["jobs"] == 0)
            let large = try await told(Self.job("inspect-cost=1500"))
            #expect(large.json?["fits"] == false && large.json?["largest_memory_bytes"] == .integer(1000 << 20))
            #expect(large.json?["alternatives"]?[0]?["change"] == "/images_per_prompt 1", "\(large)")
            #expect(try await stage.store.query("select 1 from atelier.jobs").isEmpty, "a question is no job")

            // Pictures count, and do not travel: more than the broker would take of a question.
            let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) + Data(repeating: 7, count: 3 << 20)
            let learning = try await told([
                "version": 1, "kind": "personalize", "method": "lora", "model": "pocket-chameleon",
                "concept": ["name": "rex", "role": "subject", "class": "dog"],
                "images": [["png": .string(picture.base64EncodedString())]], "prompts": ["inspect-cost=9"],
            ])
            #expect(learning.json?["memory_bytes"] == .integer(10 << 20), "\(learning)")

            for (body, pointer) in [
                (["version": 1, "kind": "generate"], "/model"), (["version": 1, "kind": "probe"], "/kind"),
                (Self.job("inspect-problem"), "/prompts/0"),
                (["version": 1, "kind": "generate", "model": "nobody-has-it", "prompts": ["x"]], "/model"),
            ] as [(JSONValue, String)] {
                let wrong = try await told(body)
                let pointers = (wrong.json?["problems"]?.array ?? []).compactMap { $0["pointer"]?.string }
                #expect(wrong.status == 422 && pointers.contains(pointer), "\(wrong)")
            }
            #expect(try await site.ask("/api/estimates", ["Content-Type": "text/plain"], ["-d", "x"]).status == 415)
            let untold = try await told(Self.job("the engine counts nothing"))
            #expect(untold.status == 503 && untold.body.contains("no living daemon can tell"), "\(untold)")
            let foreign = try await site.send(
                json: Self.job("inspect-cost=3"), to: "/api/estimates", ["Origin": "https://evil.example"])
            #expect(foreign.status == 403)

            // What jobs took corrects it.
            try await stage.publish(body: Self.job("steps=1 inspect-cost=3").line, id: "first")
            _ = try await stage.job("first", reaches: .completed)
            let again = try await told(Self.job("steps=1 inspect-cost=3")).json
            #expect(again?["jobs"] == 1 && (again?["seconds"]?.double ?? 9) < 5, "\(again ?? .null)")
        }
    }

    /// What the job would be warned of when it is accepted the estimate says before it is published.
    @Test func whatWasNotLearntIsSaidBeforehand() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let site = try WebClient(try await stage.startWeb())
            let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).base64EncodedString()
            let learning: JSONValue = [
                "version": 1, "kind": "personalize", "method": "arbooth", "model": "pocket-infinity", "seed": 1,
                "concept": ["name": "rex", "role": "subject", "class": "dog"],
                "images": [["png": .string(picture)]], "prompts": ["steps=2 adapter"],
            ]
            #expect(try await site.send(json: learning, to: "/api/jobs?message_id=learnt").status == 202)
            let tenant = try #require(try await stage.job("learnt", reaches: .completed)["tenant"]?.string)
            func warnings(_ prompt: String, _ model: String, _ query: String = "") async throws -> [String] {
                var job = Self.job(prompt + " inspect-cost=3")
                if case .object(var members) = job {
                    members["model"] = .string(model)
                    job = .object(members)
                }
                let told = try await site.send(json: job, to: "/api/estimates" + query)
                #expect(told.status == 200, "\(told)")
                return (told.json?["warnings"]?.array ?? []).compactMap(\.string)
            }
            #expect(try await warnings("a <rex> dog", "pocket-infinity").isEmpty)
            // What a concept weighs is counted: the engine takes one, what was learnt nine.
            let weighed = try await site.send(json: Self.job("a <rex> dog inspect-cost=3"), to: "/api/estimates")
            #expect(weighed.json?["memory_bytes"] == .integer(13 << 20), "\(weighed)")
            // What looks like a concept's name and is none is a problem, and the names there are beside it.
            for path in ["/api/estimates", "/api/jobs"] {
                let wrong = try await site.send(json: Self.job("a < rex > dog inspect-cost=3"), to: path)
                let problem = wrong.json?["problems"]?[0]
                #expect(wrong.status == 422 && problem?["pointer"] == "/prompts/0", "\(wrong)")
                #expect(problem?["allowed"]?.string?.hasSuffix("; known: <rex>") == true, "\(wrong)")
            }
            #expect(try await warnings("a <rex@1> dog", "pocket-infinity").isEmpty)
            let later = try await warnings("a <rex@2> dog", "pocket-infinity")
            #expect(later.count == 1 && later[0].contains("<rex@2>"), "\(later)")
            let unknown = try await warnings("a <rax> dog", "pocket-infinity")
            #expect(unknown.count == 1 && unknown[0].hasPrefix("/prompts/0: <rax> is no concept"), "\(unknown)")
            #expect(unknown[0].hasSuffix("now: <rex>"), "\(unknown)")
            let elsewhere = try await warnings("a <rex> dog", "pocket-chameleon")
            #expect(elsewhere.count == 1 && elsewhere[0].contains("a subject on pocket-infinity"), "\(elsewhere)")
            let others = try await warnings("a <rex> dog", "pocket-infinity", "?tenant=shop")
            #expect(others.count == 1 && others[0].contains("shop has learnt none on pocket-infinity"), "\(others)")
            // The same words as those of the job itself.
            let wrong = Self.job("a <rax> dog inspect-cost=3")
            #expect(try await site.send(json: wrong, to: "/api/jobs?message_id=warned").status == 202)
            _ = try await stage.job("warned") { $0["finalized_at"]?.string != nil }
            let rows = try await stage.store.query(
                """
                select e.detail->'warnings'->>0 as warning from atelier.job_events e join atelier.jobs j on j.id = e.job
                where j.message_id = 'warned' and e.event = 'accepted'
                """)
            #expect(rows.first?["warning"] == unknown[0])
            // The form draws with the model the concept was learnt on.
            let page = try await site.page("/playground?concept=rex&tenant=\(tenant)")
            #expect(page.body.contains("<option selected>pocket-infinity"), "\(page.body)")
            #expect(page.body.contains("a &lt;rex&gt; dog on the beach"))
        }
    }

    /// What the door would refuse is no job here either.
    @Test func proxiesThatWillNotDoAreSaidBeforehand() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let site = try WebClient(try await stage.startWeb())
            func learning(_ members: [String: JSONValue]) -> JSONValue {
                let common: [String: JSONValue] = [
                    "version": 1, "kind": "personalize", "method": "proxy-tuning", "prompts": ["inspect-cost=3"],
                ]
                return .object(common.merging(members) { $1 })
            }
            let drawn = learning([
                "model": "gone", "concept": ["name": "rex", "role": "subject", "class": "dog"],
                "images": [["artifact": .string("sha256:" + String(repeating: "a", count: 64))]],
            ])
            let drawing = try await stage.store.accept([
                Submission(tenant: "shop", messageID: "drawing", kind: .personalize, spec: drawn, model: "gone")
            ])[0].job
            func told(_ noun: String) async throws -> WebClient.Answer {
                let reused: JSONValue = [
                    "name": "rex", "role": "subject", "class": .string(noun),
                    "proxies": ["job": .string(drawing.uuidString.lowercased())],
                ]
                let job = learning(["model": "pocket-chameleon", "concepts": [reused]])
                return try await site.send(json: job, to: "/api/estimates?tenant=shop")
            }
            let wrong = try await told("owl")
            #expect(wrong.status == 422, "\(wrong)")
            #expect(wrong.json?["problems"]?[0]?["found"] == "proxies of a dog", "\(wrong)")
            let early = try await told("dog")
            #expect(early.status == 200, "\(early)")
            let warning = early.json?["warnings"]?[0]?.string
            #expect(warning?.contains("which has not drawn them all yet, and must") == true, "\(early)")
        }
    }

    @Test func theFormOfThePlaygroundIsPricedToo() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let site = try WebClient(try await stage.startWeb())
            let token = try #require(try await site.page("/playground").formToken)
            let form = [("model", "pocket-infinity"), ("prompts", "inspect-cost=3"), ("images_per_prompt", "2")]
            let told = try await site.send("/playground/estimate", form + [("form_token", token)])
            #expect(told.status == 200 && told.json?["memory_bytes"] == .integer(4 << 20), "\(told)")
            let wrong = try await site.send("/playground/estimate", form + [("form_token", token), ("size", "7x7")])
            #expect(wrong.status == 422 && wrong.json?["problems"]?[0]?["pointer"] == "/size", "\(wrong)")
            #expect(try await site.send("/playground/estimate", form).status == 403)
        }
    }

    @Test func whoMayLookMayAskAndWhoIsNobodyMayNot() async throws {
        let folder = try TemporaryFolder()
        let reader = AccessTokenPair("rob", .reader, nil)
        let shop = AccessTokenPair("sue", .reader, "shop")
        let file = try folder.write("tokens", JSONValue.array([reader.entry, shop.entry]).text)
        chmod(file, 0o600)
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await measured(stage)
            let site = try WebClient(try await stage.startWeb(["ATELIER_WEB_TOKENS": file]))
            let job = Self.job("inspect-cost=3")
            for pair in [reader, shop] {
                let told = try await site.send(
                    json: job, to: "/api/estimates", ["Authorization": "Bearer " + pair.token])
                #expect(told.status == 200, "\(told)")
                let published = try await site.send(
                    json: job, to: "/api/jobs", ["Authorization": "Bearer " + pair.token])
                #expect(published.status == 403, "\(published)")
            }
            for headers in [[:], ["Authorization": "Bearer atelier_wrong"]] {
                #expect(try await site.send(json: job, to: "/api/estimates", headers).status == 403)
            }
        }
    }

    /// Many of the largest at once would be more than the program's memory holds. What one has yet to send keeps nobody
    /// out.
    @Test func aLargeBodyWaitsForWhatHasComeOfAnother() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let site = try WebClient(try await stage.startWeb())
            let large: JSONValue = [.string(String(repeating: "x", count: 2 << 20))]
            let file = try stage.folder.write("large", large.text)
            // Announces as much as may be, and sends less.
            func announcing(_ data: String) -> [String] {
                ["-H", "Content-Length: \(96 << 20)", "--data-binary", data]
            }
            let slow = try ChildProgram(
                "curl",
                ["-s", "-H", "Content-Type: application/json"] + announcing("@" + file) + [site.address + "/api/jobs"],
                environment: ["PATH": "/usr/bin:/bin", "no_proxy": "*"], output: stage.folder.path + "/slow",
                errors: stage.folder.path + "/slow")
            defer {
                kill(slow.identifier, SIGKILL)
                _ = try? slow.end(within: 10)
            }
            let json = ["Content-Type": "application/json"]
            func announce() async throws -> WebClient.Answer {
                try await site.ask("/api/estimates", json, announcing("{}") + ["--max-time", "1"])
            }
            var refused = try await announce()
            try await stage.until("it is held", within: 50) {
                if refused.status != 503 { refused = try await announce() }
                return refused.status == 503
            }
            #expect(refused.headers["retry-after"] == "5", "\(refused)")
            #expect(try await site.send(json: large, to: "/api/estimates").status == 422, "there is room beside it")
            #expect(try await site.send(json: [], to: "/api/estimates").status == 422, "a small one does not wait")
            kill(slow.identifier, SIGKILL)
            let whole = try stage.folder.write("whole", String(repeating: " ", count: 95 << 20))
            try await stage.until("it is given back") {
                try await site.ask("/api/jobs", json, ["--data-binary", "@" + whole]).status == 422
            }
        }
    }

    @Test func itIsSaidWhereNobodyAnswers() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let site = try WebClient(try await stage.startWeb())
            let job = Self.job("inspect-cost=3")
            let none = try await site.send(json: job, to: "/api/estimates")
            #expect(none.status == 503 && none.body.contains("does atelierd run?"), "\(none)")
            try stage.start()
            try await measured(stage)
            // A daemon that is killed is thought to live for a while.
            await stage.stop(SIGKILL)
            let killed = try await site.send(json: job, to: "/api/estimates")
            #expect(killed.status == 503 && killed.json?["error"]?.string?.isEmpty == false, "\(killed)")
        }
    }
}
