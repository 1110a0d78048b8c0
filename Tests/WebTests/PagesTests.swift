import Broker
import DaemonTesting
import Foundation
import Jobs
import SchemaTesting
import ServerTesting
import Store
import Testing

/// The web program as a process, with the real daemon and servers.
@Suite(.serialized, .timeLimit(.minutes(15))) struct PagesTests {
    private static let hostile = #"<script>alert(1)</script>"><img src=x onerror=alert(2)>&{{form_token}}"#

    private func withSite(
        _ settings: [String: String] = [:], _ body: (Stage, WebClient) async throws -> Void
    ) async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try stage.start()
            try await body(stage, WebClient(try await stage.startWeb(settings)))
        }
    }

    private static func job(_ prompt: String, _ model: String = "pocket-infinity") -> JSONValue {
        ["version": 1, "kind": "generate", "model": .string(model), "prompts": [.string(prompt)]]
    }

    /// Publishes through the program and waits for the job's end.
    private func run(_ prompt: String, _ stage: Stage, _ site: WebClient) async throws -> JSONValue {
        var answer = try await site.send(json: Self.job(prompt), to: "/api/jobs")
        // Until the daemon has run there is no queue to take it.
        try await stage.until("jobs are taken") {
            if answer.status == 503 { answer = try await site.send(json: Self.job(prompt), to: "/api/jobs") }
            return answer.status != 503
        }
        #expect(answer.status == 202, "\(answer)")
        let id = try #require(answer.json?["message_id"]?.string)
        return try await stage.job(id) { $0["finalized_at"]?.string != nil }
    }

    @Test func everyPageIsShownAndNothingOnThemIsTakenForHTML() async throws {
        try await withSite { stage, site in
            let job = try await run("steps=3 " + "a dog & a \"cat\" 'x'", stage, site)
            let id = try #require(job["id"]?.string)
            // What no message may hold the tables may: from before there were such rules.
            let text = "'" + Self.hostile.replacing("'", with: "''") + "'"
            try await stage.store.query(
                """
                update atelier.jobs set spec = jsonb_set(spec, '{prompts,0}', to_jsonb(\(text)::text)),
                    error_message = \(text), cancel_reason = \(text) where id = $1::uuid
                """, [id])
            try await stage.store.query(
                "update atelier.artifacts set prompt = \(text), name = \(text) where job = $1::uuid", [id])
            try await stage.publish(
                body: Data(#"{"version":1,"kind":"generate","model":"<script>x</script>"}"#.utf8), id: Self.hostile)
            try await stage.until("the rejection is written") {
                try await stage.store.query("select 1 from atelier.rejections").count == 1
            }
            for path in [
                "/", "/jobs", "/jobs?text=script", "/jobs/\(id)", "/jobs/\(id)?part=live", "/concepts", "/playground",
                "/compare", "/failures", "/rejections", "/dead", "/models", "/new", "/new?from=\(id)", "/sign-in",
            ] {
                let page = try await site.page(path)
                #expect(page.status == 200, "\(path): \(page.status) \(page.body.suffix(500))")
                #expect(page.headers["content-type"] == "text/html; charset=utf-8")
                #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(page.headers["x-content-type-options"] == "nosniff")
                #expect(!page.body.contains("<script>") && !page.body.contains("<img src=x"), "\(path)")
                let braces = page.body.replacing("{{form_token}}", with: "")
                #expect(!page.body.contains("style=\"") && !braces.contains("{{"), "\(path)")
            }
            #expect(try await site.page("/jobs/\(id)").body.contains("&lt;script&gt;alert(1)"))
            #expect(try await site.page("/jobs/\(id)").body.contains("&amp;{{form_token}}"))
            #expect(try await site.page("/rejections").body.contains("&lt;script&gt;x"))
            #expect(try await site.page("/jobs/\(UUID())").status == 404)
            #expect(try await site.page("/files/\(String(repeating: "0", count: 64))").status == 404)
            #expect(try await site.page("/files/..%2f..%2fetc%2fpasswd").status == 404)
        }
    }

    /// Of one reference nobody may be able to say whether the subject was learnt.
    @Test func aPageSaysNotLearntWhereThatIsKnownAlone() async throws {
        try await withSite { stage, site in
            let id = try #require(try await run("steps=2", stage, site)["id"]?.string)
            for (verdict, isShown) in [("null", false), ("false", true)] {
                try await stage.store.query(
                    """
                    update atelier.jobs set result = jsonb_build_object(
                        'likeness', jsonb_build_object('is_learnt', \(verdict)::boolean))
                        where id = $1::uuid
                    """, [id])
                #expect(try await site.page("/jobs/\(id)").body.contains("Not learnt.") == isShown, "\(verdict)")
            }
        }
    }

    @Test func aTrainingsPromptsAreShownUntilTheirPicturesAre() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            let prompt = "steps=4000 delay=10 preview"
            let sent = try await site.send(json: Self.learning("rex", prompt: prompt), to: "/api/jobs")
            #expect(sent.status == 202, "\(sent)")
            let id = try #require(sent.json?["message_id"]?.string)
            let job = try #require(try await stage.job(id, reaches: .running)["id"]?.string)
            func page() async throws -> String { try await site.page("/jobs/\(job)").body }
            try await stage.until("there is a preview") { try await page().contains(#"id="previews""#) }
            let shown = try await page().components(separatedBy: #"<p class="prompt">\#(prompt)</p>"#).count - 1
            #expect(shown == 2, "once as what is wanted, once with its preview")
            #expect(try await site.send(json: [:], to: "/api/jobs/\(job)/cancel").status == 200)
            _ = try await stage.job(id, reaches: .cancelled)
        }
    }

    @Test func aPageSaysWhatTheAcceptanceWarnedOf() async throws {
        try await withSite { stage, site in
            let id = try #require(try await run("steps=1 inspect-warning", stage, site)["id"]?.string)
            #expect(try await site.page("/jobs/\(id)").body.contains("as it was written"))
        }
    }

    @Test func aDeadLetterThatStaysSaysWhy() async throws {
        try await withSite(["ATELIER_MESSAGE_MIB": "1"]) { stage, site in
            let publisher = Publisher(try BrokerAddress(url: stage.servers.amqpURL), topology: .atelier(stage.names))
            publisher.start()
            let letter = OutgoingMessage(
                exchange: "", routingKey: stage.names.dead, properties: MessageProperties(messageID: "long"),
                body: [UInt8](repeating: 0x20, count: 2 << 20))
            #expect(await publisher.publish(letter) == .confirmed)
            await publisher.stop()
            let token = try #require(try await site.page("/dead").formToken)
            let page = try await site.send("/dead/replay", [("form_token", token), ("all", "yes")])
            #expect(Self.words(page).contains("0 messages were replayed; 1 stayed: its body is longer"), "\(page)")
        }
    }

    /// What was shown lies behind the rest of a long queue, out of reach of who looks at its first thousand.
    @Test func ofManyDeadLettersAShownOneIsFoundAgain() async throws {
        try await Stage.with(settings: [:]) { stage in
            let publisher = Publisher(try BrokerAddress(url: stage.servers.amqpURL), topology: .atelier(stage.names))
            publisher.start()
            let letters = (1...1201).map {
                OutgoingMessage(
                    exchange: "", routingKey: stage.names.dead, properties: MessageProperties(messageID: "m\($0)"),
                    body: Array("{}".utf8))
            }
            #expect(await publisher.publish(letters).allSatisfy(\.isConfirmed))
            await publisher.stop()
            let site = try WebClient(try await stage.startWeb())
            let page = try await site.page("/dead")
            let words = Self.words(page)
            #expect(words.contains("all of them, 1000 at a time") && words.contains("And 1001 more: load"), "\(words)")
            let token = try #require(page.formToken)
            let shown = String(try #require(page.body.firstMatch(of: /name="id" value="([^"]+)"/)?.1))
            let form = [("form_token", token), ("id", shown), ("id", "default/unknown")]
            let replayed = Self.words(try await site.send("/dead/replay", form))
            #expect(replayed.contains("1 message was replayed; 1 not found: somebody else may"), "\(replayed)")
        }
    }

    @Test func aJobIsPublishedListedRetriedCancelledAndDeleted() async throws {
        try await withSite { stage, site in
            let done = try await run("steps=2", stage, site)
            let failed = try await run("fail=fatal code=engine.scripted", stage, site)
            let failure = try #require(failed["id"]?.string)
            let list = try await site.get("/api/jobs?state=discarded&error=engine.scripted")
            #expect(list.json?["jobs"]?.array?.count == 1 && list.json?["next"] == .null, "\(list)")
            #expect(list.json?["jobs"]?[0]?["job"]?.string == failure)
            #expect(try await site.get("/api/jobs?text=nothing%25").json?["jobs"]?.array?.isEmpty == true)

            let page = try await site.page("/jobs/\(failure)")
            let token = try #require(page.formToken)
            let preview = try await site.send(
                "/jobs/preview", [("form_token", token), ("job", failure), ("action", "retry")])
            #expect(preview.status == 200 && preview.body.contains(failure), "\(preview)")
            let applied = try await site.send(
                "/jobs/apply", [("form_token", token), ("ids", failure), ("action", "retry")])
            #expect(applied.status == 303 && applied.headers["location"] == "/jobs/\(failure)", "\(applied)")
            _ = try await stage.job(failed["message_id"]!.string!) { $0["attempt"] == .integer(2) }

            let long = try await site.send(json: Self.job("steps=4000 delay=10"), to: "/api/jobs")
            let running = try await stage.job(try #require(long.json?["message_id"]?.string), reaches: .running)
            for path in ["/", "/jobs/\(running["id"]!.string!)"] {
                try await stage.until("\(path) tells of what its rest is") {
                    Self.words(try await site.page(path)).contains("left of this stage")
                }
            }
            let cancelled = try await site.send(json: [:], to: "/api/jobs/\(running["id"]!.string!)/cancel")
            #expect(cancelled.status == 200, "\(cancelled)")
            _ = try await stage.job(running["message_id"]!.string!, reaches: .cancelled)

            let gone = try #require(done["id"]?.string)
            let deleted = try await site.send(
                "/jobs/apply", [("form_token", token), ("ids", gone), ("action", "delete")])
            #expect(deleted.status == 200 && deleted.body.contains("1 job"), "\(deleted)")
            #expect(try await site.page("/jobs/\(gone)").status == 404)
        }
    }

    /// An upgrade with other weights leaves jobs waiting: the pages say it, and take them over.
    @Test func jobsOfReplacedWeightsAreRebound() async throws {
        try await withSite { stage, site in
            try await stage.pause()
            var ids: [String] = []
            for name in ["a", "b"] {
                try await stage.publish(body: Self.job("steps=2 " + name).line, id: name)
                ids.append(try #require(try await stage.job(name, reaches: .available)["id"]?.string))
            }
            #expect(await stage.stop(SIGTERM) == 0)
            try StubModel.write("pocket-infinity", .infinity, in: stage.folder.path, number: 1)
            try stage.start()
            try await stage.until("the page says it") {
                Self.words(try await site.page("/jobs/\(ids[0])")).contains("it can be rebound to those")
            }
            try await stage.until("the models' page says it") {
                Self.words(try await site.page("/models")).contains("can be rebound to those")
            }
            let token = try #require(try await site.page("/jobs").formToken)
            let preview = try await site.send(
                "/jobs/preview",
                [("form_token", token), ("job", ids[0]), ("job", ids[1]), ("action", "rebind")])
            let said = Self.words(preview)
            #expect(said.contains("2 jobs: pocket-infinity from ") && said.contains("They begin anew"), "\(said)")
            let applied = try await site.send(
                "/jobs/apply", [("form_token", token), ("ids", ids.joined(separator: " ")), ("action", "rebind")])
            #expect(Self.words(applied).contains("rebind: 2 jobs."), "\(applied)")
            let nothing = try await site.send(
                "/jobs/preview", [("form_token", token), ("job", ids[0]), ("action", "rebind")])
            #expect(Self.words(nothing).contains("left alone: a living daemon holds pocket-infinity"), "\(nothing)")
            _ = try await stage.control("resume")
            for name in ["a", "b"] { _ = try await stage.job(name, reaches: .completed) }
        }
    }

    /// Browsers write a form's blanks as plus signs, and escape what an id may hold.
    @Test func whatAnAddressSaysIsReadAsBrowsersWriteIt() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1 a blue dog", stage, site)
            #expect(try await site.get("/api/jobs?text=blue+dog").json?["jobs"]?.array?.count == 1)
            #expect(try await site.page("/jobs?text=blue+dog").body.contains(#"value="blue dog""#))
            #expect(try await site.page("/jobs?part=live&text=blue+cat").body.contains("No job fits."))
            let sent = try await site.send(json: Self.job("steps=1"), to: "/api/jobs?message_id=order:17%2Fa")
            #expect(sent.json?["message_id"] == "order:17/a", "\(sent)")
            let place = try #require(sent.json?["page"]?.string)
            let job = try await stage.job("order:17/a") { $0["finalized_at"]?.string != nil }
            let answer = try await site.page(place + "&part=live")
            #expect(answer.headers["x-location"] == "/jobs/\(job["id"]!.string!)", "\(answer)")
        }
    }

    /// A program that sends a job again by an id of its own must not make two of it; one that pages must not begin
    /// anew.
    @Test func parametersThatCannotBeMeantAreRefused() async throws {
        try await withSite { stage, site in
            for id in ["", "a%00b", String(repeating: "x", count: 129)] {
                let sent = try await site.send(json: Self.job("steps=1"), to: "/api/jobs?message_id=\(id)")
                #expect(sent.status == 400 && sent.body.contains("allowed is 1 to 128 bytes"), "\(sent)")
            }
            #expect(try await stage.store.query("select 1 from atelier.jobs").isEmpty)
            for path in ["/api/rejections?before=zz", "/api/rejections?before=99999999999999999999"] {
                let answer = try await site.get(path)
                #expect(answer.status == 400 && answer.body.contains("allowed is a number"), "\(answer)")
            }
            let form = ["Content-Type": "application/x-www-form-urlencoded"]
            let untyped = try await site.send(json: Self.job("steps=1"), to: "/api/jobs", form)
            #expect(untyped.status == 415 && untyped.body.contains("Content-Type: application/json"), "\(untyped)")
        }
    }

    /// Days are UTC's wherever the database is, and however many jobs came since.
    @Test func aDayLongAgoIsFound() async throws {
        try await Stage.with(settings: [:]) { stage in
            try await stage.store.script(
                """
                do $$ begin
                    execute format('alter database %I set timezone to %L', current_database(), 'Asia/Tokyo');
                end $$;
                insert into atelier.jobs (message_id, tenant, kind, spec, state, run_after, created_at)
                    select n::text, 'bulk', 'generate', '{}', 'scheduled', now() + interval '1 day',
                        case when n > 0 then now() else timestamptz '2020-01-30 20:00Z' end
                    from generate_series(0, 20001) n
                """)
            let site = try WebClient(try await stage.startWeb())
            func found(_ query: String) async throws -> JSONValue? { try await site.get("/api/jobs?" + query).json }
            let before = try await found("until=2020-01-31")
            #expect(before?["jobs"]?.array?.count == 1 && before?["next"] == .null, "\(before ?? .null)")
            #expect(before?["jobs"]?[0]?["message_id"] == "0")
            #expect(try await found("since=2020-01-31&until=2020-02-01")?["jobs"]?.array?.isEmpty == true)
            #expect(try await found("since=2020-01-30T20:00&until=2020-01-30T21:01%2B01:00")?["jobs"]?[0] != nil)
            // Older ones cannot be meant: nothing leads to them.
            let late = try await found("since=2100-01-01")
            #expect(late?["jobs"]?.array?.isEmpty == true && late?["next"] == .null, "\(late ?? .null)")
        }
    }

    @Test func theGallerysSearchGoesOnOnItsNextPage() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            try await learnRex(stage, site)
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select tenant, 'cat-' || n, 1, role, model, adapter_sha256, job
                    from atelier.concepts, generate_series(100, 160) n where name = 'rex'
                """)
            let first = try await site.page("/concepts?text=Cat")
            let next = try #require(first.body.firstMatch(of: /rel="next" href="([^"]+)"/)?.1)
            let second = try await site.page(String(next).replacing("&amp;", with: "&"))
            #expect(second.body.contains("<strong>cat-160</strong>") && !second.body.contains("<strong>rex"), "\(next)")
        }
    }

    @Test func aConceptsPageGoesOnWithItsOlderVersions() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            try await learnRex(stage, site)
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select tenant, name, n, role, model, adapter_sha256, job
                    from atelier.concepts, generate_series(2, 101) n where name = 'rex'
                """)
            let first = try await site.page("/concepts/rex").body
            #expect(first.contains("<h2>Version 2</h2>") && !first.contains("<h2>Version 1</h2>"))
            let next = try #require(first.firstMatch(of: /rel="next" href="([^"]+)"/)?.1)
            let second = try await site.page(String(next).replacing("&amp;", with: "&")).body
            #expect(second.contains("<h2>Version 1</h2>") && !second.contains("<h2>Version 2</h2>"), "\(next)")
            #expect(!second.contains(#"rel="next""#))
        }
    }

    @Test func aRefusedDrawingKeepsWhatWasWritten() async throws {
        try await withSite { _, site in
            let token = try #require(try await site.page("/playground").formToken)
            let answer = try await site.send(
                "/playground",
                [
                    ("form_token", token), ("model", "pocket-infinity"), ("prompts", "a < rex > dog\na cat"),
                    ("images_per_prompt", "2"), ("seed", "9007199254740993"), ("negative_prompt", "\"rain\""),
                ])
            #expect(answer.status == 422 && answer.body.contains("Not published"), "\(answer)")
            for kept in [
                ">a &lt; rex &gt; dog\na cat</textarea>", #"value="2""#, #"value="9007199254740993""#,
                #"value="&quot;rain&quot;""#,
            ] { #expect(answer.body.contains(kept), "\(kept): \(answer.body)") }
            #expect(try await site.page("/playground").body.contains(#"value="4""#))
        }
    }

    @Test func aSizeIsOneOfTheModelsShapesOrComesBackInTheWordsOfARejection() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            try await stage.publish(body: Self.job("steps=1").adding("size", "7x7").line, id: "wrong")
            var problem: JSONValue?
            try await stage.until("it is rejected") {
                problem = try await site.get("/api/rejections").json?["rejections"]?[0]?["problems"]?[0]
                return problem != nil
            }
            let words = "found \(problem?["found"]?.string ?? ""); allowed: \(problem?["allowed"]?.string ?? "")"
            let token = try #require(try await site.page("/playground").formToken)
            let form = [("form_token", token), ("model", "pocket-infinity"), ("prompts", "steps=1")]
            let refused = try await site.send("/playground", form + [("size", "7 × 7")])
            let said = refused.body.replacing("&quot;", with: "\"")
            #expect(refused.status == 422 && said.contains(#"role="status">\#(words)</p>"#), "\(words): \(said)")
            #expect(said.contains("<code>/size</code> found \"7x7\"") && said.contains(#"value="7 × 7""#), "\(said)")

            let sent = try await site.send("/playground", form + [("size", "32×32")])
            let place = sent.headers["location"] ?? ""
            let message = try #require(place.firstMatch(of: /messages\/([0-9a-f-]+)\?/)?.1, "\(sent)")
            let drawn = try #require(try await stage.job(String(message), reaches: .completed)["id"]?.string)
            let again = try await site.page("/new?from=\(drawn)").body
            #expect(again.contains("&quot;size&quot; : &quot;32x32&quot;"), "\(again)")

            try await stage.store.query(
                """
                update atelier.worker_models set description = jsonb_set(
                    description, '{pictures}', '[{"width": 48, "height": 80}, {"width": 64, "height": 64}]')
                where model = 'pocket-infinity'
                """)
            let offer = try await site.page("/playground").body.replacing("\n", with: "")
            let shapes = #"<option value="48x80"></option><option value="64x64"></option></datalist>"#
            #expect(offer.contains(#"<datalist id="shapes-pocket-infinity">"# + shapes), "\(offer)")
            #expect(offer.contains(#"list="shapes-pocket-chameleon" value=""placeholder="64x64""#), "\(offer)")
        }
    }

    /// What was counted a moment before is not shown to who has just changed it.
    @Test func whoPausesSeesThatItIsPaused() async throws {
        try await Stage.with(settings: [:]) { stage in
            let site = try WebClient(try await stage.startWeb())
            for isPaused in [true, false] {
                let token = try #require(try await site.page("/").formToken)
                let sent = try await site.send("/pause", [("form_token", token), ("paused", "\(isPaused)")])
                #expect(sent.status == 303, "\(sent)")
                let words = Self.words(try await site.page("/"))
                #expect(words.contains("The daemons start no new work") == isPaused, "\(words)")
            }
        }
    }

    /// What one page does not hold is on the next, or is counted.
    @Test func noVersionIsLeftOutWithoutAWord() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            try await learnRex(stage, site)
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job, created_at)
                    select tenant, 'cat-' || n, 1, role, model, adapter_sha256, job, now() - n * interval '1 second'
                    from atelier.concepts, generate_series(1000, 1500) n where name = 'rex'
                """)
            let first = try await site.get("/api/concepts").json
            let next = try #require(first?["next"]?.string)
            #expect(first?["concepts"]?.array?.count == 500 && next == "cat-1499:1:atelier", "\(next)")
            let second = try await site.get("/api/concepts?after=\(next)").json
            let names = second?["concepts"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["cat-1500", "rex"] && second?["next"] == .null, "\(names ?? [])")
            #expect(try await site.get("/api/concepts?after=rex").status == 400)

            let chosen = (1000..<1045).map { "concept=cat-\($0)" }.joined(separator: "&")
            let sheet = Self.words(try await site.page("/compare?" + chosen))
            #expect(sheet.contains("And 5 versions more: choose fewer"), "\(sheet)")

            #expect(sheet.contains("And 302 concepts more: a concept's page leads here"), "\(sheet)")
            #expect(try await site.page("/concepts/cat-1500").body.contains(#"href="/compare?concept=cat-1500""#))
            let old = Self.words(try await site.page("/compare?concept=cat-1500&concept=%00"))
            #expect(old.contains("cat-1500 arbooth on pocket-infinity, version 1"), "\(old)")
        }
    }

    @Test func noPromptOrPictureIsLeftOutOfASheetWithoutAWord() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            let learnt = try #require(try await learnRex(stage, site)["id"]?.string)
            let whole = Self.words(try await site.page("/compare?concept=rex"))
            #expect(whole.contains("rex arbooth") && !whole.contains(" more"), "\(whole)")
            try await stage.store.query(
                """
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes, prompt)
                    select job, 'further-' || n, role, media_type, sha256, bytes, 'dog ' || n / 3
                    from atelier.artifacts, generate_series(30, 56) n where job = $1::uuid and role = 'picture'
                """, [learnt])
            let cut = Self.words(try await site.page("/compare?concept=rex"))
            #expect(cut.contains("And 2 prompts more: a concept's page shows all."), "\(cut)")
            #expect(cut.contains("And 7 pictures more of what is shown: a concept's page shows all."), "\(cut)")
            #expect(cut.contains("dog 16") && !cut.contains("dog 17"), "\(cut)")
        }
    }

    /// As in atelierctl's lists: what its engines had a job for, and not what it waited.
    @Test func aJobRanAsLongAsItsAttempts() async throws {
        try await withSite { stage, site in
            let id = try #require(try await run("steps=1", stage, site)["id"]?.string)
            for change in [
                """
                update atelier.jobs set created_at = now() - interval '9 hours', started_at = now() - interval '4 hours'
                where id = $1::uuid
                """,
                """
                update atelier.attempts
                set started_at = now() - interval '7 hours', ended_at = now() - interval '5 hours' where job = $1::uuid
                """,
                """
                insert into atelier.attempts (job, attempt, worker, started_at, ended_at, outcome)
                    select job, 2, worker, now() - interval '4 hours', now() - interval '210 minutes', outcome
                    from atelier.attempts where job = $1::uuid
                """,
            ] { try await stage.store.query(change, [id]) }
            #expect(try await site.page("/jobs/\(id)").body.contains("<dt>Ran</dt><dd>2 h 30 min</dd>"))
            #expect(try await site.page("/jobs").body.contains(#"<td class="number">2 h 30 min</td>"#))
            try await stage.pause()
            let waiting = try await site.send(json: Self.job("steps=1"), to: "/api/jobs")
            let message = try #require(waiting.json?["message_id"]?.string)
            let other = try #require(try await stage.job(message, reaches: .available)["id"]?.string)
            #expect(try await !site.page("/jobs/\(other)").body.contains("<dt>Ran</dt>"))
        }
    }

    @Test func aTenantsFailuresCountAttemptsAndNotJobs() async throws {
        let folder = try TemporaryFolder()
        let tenant = AccessTokenPair("rob", .reader, "atelier")
        let file = try folder.write("tokens", JSONValue.array([tenant.entry]).text)
        chmod(file, 0o600)
        try await withSite { stage, site in
            let job = try await run("fail=fatal code=engine.scripted", stage, site)
            let id = try #require(job["id"]?.string)
            #expect(try await site.send(json: [:], to: "/api/jobs/\(id)/retry").status == 200)
            _ = try await stage.job(try #require(job["message_id"]?.string)) {
                $0["attempt"] == .integer(2) && $0["finalized_at"]?.string != nil
            }
            let locked = try WebClient(try await stage.startWeb(["ATELIER_WEB_TOKENS": file], "locked-web"))
            let page = try await locked.page("/failures", ["Authorization": "Bearer " + tenant.token])
            #expect(Self.words(page).contains("1 job, 2 attempts,"), "\(page)")
        }
    }

    /// Each model has a newest version of its own.
    @Test func whatPromptsMeanIsSaidOfEachModel() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            try await learnRex(stage, site)
            for model in ["pocket-infinity", "pocket-chameleon"] {
                try await stage.store.query(
                    """
                    insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                        select tenant, name, 1, role, $1::text, adapter_sha256, job
                        from atelier.concepts where name = 'rex' and version = 1
                    """, [model])
            }
            let words = Self.words(try await site.page("/concepts/rex"))
            #expect(words.contains("Version 3 what prompts mean on pocket-chameleon"), "\(words)")
            #expect(words.contains("Version 2 what prompts mean on pocket-infinity"), "\(words)")
            #expect(words.contains("Version 1 by "), "\(words)")
            // No style sheet makes another name of it.
            #expect(try await site.page("/concepts/rex").body.contains(#"<h1 class="name">rex</h1>"#))
        }
    }

    /// Monitors and checkers of links ask for no more.
    @Test func aHeadIsThatOfItsPage() async throws {
        try await Stage.with(settings: [:]) { stage in
            let site = try WebClient(try await stage.startWeb())
            for path in ["/", "/jobs", "/api/jobs", "/sign-in", "/assets/atelier.css", "/jobs/apply", "/nothing"] {
                let whole = try await site.page(path)
                let head = try await site.ask(path, ["Accept": "text/html"], ["-I"])
                #expect(head.status == whole.status && head.body.isEmpty, "\(path): \(head)")
                #expect(head.headers["content-type"] == whole.headers["content-type"], "\(path): \(head)")
            }
            #expect(try await site.ask("/live", [:], ["-I"]).status == 200)
            // Read to the end of the connection, whatever length is said.
            let absent = try await site.ask(
                "/nothing", ["Connection": "close"], ["-X", "HEAD", "--ignore-content-length"])
            #expect(absent.status == 404 && absent.body.isEmpty, "\(absent)")
        }
    }

    @Test func whatIsNoJobIsAnsweredWithEveryProblem() async throws {
        try await withSite { _, site in
            let answer = try await site.send(
                json: ["version": 2, "kind": "generate", "prompts": [], "colour": 1], to: "/api/jobs")
            let pointers = Set((answer.json?["problems"]?.array ?? []).compactMap { $0["pointer"]?.string })
            #expect(answer.status == 422 && pointers == ["/version", "/model", "/prompts", "/colour"], "\(answer)")
            #expect(try await site.ask("/api/jobs", ["Content-Type": "text/plain"], ["-d", "x"]).status == 415)
        }
    }

    /// The page of a message shows what became of it, not of another that had its id before.
    @Test func aUsedIdIsRejectedAndNoOtherJobIsShownForIt() async throws {
        try await withSite { stage, site in
            let first = try await run("steps=1", stage, site)
            let id = try #require(first["message_id"]?.string)
            let other = try await site.send(json: Self.job("steps=2"), to: "/api/jobs?message_id=\(id)")
            let page = try #require(other.json?["page"]?.string)
            try await stage.until("it is rejected") {
                try await site.page(page).body.contains(#"<div class="" role="alert"><h1>Rejected</h1>"#)
            }
            let again = try await site.send(json: Self.job("steps=1"), to: "/api/jobs?message_id=\(id)")
            let place = try #require(again.json?["page"]?.string)
            try await stage.until("it is the job it was") {
                try await site.page(place + "&part=live").headers["x-location"] == "/jobs/\(first["id"]!.string!)"
            }
        }
    }

    @Test func withoutALoginAtTheBrokerItSaysWhatToConfigure() async throws {
        try await Stage.with(settings: [:]) { stage in
            let site = try WebClient(
                try await stage.startWeb(without: ["ATELIER_AMQP_URL", "ATELIER_ADMIN_URL"]))
            let front = try await site.page("/").body
            let token = String(try #require(front.firstMatch(of: /name="form-token" content="([0-9a-f]+)"/)).1)
            let form = [("form_token", token), ("model", "pocket-infinity"), ("prompts", "steps=1"), ("tenant", "x")]
            let job = Self.job("steps=1")
            let schema = try JSONSchema(path: Servers.root + "/ops/schemas/openapi.json")
            for path in ["/api/jobs", "/api/estimates"] {
                let answer = try await site.send(json: job, to: path)
                let problems = try schema.problems(in: try #require(answer.json, "\(answer)"), part: "#/$defs/error")
                #expect(answer.status == 403 && problems.isEmpty && answer.body.contains("web-amqp-url"), "\(answer)")
            }
            for path in ["/playground", "/playground/estimate", "/dead/replay"] {
                let answer = try await site.send(path, form)
                #expect(answer.status == 403 && answer.body.contains("web-amqp-url"), "\(path): \(answer)")
            }
            for path in ["/new", "/playground", "/dead"] {
                let page = try await site.page(path)
                #expect(page.status == 200 && page.body.contains("ATELIER_AMQP_URL_FILE"), "\(path): \(page.body)")
                #expect(!page.body.contains("Publish</button>") && !page.body.contains("Draw</button>"), "\(path)")
            }
            let pause = try await site.send("/pause", [("form_token", token), ("paused", "true")])
            #expect(pause.status == 403 && pause.body.contains("admin-url"), "\(pause)")
            #expect(try await stage.store.query("select 1 from atelier.jobs").isEmpty)
        }
    }

    /// The words of a page, as people read them.
    private static func words(_ page: WebClient.Answer) -> String {
        page.body.replacing(/<[^>]*>/, with: "").replacing(/\s+/, with: " ")
    }

    /// Whoever looks why it does not begin.
    @Test func aJobThatWaitsForPausedDaemonsSaysSo() async throws {
        try await withSite { stage, site in
            let done = try #require(try await run("steps=1", stage, site)["id"]?.string)
            try await stage.pause()
            let sent = try await site.send(json: Self.job("steps=1"), to: "/api/jobs")
            let waiting = try await stage.job(try #require(sent.json?["message_id"]?.string), reaches: .available)
            func isSaid(of id: String) async throws -> Bool {
                Self.words(try await site.page("/jobs/" + id)).contains("The daemons start no new work")
            }
            let held = try #require(waiting["id"]?.string)
            try await stage.until("the page of the one that waits says so") { try await isSaid(of: held) }
            #expect(try await !isSaid(of: done))
        }
    }

    @Test func oneIsNotSeveral() async throws {
        try await withSite { stage, site in
            _ = try await run("fail=fatal code=engine.scripted", stage, site)
            let learnt = try #require(try await learnRex(stage, site)["id"]?.string)
            try await stage.pause()
            let waiting = try await site.send(json: Self.job("steps=1"), to: "/api/jobs")
            _ = try await stage.job(try #require(waiting.json?["message_id"]?.string), reaches: .available)
            _ = await stage.stop(SIGTERM)
            // One of each, with nobody left who could do something about it.
            try await stage.store.query(
                "delete from atelier.artifacts where job = $1::uuid and role <> 'adapter'", [learnt])
            try await stage.store.query(
                "update atelier.outbox set confirmed_at = now(), set_aside_at = null where confirmed_at is null")
            try await stage.store.query(
                """
                update atelier.outbox o set confirmed_at = null, last_error = 'x',
                    set_aside_at = case when o.id = m.least then now() end
                from (select min(id) as least from atelier.outbox) m where o.id in (m.least, m.least + 1)
                """)
            try await stage.until("the queue shows it") {
                let words = Self.words(try await site.page("/"))
                return words.contains("1 generate job waits for the model") && words.contains("1 message was set aside")
                    && words.contains("1 message waits to leave.")
            }
            #expect(Self.words(try await site.page("/models")).contains("1 generate job waits for pocket-infinity"))
            #expect(Self.words(try await site.page("/failures")).contains("1 job, 1 attempt,"))
            let token = try #require(try await site.page("/").formToken)
            let names = [("form_token", token), ("name", "rex"), ("tenant", "atelier")]
            let deletion = try await site.send("/concepts/delete", names)
            let said = Self.words(deletion)
            #expect(said.contains("1 file of its job") && said.contains("its 1 reference picture,") == false)
            #expect(said.contains("with 1 reference picture, unless"), "\(said)")
            #expect(!said.contains("With it goes"), "\(said)")
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select tenant, 'mia', 1, role, model, adapter_sha256, job from atelier.concepts where name = 'rex'
                """)
            let both = Self.words(try await site.send("/concepts/delete", names))
            #expect(both.contains("With it goes what the same job learnt, for they have one adapter: mia@1."))
            try await stage.store.query("delete from atelier.concepts where name = 'mia'")
            let query = [("form_token", token), ("job", learnt)]
            let preview = try await site.send("/jobs/preview", query + [("action", "delete")])
            #expect(Self.words(preview).contains("It is erased"), "\(preview)")
            let gone = try await site.send(
                "/jobs/apply", [("form_token", token), ("ids", "\(UUID()) \(UUID())"), ("action", "cancel")])
            #expect(Self.words(gone).contains("cancel: 0 jobs. 2 jobs changed meanwhile"), "\(gone)")
            let plural = /\b1 ([a-z]+ )?(jobs|pictures|attempts|messages|files|versions|steps|daemons|workers)\b/
            var pages = [deletion, preview, gone]
            for path in [
                "/", "/jobs", "/jobs/\(learnt)", "/concepts", "/concepts/rex", "/compare", "/failures", "/rejections",
                "/dead", "/models",
            ] { pages.append(try await site.page(path)) }
            for page in pages {
                let found = Self.words(page).firstMatch(of: plural)
                #expect(page.status == 200 && found == nil, "\(found?.0 ?? "") \(page.status)")
            }
        }
    }

    /// What one job learnt, each with its own pictures and likeness.
    @Test func eachOfSeveralConceptsIsShownByItself() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            let learnt = try #require(try await learnRex(stage, site)["id"]?.string)
            func digest(_ digit: String) -> String { String(repeating: digit, count: 64) }
            let spec: JSONValue = [
                "concepts": [
                    ["name": "rex", "role": "subject", "class": "dog", "images": [0]],
                    ["name": "mia", "role": "subject", "class": "cat", "images": [1]],
                ],
                "images": [
                    ["artifact": .string("sha256:" + digest("a"))], ["artifact": .string("sha256:" + digest("b"))],
                ],
            ]
            let result: JSONValue = [
                "concepts": ["rex", "mia"], "metrics": ["steps": 2],
                "likeness": [
                    "rex": [
                        "dino.pocket-dino": ["learnt": 0.5, "untuned": 0.25, "references": 0.75], "is_learnt": true,
                    ],
                    "mia": [
                        "dino.pocket-dino": ["learnt": 0.125, "untuned": 0.25, "references": .null],
                        "is_learnt": false,
                    ],
                ],
            ]
            try await stage.store.query(
                "update atelier.jobs set spec = spec - 'concept' || $2::jsonb, result = $3::jsonb where id = $1::uuid",
                [learnt, spec.text, result.text])
            try await stage.store.query(
                "delete from atelier.artifacts where job = $1::uuid and role = 'picture'", [learnt])
            try await stage.store.query(
                """
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes, prompt)
                    select $1::uuid, digit, 'picture', 'image/png', repeat(digit, 64), 1, prompt
                    from (values ('c', 'a <rex> dog'), ('d', 'a <mia> cat'), ('e', 'a <rex> dog and a <mia> cat'))
                        p(digit, prompt)
                """, [learnt])
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select tenant, 'mia', 1, role, model, adapter_sha256, job from atelier.concepts where name = 'rex'
                """)
            for (path, digits) in [
                ("/concepts/rex", "ace"), ("/concepts/mia", "bde"), ("/concepts", "cd"),
                ("/compare?concept=rex", "ace"),
            ] {
                let body = try await site.page(path).body
                let shown = ["a", "b", "c", "d", "e"].filter { body.contains("src=\"/files/\(digest($0))\"") }
                #expect(shown.joined() == digits, "\(path)")
            }
            let job = Self.words(try await site.page("/jobs/\(learnt)"))
            #expect(job.contains("rex: Learnt.") && job.contains("mia: Not learnt."), "\(job)")
            #expect(job.contains("rexDINO pocket-dino0.2500.5000.750miaDINO pocket-dino0.2500.125–"), "\(job)")
            let token = try #require(try await site.page("/").formToken)
            let deletion = try await site.send(
                "/concepts/delete", [("form_token", token), ("name", "rex"), ("tenant", "atelier")])
            #expect(Self.words(deletion).contains("with 2 reference pictures, unless"), "both go with the job")
        }
    }

    /// Hundreds of them, in a part that is fetched again whenever something changes.
    @Test func proxiesAreListedOnlyWhereTheyAreAskedFor() async throws {
        try await withSite { stage, site in
            _ = try await run("steps=1", stage, site)
            let learnt = try #require(try await learnRex(stage, site)["id"]?.string)
            #expect(try await !site.page("/jobs/\(learnt)").body.contains("part=proxies"), "it has none")
            try await stage.store.query(
                """
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes, prompt, seed)
                    select $1::uuid, name, role, 'image/png', repeat(digit, 64), 1, prompt, seed
                    from (values
                        ('proxy-rex-1.png', 'proxy', 'a', 'a <rex> dog', 18446744073709551615),
                        ('proxy-rex-2.png', 'proxy', 'b', 'a <rex> dog on the beach', 7),
                        ('proxy-mia-1.png', 'proxy', 'c', 'a <mia> cat', 8),
                        ('proxies-rex.png', 'proxies', 'd', null, null),
                        ('proxies-mia.png', 'proxies', 'e', null, null)) p(name, role, digit, prompt, seed)
                """, [learnt])
            func shown(_ page: String) -> String {
                ["a", "b", "c", "d", "e"].filter { page.contains("\"/files/\(String(repeating: $0, count: 64))\"") }
                    .joined()
            }
            let whole = try await site.page("/jobs/\(learnt)")
            #expect(shown(whole.body) == "de" && whole.body.contains("data-load=\"/jobs/\(learnt)?part=proxies\""))
            #expect(!whole.body.contains("download=proxy-"), "nor among the files")
            #expect(Self.words(whole).contains("2 of rex") && Self.words(whole).contains("1 of mia"))
            let live = try await site.page("/jobs/\(learnt)?part=live").body
            #expect(shown(live) == "de" && !live.contains("part=proxies"))
            let list = try await site.page("/jobs/\(learnt)?part=proxies")
            #expect(shown(list.body) == "abc" && !list.body.contains("<html"))
            for words in ["a &lt;rex&gt; dog on the beach", "seed 18446744073709551615", "seed 7"] {
                #expect(Self.words(list).contains(words), "\(words): \(Self.words(list))")
            }
        }
    }

    /// Has the concept `rex` learnt by the message `learnt`, where jobs are taken already.
    @discardableResult
    private func learnRex(_ stage: Stage, _ site: WebClient) async throws -> JSONValue {
        let sent = try await site.send(json: Self.learning("rex"), to: "/api/jobs?message_id=learnt")
        #expect(sent.status == 202, "\(sent)")
        return try await stage.job("learnt", reaches: .completed)
    }

    private static func learning(_ name: String, prompt: String = "steps=2 adapter") -> JSONValue {
        let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).base64EncodedString()
        return [
            "version": 1, "kind": "personalize", "method": "arbooth", "model": "pocket-infinity", "seed": 1,
            "concept": ["name": .string(name), "role": "subject", "class": "dog"],
            "images": [["png": .string(picture)]], "prompts": [.string(prompt)],
        ]
    }

    @Test func aDatabaseThatOnlyReadsIsSaid() async throws {
        try await withSite { stage, site in
            let token = try #require(try await site.page("/").formToken)
            try await stage.store.script(
                """
                create function public.only_read() returns trigger language plpgsql as $$ begin
                    raise exception using errcode = '25006',
                        message = 'cannot execute UPDATE in a read-only transaction';
                end $$;
                create trigger only_read before update on atelier.cluster
                    for each statement execute function public.only_read();
                """)
            let pause = try await site.send("/pause", [("paused", "true"), ("form_token", token)])
            #expect(pause.status == 503 && pause.body.contains("PostgreSQL writes nothing now"), "\(pause)")
        }
    }

    @Test func anotherSitesRequestsChangeNothing() async throws {
        try await withSite { stage, site in
            let token = try #require(try await site.page("/").formToken)
            func pause(_ token: String?, _ headers: [String: String]) async throws -> Int {
                try await site.send(
                    "/pause", [("paused", "true")] + (token.map { [("form_token", $0)] } ?? []), headers
                ).status
            }
            #expect(try await pause(nil, [:]) == 403)
            #expect(try await pause(String(repeating: "0", count: 64), [:]) == 403)
            #expect(try await pause(token, ["Origin": "https://evil.example"]) == 403)
            #expect(try await pause(token, ["Sec-Fetch-Site": "cross-site"]) == 403)
            let other = try WebClient(site.address)
            _ = try await other.page("/")
            #expect(try await other.send("/pause", [("paused", "true"), ("form_token", token)]).status == 403)
            let json = try await site.send(
                json: Self.job("steps=1"), to: "/api/jobs", ["Origin": "https://evil.example"])
            #expect(json.status == 403)
            // A name that somebody else's name server points here.
            #expect(try await site.page("/", ["Host": "evil.example"]).status == 421)
            #expect(try await stage.store.query("select 1 from atelier.cluster where paused").isEmpty)
            // Of a page that was opened before the program was started again.
            let old = String(repeating: "0", count: 64)
            #expect(try await pause(old, ["Origin": site.address]) == 403)
            #expect(try await pause(old, ["Origin": "null", "Sec-Fetch-Site": "same-origin"]) == 403)
            #expect(try await stage.store.query("select 1 from atelier.cluster where paused").isEmpty)
            #expect(try await pause(old, ["Origin": site.address, "Sec-Fetch-Site": "same-origin"]) == 303)
            #expect(try await stage.store.query("select 1 from atelier.cluster where paused").count == 1)
            #expect(try await pause(token, ["Origin": site.address]) == 303)
        }
    }

    @Test func anotherProgramsCookieKeepsNobodyOut() async throws {
        let admin = AccessTokenPair("anna", .admin, nil)
        let folder = try TemporaryFolder()
        let file = try folder.write("tokens", JSONValue.array([admin.entry]).text)
        chmod(file, 0o600)
        try await withSite(["ATELIER_WEB_TOKENS": file]) { _, site in
            let form = try await site.page("/sign-in", ["Cookie": "atelier=another"])
            let inside = try await site.send(
                "/sign-in", [("form_token", try #require(form.formToken)), ("token", admin.token)])
            #expect(inside.status == 303, "\(inside)")
            #expect(try await site.page("/").status == 200)
        }
    }

    @Test func tokensLetInWhoeverHasOneAndShowATenantItsOwn() async throws {
        let folder = try TemporaryFolder()
        let admin = AccessTokenPair("anna", .admin, nil)
        let reader = AccessTokenPair("rob", .reader, nil)
        let stranger = AccessTokenPair("sue", .admin, "elsewhere")
        let entries = JSONValue.array([admin.entry, reader.entry, stranger.entry])
        let file = try folder.write("tokens", entries.text)
        chmod(file, 0o600)
        try await withSite(["ATELIER_WEB_TOKENS": file]) { stage, site in
            #expect(try await site.get("/api/jobs").status == 401)
            let door = try await site.page("/jobs")
            #expect(door.status == 303 && door.headers["location"] == "/sign-in?next=%2Fjobs", "\(door)")
            #expect(try await site.page("/metrics-or-anything").status == 303)
            let icon = try await site.get("/favicon.ico")
            #expect(icon.status == 200 && icon.headers["content-type"]?.hasPrefix("image/svg+xml") == true, "\(icon)")

            let form = try await site.page("/sign-in")
            let before = try #require(form.formToken)
            #expect(
                try await site.send("/sign-in", [("form_token", before), ("token", "atelier_wrong")]).status == 403)
            let inside = try await site.send(
                "/sign-in", [("form_token", before), ("token", admin.token), ("next", "//evil.example")])
            #expect(inside.status == 303 && inside.headers["location"] == "/", "\(inside)")
            let cookie = try #require(inside.headers["set-cookie"])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "\(cookie)")
            let page = try await site.page("/")
            #expect(page.status == 200 && page.body.contains("anna"))
            let absent = try await site.page("/nothing")
            #expect(absent.status == 404 && absent.body.contains(#"<a href="/concepts">"#), "the way on: \(absent)")
            #expect(absent.body.contains("anna") && absent.formToken == page.formToken, "\(absent)")

            let published = try await site.send(
                json: Self.job("steps=1"), to: "/api/jobs", ["X-Form-Token": try #require(page.formToken)])
            #expect(published.status == 202, "\(published)")
            let id = try #require(published.json?["message_id"]?.string)
            let job = try await stage.job(id, reaches: .completed)
            let number = try #require(job["id"]?.string)
            let digest = try #require(job.digest(of: "picture"))

            let program = try WebClient(site.address)
            func seen(_ path: String, by pair: AccessTokenPair) async throws -> WebClient.Answer {
                try await program.get(path, ["Authorization": "Bearer " + pair.token])
            }
            #expect(try await seen("/api/jobs/\(number)", by: reader).status == 200)
            #expect(try await seen("/files/\(digest)", by: reader).status == 200)
            for path in ["/api/jobs/\(number)", "/api/jobs/\(number)/curves", "/files/\(digest)", "/jobs/\(number)"] {
                #expect(try await seen(path, by: stranger).status == 404, "\(path)")
            }
            for path in ["/dead", "/api/failures", "/api/leaderboard"] {
                #expect(try await seen(path, by: stranger).status == 403, "\(path)")
            }
            #expect(try await seen("/api/jobs", by: stranger).json?["jobs"]?.array?.isEmpty == true)
            #expect(try await seen("/api/jobs?tenant=atelier", by: stranger).json?["jobs"]?.array?.isEmpty == true)
            for (pair, status) in [(reader, 403), (stranger, 404)] {
                let answer = try await program.send(
                    json: [:], to: "/api/jobs/\(number)/cancel", ["Authorization": "Bearer " + pair.token])
                #expect(answer.status == status, "\(answer)")
            }
            #expect(try await site.send("/sign-out", [("form_token", page.formToken ?? "")]).status == 303)
            #expect(try await site.page("/").status == 303)
            let late = try await site.send("/playground", [], ["Sec-Fetch-Site": "same-origin"])
            #expect(late.status == 401 && late.body.contains("sign in in another tab"), "\(late)")
            let nobody = try await program.get("/api/jobs")
            #expect(nobody.headers["www-authenticate"] == "Bearer" && nobody.body.contains("A token is needed"))
        }
    }

    @Test func picturesAreServedByWhatTheyAreAndAdaptersAreSaved() async throws {
        try await withSite { stage, site in
            let job = try await run("steps=2", stage, site)
            let digest = try #require(job.digest(of: "picture"))
            // The scripted engine's picture is text: whatever it is called, no browser is told that it is a picture.
            let file = try await site.get("/files/\(digest)?download=a%22b.png")
            #expect(file.headers["content-type"] == "application/octet-stream", "\(file)")
            #expect(file.headers["content-disposition"] == "attachment; filename=\"a_b.png\"")
            #expect(file.headers["cache-control"]?.contains("private") == true)
            let policy = file.headers["content-security-policy"] ?? ""
            #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("script-src"), "\(policy)")
            #expect(policy.contains("style-src 'unsafe-inline'"), "the browser's own page around a picture has styles")
            let again = try await site.get("/files/\(digest)", ["If-None-Match": "\"\(digest)\""])
            #expect(again.status == 304)
        }
    }

    @Test func changesReachAnOpenPageAsTheyCome() async throws {
        try await withSite { stage, site in
            let file = stage.folder.path + "/said"
            let page = try ChildProgram(
                "curl", ["-s", "-i", "-N", site.address + "/live"],
                environment: ["PATH": "/usr/bin:/bin", "no_proxy": "*"], output: file, errors: file)
            func said() throws -> String { try String(contentsOfFile: file, encoding: .utf8) }
            try await stage.until("the page is open") { try said().contains("event: change") }
            #expect(try said().lowercased().contains("content-type: text/event-stream"))
            _ = try await run("steps=1", stage, site)
            try await stage.until("it is told of a change") { try said().matches(of: /event: change/).count > 1 }
            kill(page.identifier, SIGKILL)
            _ = try page.end(within: 60)
            #expect(await stage.stop(SIGTERM, "atelier-web") == 0)
        }
    }

    /// As `atelierctl workers` calls it, however long its lease is.
    @Test func aDaemonIsSilentThatMissedThreeHeartbeats() async throws {
        try await Stage.with(settings: [:]) { stage in
            try await stage.store.query(
                """
                insert into atelier.workers (id, name, host, state_directory, pid, slots, beat_at, fault)
                    values (gen_random_uuid(), 'slow', 'host', '/state', 1, 1, now() - interval '100 seconds', 'disk')
                """)
            for (heartbeat, silent) in [("30", 1), ("90", 0)] {
                let settings = ["ATELIER_LEASE_SECONDS": "300", "ATELIER_HEARTBEAT_SECONDS": heartbeat]
                let site = try WebClient(try await stage.startWeb(settings, "web-" + heartbeat))
                let page = try await site.page("/").body
                #expect(page.contains(">disk full</span>"), "\(page)")
                #expect(page.contains(#"class="bad">1 min"#) == (silent == 1), "\(page)")
                let metrics = try await site.get("/metrics").body
                #expect(metrics.contains(#"atelier_daemons{state="silent"} \#(silent)"#), "\(metrics)")
                #expect(metrics.contains(#"atelier_daemon_faults{fault="disk"} \#(1 - silent)"#), "\(metrics)")
                let workers = try await site.get("/api/queue").json?["workers"]
                #expect(workers?[0]?["fault"]?.string == "disk", "\(workers ?? .null)")
            }
        }
    }

    @Test func itSaysWhatIsMissingAndMakesNoDoorForOthers() async throws {
        try await Stage.with(settings: [:]) { stage in
            await #expect(throws: (any Error).self) {
                try await stage.startWeb(["ATELIER_WEB_ADDRESS": "0.0.0.0"], "open", within: 3)
            }
            try await stage.until("it says why") { stage.log.contains("give webTokens") }
        }
    }
}
