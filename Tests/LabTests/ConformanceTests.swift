import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import Lab
import Layers
import Tensors
import Testing

/// Fixtures of reference implementations, beside the repository or where ATELIER_SHARED says.
private let fixtures = sharedFolder("fixtures")
/// Tiny releases with what their references compute, beside those.
private let releases = sharedFolder("releases")

/// What `body` returns of an empty folder, which goes with everything in it.
private func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "conformance-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return try body(folder)
}

/// Makes links in `folder` to what a release's folder holds, as far as it is wanted.
private func linkFiles(of source: String, into folder: String, where isWanted: (String) -> Bool) throws {
    for file in try FileManager.default.contentsOfDirectory(atPath: source) where isWanted(file) {
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/\(file)", withDestinationPath: "\(source)/\(file)")
    }
}

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
        let report = try inFolder { place in
            let folder = "\(place)/case"
            try FileManager.default.copyItem(atPath: "\(fixtures!)/infinity_bsq_vae", toPath: folder)
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: "\(folder)/io.safetensors"))
            let size = try handle.seekToEnd()
            try handle.seek(toOffset: size - 4000)
            try handle.write(contentsOf: Data(repeating: 0x3F, count: 2000))
            try handle.close()
            return try Conformance.run(folder)
        }
        #expect(!report.isWithin)
    }

    @Test func anUnknownArchitectureIsRefused() throws {
        try inFolder { folder in
            try FileManager.default.copyItem(
                atPath: "\(fixtures!)/lpips/io.safetensors", toPath: "\(folder)/io.safetensors")
            try Data(#"{"config":{"net":"a net nobody knows"}}"#.utf8).write(
                to: URL(fileURLWithPath: "\(folder)/case.json"))
            #expect(throws: ConformanceError.self) { try Conformance.run(folder) }
        }
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

    /// Of what cannot be read nothing could be compared, and nobody would know why.
    @Test(arguments: ["dino-vits16", "clip-vit-base-patch32", "llamagen-t2i-xl"])
    func whatCannotBeReadIsNamed(name: String) throws {
        try inFolder { folder in
            for file in ["expected.json", "expected.safetensors"] {
                try FileManager.default.copyItem(atPath: "\(releases!)/\(name)/\(file)", toPath: "\(folder)/\(file)")
            }
            try Data("<!DOCTYPE html>".utf8).write(to: URL(fileURLWithPath: "\(folder)/model.pth"))
            let error = try #require(throws: ConformanceError.self) { try Conformance.run(folder) }
            #expect(error.description.contains("model.pth: it is a web page"))
        }
    }

    /// A picture of the release's own size would take more positions than there are; none is drawn.
    @Test func aChameleonMayHavePositionsForTheRecordedPictureAlone() throws {
        let source = "\(releases!)/lumina-mgpt-7b-768"
        let settings = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: "\(source)/config.json")))
        let report = try inFolder { folder in
            try linkFiles(of: source, into: folder) { $0 != "config.json" }
            try settings.adding("max_position_embeddings", 96).line.write(
                to: URL(fileURLWithPath: "\(folder)/config.json"))
            return try Conformance.run(folder)
        }
        #expect(report.isWithin, "\(report.lines)")
    }

    /// Where a token is four codes, as the 8B's, pictures are compared code by code, on any scales.
    @Test func picturesAreEncodedInTheVAEsOwnCodes() throws {
        let source = "\(releases!)/infinity-2b"
        var codes = try Checkpoint.tensors("\(source)/infinity_vae_d32reg.pth")
        for name in codes.keys where name.hasPrefix("encoder.conv_out.") { codes[name] = codes[name]!.slice(0..<8) }
        let first = "decoder.conv_in.conv.weight"
        let shape = try #require(codes[first]).shape
        codes[first] = Tensor(zeros: [shape[0], 8] + shape.dropFirst(2))
        let report = try inFolder { folder in
            try linkFiles(of: source, into: folder) { !$0.contains("_vae_") }
            try Safetensors.write(codes, to: "\(folder)/infinity_vae_d8_patchify.safetensors")
            return try Conformance.run(folder)
        }
        let compared = report.lines.map(\.name)
        #expect(compared.contains("enc.z ([1, 8, 6, 4] against [1, 32, 6, 4])"), "\(compared)")
    }

    /// Of a transformer, too, told where it is in words; the adapter changes nothing.
    @Test(arguments: [("sd3-medium", "481"), ("flux1-dev", "0.481")])
    func adaptersAreHeldAgainstTheNetworkTheyAreFor(base: String, timestep: String) throws {
        let source = "\(releases!)/\(base)"
        let output = try #require(try Checkpoint.tensors("\(source)/expected.safetensors")["transformer_out"])
        let module = "transformer_blocks.0.attn.to_q"
        let width = try Checkpoint.open("\(source)/transformer").shape(of: "\(module).weight")[0]
        let report = try inFolder { place in
            try FileManager.default.createSymbolicLink(atPath: "\(place)/\(base)", withDestinationPath: source)
            let folder = "\(place)/adapters"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try Safetensors.write(
                ["base.transformer_out": output, "u1.transformer_out": output],
                to: "\(folder)/expected.safetensors")
            try Safetensors.write(
                [
                    "transformer.\(module).lora_A.weight": Tensor(zeros: [1, width]),
                    "transformer.\(module).lora_B.weight": Tensor(zeros: [width, 1]),
                ], to: "\(folder)/u1-idle.safetensors")
            try Data(
                #"{"release":"LoRA files for ../\#(base)","semantics":{"inputs":"at timestep \#(timestep)"}}"#.utf8
            ).write(to: URL(fileURLWithPath: "\(folder)/expected.json"))
            return try Conformance.run(folder)
        }
        #expect(report.lines.count == 2 && report.isWithin, "\(report.lines)")
    }

    /// diffusers reads an empty negative prompt that is given, and takes zeros for none (SDXL).
    @Test(arguments: [(JSONValue.null, true), (JSONValue.string(""), false)])
    func anEmptyNegativePromptIsReadWhereItIsGiven(given: JSONValue, isZero: Bool) throws {
        let source = "\(releases!)/sdxl"
        let report = try inFolder { folder in
            try linkFiles(of: source, into: folder) { !$0.hasPrefix("expected.") }
            let words = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: "\(source)/expected.json")))
            try words.adding("negative_prompt", given).line.write(
                to: URL(fileURLWithPath: "\(folder)/expected.json"))
            try recordedWithZeros("negative_prompt_embeds", "\(source)/expected.safetensors").write(
                to: URL(fileURLWithPath: "\(folder)/expected.safetensors"))
            return try Conformance.run(folder)
        }
        let line = try #require(report.lines.first { $0.name == "negative_prompt_embeds" })
        #expect(line.isWithin == isZero)
    }

    /// A safetensors file with zeros in the place of a tensor.
    private func recordedWithZeros(_ name: String, _ path: String) throws -> Data {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let start = 8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONValue(json: bytes[8..<start])
        let offsets = header[name]?["data_offsets"]?.array?.compactMap(\.integer)
        let range = try #require(offsets)
        bytes.resetBytes(in: start + range[0]..<start + range[1])
        return bytes
    }
}
