import DaemonTesting
import Foundation
import Hashing
import Jobs
import Testing

/// An evaluation's engine gets the concepts' adapters and the pictures they were learnt from.
@Suite(.timeLimit(.minutes(15))) struct ConceptEvaluationTests {
    private func evaluation(_ members: String) -> Data {
        Data(
            #"{"version":1,"kind":"evaluate","model":"pocket-infinity","prompts":["{concept} steps=1"],\#(members)}"#
                .utf8)
    }

    @Test func referencesAreThoseTheConceptWasLearntFrom() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try stage.start()
            try await stage.publish(body: Script.personalization("rex", seed: 1), id: "training", kind: "personalize")
            _ = try await stage.job("training", reaches: .completed)
            try await stage.publish(body: evaluation(#""concepts":["rex"]"#), id: "own", kind: "evaluate")
            let learnt = SHA256Digest.of(Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])).description
            #expect(
                try await stage.job("own", reaches: .completed)["result"]?["references"]?["rex"]
                    == .array([.string(learnt)]))

            // A job that brings pictures means those.
            let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1]).base64EncodedString()
            try await stage.publish(
                body: evaluation(#""concepts":["rex"],"images":[{"png":"\#(picture)"}]"#), id: "others",
                kind: "evaluate")
            #expect(try await stage.job("others", reaches: .completed)["result"]?["references"] == .object([:]))

            try await stage.publish(body: evaluation(#""concepts":["rex","mia"]"#), id: "unknown", kind: "evaluate")
            let unknown = try await stage.job("unknown", reaches: .discarded)
            #expect(unknown["error_code"]?.string == "concept.unknown")
            #expect(unknown["attempts"]?[0]?["problems"]?.array?.first?["pointer"]?.string == "/concepts/1")
        }
    }
}
