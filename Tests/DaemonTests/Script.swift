import DaemonTesting
import Foundation
import Hashing
import Jobs

/// Jobs that make the scripted engine do what their prompt says.
enum Script {
    /// The body of such a job.
    static func body(_ script: String) -> Data {
        JSONValue.object([
            "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-infinity"),
            "prompts": .array([.string(script)]),
        ]).line
    }

    /// The body of a job that makes the scripted engine learn a concept in two steps.
    static func personalization(
        _ name: String, role: String = "subject", method: String = "arbooth", model: String = "pocket-infinity",
        seed: Int, script: String = "steps=2 adapter"
    ) -> Data {
        JSONValue.object([
            "version": .integer(1), "kind": .string("personalize"), "method": .string(method), "model": .string(model),
            "seed": .integer(seed),
            "concept": .object(["name": .string(name), "role": .string(role), "class": .string("dog")]),
            "images": .array([
                .object(["png": .string(Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).base64EncodedString())])
            ]),
            "prompts": .array([.string(script)]),
        ]).line
    }

    /// The digest of the picture an undisturbed run of `steps` steps makes.
    static func picture(_ steps: Int) -> String {
        var chain = "start"
        for step in 1...steps { chain = SHA256Digest.of(Data("\(chain) \(step)".utf8)).description }
        return SHA256Digest.of(Data(chain.utf8)).description
    }
}

extension Stage {
    /// Publishes a job that makes the scripted engine do what `script` says. Gives its message id.
    @discardableResult
    func publish(_ script: String, id: String = UUID().uuidString) async throws -> String {
        try await publish(body: Script.body(script), id: id)
        return id
    }
}
