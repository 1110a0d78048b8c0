import DaemonTesting
import FileTesting
import Foundation
import Jobs
import LittleWorld
import ServerTesting
import Testing

/// Tiny instances of released models, beside the repository or where ATELIER_SHARED says.
private let releases = sharedFolder("releases")

/// Models as people download them: brought in, and then jobs on them, without servers.
@Suite(
    .serialized, .timeLimit(.minutes(20)),
    .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleasedModelTests {
    private func control(_ folder: TemporaryFolder, _ arguments: String...) async throws -> ProgramRun {
        try await control(folder, arguments)
    }

    private func control(_ folder: TemporaryFolder, _ arguments: [String]) async throws -> ProgramRun {
        try await ProgramRun(
            Stage.programs + "/atelierctl", arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "ATELIER_MODELS": folder.path + "/models",
                "ATELIER_ENGINE": Stage.programs + "/atelier-engine", "HOME": folder.path,
            ])
    }

    private func withModels(_ body: (TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/models", withIntermediateDirectories: true)
        try await body(folder)
    }

    private static func picture(_ size: Int) throws -> JSONValue {
        let scene = Subject.heldOut(.dog, index: 0).references(count: 1)[0]
        return ["png": .string(Data(try scene.paint(size: size).png()).base64EncodedString())]
    }

    private static func personalization(_ model: String, method: String, size: Int) throws -> String {
        JSONValue.object([
            "version": 1, "kind": "personalize", "method": .string(method), "model": .string(model), "seed": 7,
            "concept": ["name": "rex", "role": "subject", "class": "dog"], "images": [try picture(size)],
            "prompts": ["a <rex> dog on the beach"],
            "options": .object(
                method == "lora"
                    ? ["iterations": 2, "batch": 1, "prior_preservation": false]
                    : ["iterations": 2, "batch": 1, "distillation_maps": 1]),
        ]).text
    }

    private static func generation(_ model: String, _ prompt: String) -> String {
        JSONValue.object([
            "version": 1, "kind": "generate", "model": .string(model), "prompts": [.string(prompt)], "seed": 3,
        ]).text
    }

    /// Adds a release, verifies it, learns a concept on it and draws it.
    private func worksEndToEnd(
        _ folder: TemporaryFolder, _ name: String, adding: [String], method: String, size: Int
    ) async throws {
        let add = try await control(folder, ["models", "add"] + adding + ["--name", name])
        try #require(add.status == 0 && !add.errors.contains("was not read"), "\(add)")
        #expect(add.errors.contains("is measured by pocket-clip and pocket-dino"), "\(add)")
        #expect(try await control(folder, "models", "verify", name).status == 0)
        let shown = try await control(folder, "models", "show", name)
        #expect(shown.output.contains("made of"), "\(shown)")
        let training = try folder.write("train.json", try Self.personalization(name, method: method, size: size))
        let learnt = try await control(folder, "run", training, "--out", folder.path + "/learnt")
        try #require(learnt.status == 0, "\(learnt)")
        let drawing = try folder.write("draw.json", Self.generation(name, "a <rex> dog in the jungle"))
        let drawn = try await control(
            folder, "run", drawing, "--adapter", "rex=\(folder.path)/learnt/rex.safetensors", "--out",
            folder.path + "/drawn")
        try #require(drawn.status == 0, "\(drawn)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/drawn/picture-001.png"))
    }

    @Test func infinityAsItIsDownloadedLearnsAndDraws() async throws {
        try await withModels { folder in
            try await worksEndToEnd(
                folder, "tiny-infinity", adding: ["\(releases!)/infinity-2b", "--pixels", "0.06M"], method: "arbooth",
                size: 256)
        }
    }

    @Test func infinityWorksThroughLinksToo() async throws {
        try await withModels { folder in
            try await worksEndToEnd(
                folder, "linked", adding: ["\(releases!)/infinity-2b", "--pixels", "0.06M", "--link"], method: "lora",
                size: 256)
        }
    }

    @Test func luminaAsItIsDownloadedLearnsAndDraws() async throws {
        try await withModels { folder in
            try await worksEndToEnd(
                folder, "tiny-lumina", adding: ["\(releases!)/lumina-mgpt-7b-768", "--side", "64"], method: "lora",
                size: 64)
        }
    }
}
