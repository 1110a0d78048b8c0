import DaemonTesting
import FileTesting
import Foundation
import ServerTesting
import Testing

/// Models that look whole and are not: what the engine reads in them is said when they are brought in.
@Suite(.timeLimit(.minutes(15))) struct ModelInstallationTests {
    private let folder: TemporaryFolder

    /// A copy of an encoder of ours, with the last numbers of its weights made none; nobody sealed it.
    init() throws {
        folder = try TemporaryFolder()
        let source = folder.path + "/source"
        try FileManager.default.copyItem(atPath: Servers.root + "/models/pocket-dino", toPath: source)
        for name in ["model.json", "SHA256SUMS"] { try FileManager.default.removeItem(atPath: "\(source)/\(name)") }
        let file = URL(filePath: "\(source)/model.safetensors")
        var weights = try Data(contentsOf: file)
        weights.replaceSubrange(weights.count - 64..<weights.count, with: [UInt8](repeating: 0xFF, count: 64))
        try weights.write(to: file)
        try FileManager.default.createDirectory(atPath: folder.path + "/models", withIntermediateDirectories: true)
    }

    private func control(_ arguments: String..., engine: String = "atelier-engine") async throws -> ProgramRun {
        try await ProgramRun(
            Stage.programs + "/atelierctl", arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "ATELIER_MODELS": folder.path + "/models", "HOME": folder.path,
                "ATELIER_ENGINE": Stage.programs + "/" + engine,
            ])
    }

    @Test func aModelThatTheEngineCannotReadIsNotAdded() async throws {
        let add = try await control("models", "add", folder.path + "/source", "--name", "mine")
        #expect(add.status == 65 && add.errors.contains(" holds values that are no numbers"), "\(add)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/models") == [])
    }

    /// Its bytes are as whoever sealed it found them.
    @Test func aModelThatWasCopiedAndSealedIsFoundByVerify() async throws {
        try FileManager.default.copyItem(atPath: folder.path + "/source", toPath: folder.path + "/models/mine")
        let refused = try await control("models", "seal", "mine")
        #expect(refused.status == 65 && refused.errors.contains(" holds values that are no numbers"), "\(refused)")
        let sums = folder.path + "/models/mine/SHA256SUMS"
        #expect(!FileManager.default.fileExists(atPath: sums))
        let sealed = try await control("models", "seal", "mine", engine: "no-engine")
        #expect(sealed.status == 0 && sealed.errors.contains("mine was not read as a job reads it"), "\(sealed)")
        let verify = try await control("models", "verify")
        #expect(
            verify.status == 2 && verify.lines.first == "BAD  mine"
                && verify.output.contains(" holds values that are no numbers"), "\(verify)")
    }

    /// Nothing is converted that is copied as it is.
    @Test func optionsOfReleasesAreRefusedWhereAFolderIsCopied() async throws {
        let source = Servers.root + "/models/pocket-dino"
        let add = try await control(
            "models", "add", source, "--name", "mine", "--precision", "int8", "--side", "64", "--family", "dino")
        #expect(add.status == 65, "\(add)")
        for option in ["precision", "side", "family"] { #expect(add.errors.contains("--\(option) is for releases")) }
    }

    @Test func everyOptionThatIsNoneIsNamed() async throws {
        let add = try await control(
            "models", "add", folder.path, "--link", "--precision", "int9", "--family", "foo")
        #expect(add.status == 65 && add.errors.contains("int9") && add.errors.contains("family foo"), "\(add)")
    }

    @Test func whatIsLinkedIsNotConverted() async throws {
        let add = try await control("models", "add", folder.path + "/source", "--link", "--precision", "bf16")
        #expect(add.status == 65 && add.errors.contains("--link leaves the weights as they are"), "\(add)")
    }

    @Test func withoutAnEngineItIsSaidThatNobodyReadIt() async throws {
        let add = try await control("models", "add", folder.path + "/source", "--name", "mine", engine: "no-engine")
        #expect(add.status == 0 && add.errors.contains("it was not read as a job reads it"), "\(add)")
    }
}
