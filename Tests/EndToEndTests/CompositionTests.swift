import DaemonTesting
import Foundation
import Jobs
import LittleWorld
import ModelTesting
import Testing

/// Two concepts learnt apart and drawn together, from the messages to the pictures: the real engine, models far too
/// small to paint.
@Suite(.serialized, .timeLimit(.minutes(15))) struct CompositionTests {
    private func personalization(_ name: String, role: String) throws -> Data {
        let scenes = Subject.heldOut(.dog, index: 0).references(count: role == "subject" ? 3 : 1)
        return JSONValue.object([
            "version": .integer(1), "kind": .string("personalize"), "method": .string("coar"),
            "model": .string("pocket-chameleon"), "seed": .integer(7),
            "concept": .object(["name": .string(name), "role": .string(role), "class": .string("dog")]),
            "images": .array(
                try scenes.map { .object(["png": .string(Data(try $0.paint(size: 16).png()).base64EncodedString())]) }),
            "options": .object(["iterations": .integer(20), "layers": .integer(1)]),
        ]).line
    }

    private func composition(_ subject: String = "rex", _ style: String = "woodcut", isMasked: Bool = true) -> Data {
        JSONValue.object([
            "version": .integer(1), "kind": .string("compose"), "model": .string("pocket-chameleon"),
            "subject": .string(subject), "style": .string(style),
            "prompts": .array([.string("in the snow")]), "images_per_prompt": .integer(16), "seed": .integer(3),
            "options": .object(["identity_mask": .bool(isMasked), "guidance": .integer(9)]),
        ]).line
    }

    @Test func aSubjectAndAStyleLearntApartAreDrawnTogether() async throws {
        let models = try TinyModels()
        try await Stage.with(settings: TrainingJob.settings.merging(["ATELIER_MODELS": models.folder]) { $1 }) {
            stage in
            try stage.start()
            for (name, role) in [("rex", "subject"), ("woodcut", "style")] {
                try await stage.publish(body: personalization(name, role: role), id: name, kind: "personalize")
                let job = try await stage.job(name, reaches: .completed)
                let roles = Set((job["artifacts"]?.array ?? []).compactMap { $0["role"]?.string })
                #expect(
                    roles == ["adapter", "picture", "sheet", "curve"]
                        && job["result"]?["metrics"]?["loss.concept"]?.double != nil)
            }
            for (id, body) in [
                ("masked", composition()), ("again", composition()), ("unmasked", composition(isMasked: false)),
            ] {
                try await stage.publish(body: body, id: id, kind: "compose")
            }
            let masked = try await stage.job("masked", reaches: .completed)
            let again = try await stage.job("again", reaches: .completed)
            let unmasked = try await stage.job("unmasked", reaches: .completed)
            let pictures = (masked["artifacts"]?.array ?? []).filter { $0["role"]?.string == "picture" }
            #expect(
                pictures.count == 16
                    && pictures.allSatisfy {
                        $0["prompt"]?.string == "a photo of <rex> dog in the snow in <woodcut> style"
                    })
            #expect(
                masked.digest(of: "sheet") == again.digest(of: "sheet")
                    && masked.digest(of: "sheet") != unmasked.digest(of: "sheet"))
            try await stage.publish(body: composition("rex", "linocut"), id: "unknown", kind: "compose")
            let unknown = try await stage.job("unknown", reaches: .discarded)
            let problem = unknown["attempts"]?[0]?["problems"]?.array?.first
            #expect(problem?["pointer"]?.string == "/style" && problem?["allowed"]?.string == "woodcut")
        }
        withExtendedLifetime(models) {}
    }
}
