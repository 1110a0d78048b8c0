import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Testing

@testable import Web

/// `/metrics`, by Prometheus' own tools, and what is made from it: alerts and dashboards.
@Suite(.serialized, .timeLimit(.minutes(15))) struct MetricsTests {
    private static let promtool = "/usr/bin/promtool"
    private static let isInstalled = [promtool, "/usr/bin/prometheus"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private static let monitoring = Servers.root + "/ops/monitoring"

    @Test(.enabled(if: isInstalled, "prometheus is not installed: its tools do not check the metrics"))
    func prometheusReadsThemAndCountersGrow() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try stage.start()
            let site = try WebClient(try await stage.startWeb())
            let text = try await site.get("/metrics")
            #expect(text.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let check = try await ProgramRun(
                Self.promtool, ["check", "metrics"], environment: ["PATH": "/usr/bin"], input: text.body)
            #expect(check.status == 0 && check.errors.isEmpty, "\(check)\n\(text.body)")

            let open = try await site.get("/metrics", ["Accept": "application/openmetrics-text; version=1.0.0"])
            #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
            #expect(open.body.hasSuffix("# EOF\n") && open.body.contains("# TYPE atelier_job_events counter\n"))

            let job: JSONValue = ["version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["steps=2"]]
            let body = try await site.send(json: job, to: "/api/jobs?message_id=counted")
            #expect(body.status == 202)
            _ = try await stage.job("counted", reaches: .completed)
            let line = #"atelier_job_events_total{kind="generate",event="completed",code=""} 1"#
            var counted = ""
            try await stage.until("the job is counted, and the daemon's heartbeat seen") {
                counted = try await site.get("/metrics").body
                return counted.contains(line) && counted.contains("atelier_daemons{state=\"living\"} 1")
            }
            #expect(counted.contains(#"atelier_job_run_seconds_count{kind="generate"} 1"#), "\(counted)")
            #expect(counted.contains("atelier_broker_up 1"), "\(counted)")
            try await scrape(site, stage)
        }
    }

    /// A job, and an event of it that is old enough to be counted.
    private func record(_ event: String, _ detail: JSONValue = [:], on stage: Stage) async throws {
        try await stage.store.query(
            """
            with job as (
                insert into atelier.jobs (message_id, tenant, kind, spec, state, run_after)
                    values ('a', 'a', 'generate', '{}', 'scheduled', now() + interval '1 day') returning id)
            insert into atelier.job_events (job, event, detail, at)
                select id, $1::text, $2::jsonb, now() - interval '10 s' from job
            """, [event, detail.text])
    }

    /// As two Prometheus do that watch the same program.
    @Test func whatIsAskedForAtTheSameTimeIsCountedOnce() async throws {
        try await Stage.with(settings: [:]) { stage in
            let counts = EventCounts(reader: Reader(url: stage.readerURL))
            try await counts.begin()
            try await record("accepted", on: stage)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await counts.families() } }
                try await group.waitForAll()
            }
            let text = try await counts.families().map { $0.text(.text) }.joined()
            let line = #"atelier_job_events_total{kind="generate",event="accepted",code=""} "#
            #expect(text.contains(line + "1\n"), "\(text)")
        }
    }

    /// Codes are not known before they come.
    @Test func aSeriesBeginsAtZero() async throws {
        try await Stage.with(settings: [:]) { stage in
            let counts = EventCounts(reader: Reader(url: stage.readerURL))
            try await counts.begin()
            try await record("discarded", ["error": ["code": "engine.crash"]], on: stage)
            let line = #"atelier_job_events_total{kind="generate",event="discarded",code="engine.crash"} "#
            for value in 0...1 {
                let text = try await counts.families().map { $0.text(.text) }.joined()
                #expect(text.contains("\(line)\(value)\n"), "\(text)")
            }
        }
    }

    /// A real Prometheus scrapes it, in the form it prefers, and has the value.
    private func scrape(_ site: WebClient, _ stage: Stage) async throws {
        let target = site.address.replacing("http://", with: "")
        let config = try stage.folder.write(
            "prometheus.yml",
            """
            global: {scrape_interval: 1s}
            scrape_configs: [{job_name: atelier, static_configs: [{targets: ["\(target)"]}]}]
            """)
        let log = stage.folder.path + "/prometheus.out"
        // A port of the kernel's choice: one drawn here may be in use, by a connection of another test too.
        let child = try ChildProgram(
            "/usr/bin/prometheus",
            [
                "--config.file=\(config)", "--storage.tsdb.path=\(stage.folder.path)/tsdb",
                "--web.listen-address=127.0.0.1:0",
            ], output: log, errors: log)
        defer {
            kill(child.identifier, SIGTERM)
            _ = try? child.end(within: 30)
        }
        var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        do {
            try await stage.until("Prometheus listens") { said.contains(#"msg="Listening on""#) }
            let address = try #require(said.firstMatch(of: /msg="Listening on" address=(\S+)/)?.1)
            try await isScraped(by: try WebClient("http://\(address)"), stage)
        } catch { throw Servers.Failure(description: "\(error)\n\(said)") }
    }

    private func isScraped(by prometheus: WebClient, _ stage: Stage) async throws {
        try await stage.until("Prometheus has the daemon") {
            let found = try? await prometheus.get("/api/v1/query?query=atelier_daemons%7Bstate%3D%22living%22%7D")
            return found?.json?["data"]?["result"]?[0]?["value"]?[1]?.string == "1"
        }
        let targets = try await prometheus.get("/api/v1/targets")
        #expect(targets.json?["data"]?["activeTargets"]?[0]?["health"]?.string == "up", "\(targets)")
    }

    @Test(.enabled(if: isInstalled, "prometheus is not installed: its tools do not check the alerts"))
    func alertsFireWhenTheyMust() async throws {
        let run = try await ProgramRun(
            Self.promtool, ["test", "rules", "alerts.test.yml"], environment: ["PATH": "/usr/bin"], in: Self.monitoring)
        #expect(run.status == 0, "\(run)")
        let check = try await ProgramRun(
            Self.promtool, ["check", "config", "prometheus.yml"], environment: ["PATH": "/usr/bin"],
            in: Self.monitoring)
        #expect(check.status == 0, "\(check)")
    }

    /// Every alert leads to a heading of the runbook that is there, and every alert is tried.
    @Test func everyAlertHasItsPageOfTheRunbook() throws {
        let alerts = try String(contentsOfFile: Self.monitoring + "/alerts.yml", encoding: .utf8)
        let tests = try String(contentsOfFile: Self.monitoring + "/alerts.test.yml", encoding: .utf8)
        let runbook = try String(contentsOfFile: Servers.root + "/docs/operations.md", encoding: .utf8)
        let anchors = Set(
            runbook.split(separator: "\n").filter { $0.hasPrefix("#") }.map {
                RunbookPage.anchor(String($0.drop { $0 == "#" || $0 == " " }))
            })
        let names = alerts.matches(of: /- alert: (\w+)/).map { String($0.1) }
        let links = alerts.matches(of: /runbook_url: \S+\/runbook#(\S+)/).map { String($0.1) }
        #expect(names.count > 10 && links.count == names.count)
        for link in links { #expect(anchors.contains(link), "docs/operations.md has no heading #\(link)") }
        for name in names { #expect(tests.contains(name), "\(name) is never made to fire") }
    }

    @Test func everySymptomOfTheRunbookHasAPlaceThatShowsIt() throws {
        let runbook = try String(contentsOfFile: Servers.root + "/docs/operations.md", encoding: .utf8)
        let headings = runbook.matches(of: /\n## (.*)/).map { String($0.1) }
        #expect(headings.count > 15)
        for heading in headings {
            let check = heading.firstMatch(of: /\[([a-z ]+)\]$/).map { String($0.1) }
            #expect(RunbookPage.places[check ?? heading] != nil, "nothing shows \(heading)")
        }
    }

    /// What dashboards ask, of a Prometheus' parser and of the tables as the reader's role.
    @Test(.enabled(if: isInstalled, "prometheus is not installed: its tools do not check the dashboards"))
    func dashboardsAskWhatThereIs() async throws {
        let metrics = try dashboard("grafana-metrics.json")
        let expressions = Self.queries(metrics, "expr")
        #expect(expressions.count > 8)
        let rules = expressions.enumerated().map { index, text in
            "  - {record: \"panel:\(index)\", expr: \(JSONValue.string(text).text)}"
        }
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "rules.yml", "groups:\n- name: panels\n  rules:\n" + rules.joined(separator: "\n") + "\n")
        let check = try await ProgramRun(
            Self.promtool, ["check", "rules", file], environment: ["PATH": "/usr/bin"])
        #expect(check.status == 0, "\(check)")
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            let site = try WebClient(try await stage.startWeb())
            let names = try await site.get("/metrics").body
            for text in expressions {
                for name in text.matches(of: /atelier_\w+/).map({ String($0.0) }) {
                    #expect(names.contains(name) || name == "atelier_dead_letters", "no metric is called \(name)")
                }
            }
            let alerts = try String(contentsOfFile: Self.monitoring + "/alerts.yml", encoding: .utf8)
            let asked = Set(alerts.matches(of: /\batelier_\w+/).map { String($0.0) })
            #expect(asked.count > 8, "\(asked)")
            for name in asked {
                #expect(names.contains(name) || name == "atelier_dead_letters", "no metric is called \(name)")
            }
            let reader = Reader(url: stage.readerURL)
            let statements = Self.queries(try dashboard("grafana-views.json"), "rawSql")
            #expect(statements.count > 8)
            for text in statements {
                let plain = text.replacing("$__timeFilter(hour)", with: "hour > now() - interval '7 days'")
                _ = try await reader.rows(plain)
            }
        }
    }

    private func dashboard(_ name: String) throws -> JSONValue {
        try JSONValue(json: try Data(contentsOf: URL(fileURLWithPath: Self.monitoring + "/" + name)))
    }

    private static func queries(_ dashboard: JSONValue, _ key: String) -> [String] {
        (dashboard["panels"]?.array ?? []).flatMap { $0["targets"]?.array ?? [] }.compactMap { $0[key]?.string }
    }
}
