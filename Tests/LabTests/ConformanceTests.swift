import ComputeTesting
import FileTesting
import Foundation
import Lab
import Layers
import Testing

/// Fixtures of reference implementations, beside the repository or where ATELIER_SHARED says.
private let fixtures = sharedFolder("fixtures")
/// Tiny releases with what their references compute, beside those.
private let releases = sharedFolder("releases")

@Suite(
    .computing, .serialized,
    .enabled(if: fixtures != nil, "the reference fixtures (../shared/fixtures) are not on this machine"))
struct ConformanceTests {
    @Test(arguments: [
        "infinity_bsq_vae", "t5_encoder", "infinity_transformer", "adamw_trajectory", "chameleon_transformer",
        "chameleon_transformer_swin",
        "chameleon_vqgan", "lora_peft", "clip", "dino_vit", "lpips", "llamagen_gpt", "llamagen_vq",
        "autoencoder_kl_4ch", "autoencoder_kl_16ch", "schedulers", "sd3_mmdit", "sd35_mmdit", "flux", "sdxl_unet",
    ])
    func everyRecordedTensorIsWithinTolerance(name: String) throws {
        let report = try Conformance.run("\(fixtures!)/\(name)")
        #expect(!report.lines.isEmpty)
        for line in report.lines {
            #expect(line.isWithin, "\(name) \(line.name): error \(line.error), tolerance \(line.tolerance)")
        }
    }

    @Test func aWrongExpectationIsNoticed() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-conformance-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(fixtures!)/infinity_bsq_vae", toPath: folder)
        let path = "\(folder)/io.safetensors"
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: size - 4000)
        try handle.write(contentsOf: Data(repeating: 0x3F, count: 2000))
        try handle.close()
        #expect(try !Conformance.run(folder).isWithin)
    }

    @Test func anUnknownArchitectureIsRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-conformance-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(fixtures!)/lpips/io.safetensors", toPath: "\(folder)/io.safetensors")
        try Data(#"{"config":{"net":"a net nobody knows"}}"#.utf8).write(
            to: URL(fileURLWithPath: "\(folder)/case.json"))
        #expect(throws: ConformanceError.self) { try Conformance.run(folder) }
    }
}

@Suite(
    .computing, .serialized,
    .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleaseConformanceTests {
    @Test(arguments: [
        "infinity-2b", "infinity-2b-finetunes", "lumina-mgpt-7b-768", "llamagen-t2i-xl", "clip-vit-base-patch32",
        "dino-vits16", "lpips", "adapters-lumina", "sdxl", "sd3-medium", "sd35-large", "flux1-dev", "adapters-sdxl",
    ])
    func aReleaseAsItIsDownloadedComputesWhatItsReferenceDoes(name: String) throws {
        let report = try Conformance.run("\(releases!)/\(name)")
        #expect(!report.lines.isEmpty)
        for line in report.lines {
            #expect(line.isWithin, "\(name) \(line.name): error \(line.error), tolerance \(line.tolerance)")
        }
    }
}
