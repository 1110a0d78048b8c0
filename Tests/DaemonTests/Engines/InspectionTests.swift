import Daemon
import DaemonTesting
import Foundation
import Jobs
import Testing

/// What is said at the door of a message that an engine looked into, and what becomes of one that ends that engine.
@Suite(.timeLimit(.minutes(15))) struct InspectionTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]

    /// What is told with a message's acceptance.
    private func acceptance(_ id: String, on stage: Stage) async throws -> JSONValue? {
        _ = try await stage.job(id) { _ in true }
        let rows = try await stage.store.query(
            """
            select e.detail::text as detail from atelier.job_events e join atelier.jobs j on j.id = e.job
            where j.message_id = $1 and e.event = 'accepted'
            """, [id])
        return try rows.first?["detail"].map { try JSONValue(json: Data($0.utf8)) }
    }

    @Test func problemsAreARejectionBesideTheMessagesOwn() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1 inspect-problem", id: "m")
            let rejected = try await stage.outcomes(1)[0]
            #expect(rejected["event"]?.string == "rejected" && rejected["message_id"]?.string == "m")
            #expect(rejected["problems"]?[0]?["found"]?.string == "99 tokens")
            let body: JSONValue = [
                "version": 1, "kind": "generate", "model": "nowhere", "prompts": ["inspect-problem"], "more": 1,
            ]
            try await stage.publish(body: body.line, id: "n")
            let pointers = try await stage.outcomes(1)[0]["problems"]?.array?.compactMap { $0["pointer"]?.string }
            #expect(pointers?.sorted() == ["/model", "/more", "/prompts/0"])
        }
    }

    @Test func warningsAreToldWithTheAcceptance() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1 inspect-warning", id: "m")
            let event = try #require(try await acceptance("m", on: stage))
            #expect(event["warnings"] == ["/prompts/0: as it was written"])
            let shown = try await stage.control("jobs", "show", "m")
            #expect(shown.output.contains("/prompts/0: as it was written"), "\(shown)")
            let watched = try await stage.control("jobs", "watch", "m")
            #expect(watched.errors.contains("warning: /prompts/0: as it was written\n"), "\(watched)")
            try await stage.publish("steps=1", id: "plain")
            #expect(try await acceptance("plain", on: stage)?["warnings"] == nil)
            _ = try await stage.job("m", reaches: .completed)
        }
    }

    @Test func aConceptThatIsNotThereYetIsNamedWhenTheJobIsAccepted() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1 a <wolfie> dog", id: "m")
            let warning = try await acceptance("m", on: stage)?["warnings"]?[0]?.string
            #expect(warning?.hasPrefix("/prompts/0: <wolfie> is no concept that can be used yet") == true)
            let job = try await stage.job("m", reaches: .discarded)
            #expect(job["error_code"]?.string == "concept.unknown")
            #expect(job["result"] == nil || job["result"] == .null)
        }
    }

    @Test func whatEndsTheChildCostsTheChildAlone() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let mark = stage.folder.path + "/inspection/killed"
            try await stage.publish("steps=1 inspect-kill-once=\(mark)", id: "once")
            try await stage.publish("steps=1 inspect-kill", id: "always")
            try await stage.publish("steps=1 inspect-warning", id: "after")
            for id in ["once", "always", "after"] { _ = try await stage.job(id, reaches: .completed) }
            #expect(FileManager.default.fileExists(atPath: mark))
            #expect(try await acceptance("after", on: stage)?["warnings"] != nil, "the next one is looked into again")
        }
    }

    /// Strangers' pictures are decoded there: whoever takes it over finds no credentials and nobody's pictures.
    @Test func theChildReachesNoneOfTheDaemonsFiles() async throws {
        guard Confinement.isPossible else { return print("skipped: this kernel has no Landlock") }
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            let outside = stage.folder.path + "/outside"
            try await stage.publish("steps=1 inspect-kill-once=\(outside)", id: "strange")
            _ = try await stage.job("strange", reaches: .completed)
            #expect(!FileManager.default.fileExists(atPath: outside), "\(stage.log)")
        }
    }

    /// Of an engine that never answers the first message waits some seconds, and no other.
    @Test func anEngineThatDoesNotBeginHoldsMessagesUpForSecondsOnly() async throws {
        try await Stage.with(settings: [:]) { stage in
            let engine = try stage.folder.writeProgram(
                "deaf-inspection",
                """
                #!/bin/sh
                [ "$1" = inspect ] && exec sleep 600
                exec "\(Stage.programs)/scripted-engine" "$@"
                """)
            try stage.start(["ATELIER_ENGINE": engine, "ATELIER_ENGINE_CONFINEMENT": "none"])
            for id in ["first", "second", "third"] { try await stage.publish("steps=1 inspect-warning", id: id) }
            for id in ["first", "second", "third"] { _ = try await stage.job(id, reaches: .completed) }
            #expect(try await acceptance("first", on: stage)?["warnings"] == nil)
            let waits = stage.log.matches(of: /no engine is ready for inspections yet/).count
            let children = stage.log.matches(of: /messages are not inspected for a while/).count + 1
            #expect((1...children).contains(waits), "of each child one message waits in vain, and none behind it")
        }
    }

    @Test func anAnswerIsWaitedForSomeSeconds() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1 inspect-warning", id: "ready")
            _ = try await stage.job("ready", reaches: .completed)
            try await stage.publish("steps=1 inspect-hang", id: "hangs")
            _ = try await stage.job("hangs") { _ in true }
            #expect(stage.log.contains("inspection took too long"))
        }
    }

    @Test func probesDoNotWaitForAMessageThatIsLookedInto() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await stage.publish("steps=1 inspect-hang", id: "hangs")
            try await stage.until("the child has the message") {
                FileManager.default.fileExists(atPath: stage.folder.path + "/logs/inspection.log")
            }
            try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "p", kind: "probe")
            _ = try await stage.job("p", reaches: .completed)
            #expect(try await stage.store.query("select 1 from atelier.jobs where message_id = 'hangs'").isEmpty)
            _ = try await stage.job("hangs", reaches: .completed)
        }
    }
}
