import DaemonTesting
import Foundation
import Jobs
import SchemaTesting
import ServerTesting
import Testing

/// `ops/schemas/openapi.json` against the program.
@Suite(.timeLimit(.minutes(15))) struct OpenAPITests {
    private static let path = Servers.root + "/ops/schemas/openapi.json"

    private func document() throws -> JSONValue {
        try JSONValue(json: try Data(contentsOf: URL(fileURLWithPath: Self.path)))
    }

    /// Every route of the program is described, and every description has its route.
    @Test func everyRouteIsDescribed() throws {
        guard case .object(let paths) = try #require(try document()["paths"]) else { return #expect(Bool(false)) }
        let described = Set(
            paths.flatMap { path, item -> [String] in
                guard case .object(let methods) = item else { return [] }
                return methods.keys.map { "\($0) \(path)" }
            })
        let source = try String(contentsOfFile: Servers.root + "/Sources/Web/API/APIRoutes.swift", encoding: .utf8)
        let written = source.matches(of: /api\.(get|post)\("([^"]+)"\)/).flatMap { match -> [String] in
            let path = match.2.replacing(/:(\w+)/) { "{\($0.1)}" }
            let names = path.contains("\\(") ? ["retry", "rebind", "cancel"] : [""]
            return names.map { "\(match.1) /api" + path.replacing(/\\\(action\.rawValue\)/, with: $0) }
        }
        #expect(described == Set(written))
    }

    private static func counted(_ mebibytes: String) -> JSONValue {
        [
            "version": 1, "kind": "generate", "model": "pocket-infinity",
            "prompts": [.string("inspect-cost=\(mebibytes)")],
        ]
    }

    /// What the program answers is what the document says.
    @Test func answersAreAsDescribed() async throws {
        let schema = try JSONSchema(path: Self.path)
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try stage.start()
            let site = try WebClient(try await stage.startWeb())
            func hold(_ answer: WebClient.Answer, to part: String, _ status: Int = 200) throws {
                let json = try #require(answer.json, "\(answer)")
                let problems = try schema.problems(in: json, part: "#/$defs/" + part)
                #expect(answer.status == status && problems.isEmpty, "\(part): \(answer.status) \(problems) \(json)")
            }
            let job: JSONValue = [
                "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["steps=3"],
            ]
            let published = try await site.send(json: job, to: "/api/jobs?message_id=first")
            try hold(published, to: "published", 202)
            #expect(published.json?["message_id"]?.string == "first")
            let number = try #require(try await stage.job("first", reaches: .completed)["id"]?.string)
            try hold(try await site.send(json: ["version": 1], to: "/api/jobs"), to: "problems", 422)
            try await stage.publish(body: Data("{}".utf8), id: "bad")
            try await stage.until("it is rejected") {
                try await site.get("/api/rejections").json?["rejections"]?.array?.isEmpty == false
            }
            for (path, part) in [
                ("queue", "queue"), ("jobs", "jobs"), ("jobs/\(number)", "job"), ("jobs/\(number)/curves", "curves"),
                ("concepts", "concepts"), ("failures", "failures"), ("rejections", "rejections"),
                ("leaderboard", "leaderboard"), ("models", "models"),
            ] { try hold(try await site.get("/api/" + path), to: part) }
            var told = try await site.send(json: Self.counted("3"), to: "/api/estimates")
            try await stage.until("the host is measured") {
                if told.status != 200 { told = try await site.send(json: Self.counted("3"), to: "/api/estimates") }
                return told.status == 200
            }
            try hold(told, to: "estimate")
            try hold(try await site.send(json: ["version": 1], to: "/api/estimates"), to: "problems", 422)
            try hold(try await site.send(json: job, to: "/api/estimates"), to: "error", 503)
            for action in ["retry", "rebind", "cancel"] {
                let answer = try await site.send(json: [:], to: "/api/jobs/\(number)/\(action)")
                try hold(answer, to: "done", 409)
            }
            try hold(try await site.get("/api/jobs/\(UUID())"), to: "error", 404)
            try hold(try await site.get("/api/jobs?since=1h"), to: "error", 400)
            #expect(try await site.get("/api/schema").json?["oneOf"]?.array?.count == JobKind.allCases.count)
        }
    }
}
