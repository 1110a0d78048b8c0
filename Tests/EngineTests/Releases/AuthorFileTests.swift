import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import ModelTesting
import ServerTesting
import Testing

@testable import Engine

private let releases = sharedFolder("releases")

/// Diffusion models in their authors' own files become the models that diffusers' folders become.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct AuthorFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func weights(_ release: String, _ component: String) throws -> Checkpoint {
        try Checkpoint.open("\(releases!)/\(release)/\(component)")
    }

    /// The release's files as its authors name, split and order them.
    private func write(_ release: String) throws -> [String] {
        if release == "sdxl" { return ["\(releases!)/sdxl/sd_xl_base_1.0.safetensors"] }
        func file(_ name: String, _ fill: (inout AuthorLayout) throws -> Void) throws -> String {
            var layout = AuthorLayout()
            try fill(&layout)
            try layout.write("\(folder)/\(name)")
            return "\(folder)/\(name)"
        }
        func alone(_ name: String, _ component: String) throws -> String {
            try file(name) { try $0.take(weights(release, component)) }
        }
        switch release {
        case "sd3-medium":
            return [
                try file("sd3_medium_incl_clips_t5xxlfp16.safetensors") {
                    try $0.mmdit(weights(release, "transformer"))
                    try $0.autoencoder(weights(release, "vae"), under: "first_stage_model.")
                    for (name, component) in [("clip_l", ""), ("clip_g", "_2"), ("t5xxl", "_3")] {
                        try $0.take(
                            weights(release, "text_encoder\(component)"), under: "text_encoders.\(name).transformer.")
                    }
                }
            ]
        case "sd35-large":
            return [
                try file("sd3.5_large.safetensors") {
                    try $0.mmdit(weights(release, "transformer"))
                    try $0.autoencoder(weights(release, "vae"), under: "first_stage_model.")
                }, try alone("clip_l.safetensors", "text_encoder"), try alone("clip_g.safetensors", "text_encoder_2"),
                try alone("t5xxl_fp16.safetensors", "text_encoder_3"),
            ]
        default:
            return [
                try file("flux1-dev.safetensors") { try $0.flux(weights(release, "transformer")) },
                try file("ae.safetensors") { try $0.autoencoder(weights(release, "vae")) },
                try alone("clip_l.safetensors", "text_encoder"),
                try alone("t5xxl_fp16.safetensors", "text_encoder_2"),
            ]
        }
    }

    /// Its folder without weights.
    private func settings(_ release: String) throws -> String {
        let copy = "\(folder)/settings-\(release)"
        try FileManager.default.copyItem(atPath: "\(releases!)/\(release)", toPath: copy)
        for name in try FileManager.default.subpathsOfDirectory(atPath: copy)
        where name.hasSuffix(".safetensors") || name.hasSuffix(".index.json") {
            try FileManager.default.removeItem(atPath: "\(copy)/\(name)")
        }
        return copy
    }

    /// Both ways give one model, number by number, and it draws the same picture.
    @Test(arguments: ["sdxl", "sd3-medium", "sd35-large", "flux1-dev"])
    func theyAreTheModelOfDiffusersFolder(release: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let added = try ModelInstallation(directory: models.folder).add(
            release: try write(release) + [settings(release)], name: "author"
        ).model
        #expect(added.problems == [] && added.verify() == [])
        let names = try FileManager.default.contentsOfDirectory(atPath: added.folder)
            .filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(".safetensors".count)) }
        #expect(Set(names).isSuperset(of: ["vae", "text_encoder", "text_encoder_2"]) && names.count > 3)
        for name in names {
            let ours = try Checkpoint.open("\(added.folder)/\(name).safetensors")
            // The single file holds what the fp16 files hold.
            let file = name.hasPrefix("text") ? "model" : "diffusion_pytorch_model"
            let theirs = try weights(release, release == "sdxl" ? "\(name)/\(file).fp16.safetensors" : name)
            // CLIP-L's projection is not read: neither authors nor diffusers have one in these files.
            let wanted = theirs.names.filter { !$0.hasSuffix("position_ids") }
            #expect(Set(ours.names).isSuperset(of: wanted), "\(name): \(Set(wanted).subtracting(ours.names))")
            for tensor in wanted {
                let (mine, other) = (try ours.tensor(tensor), try theirs.tensor(tensor))
                #expect(mine.count == other.count, "\(name) \(tensor)")
                #expect(try mine.floats() == other.floats(), "\(name) \(tensor)")
            }
        }
        _ = try DiffusionPipeline(directory: added.folder)
    }

    /// Nothing but the files and the tokenizers: settings come from shapes.
    @Test(arguments: ["sdxl", "sd3-medium", "sd35-large", "flux1-dev"])
    func filesAndTokenizersAreEnough(release: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let words = ["tokenizer", "tokenizer_2", "tokenizer_3"].map { "\(releases!)/\(release)/\($0)" }
            .filter { FileManager.default.fileExists(atPath: $0) }
        var wishes = ReleaseWishes()
        wishes.side = 32
        let added = try ModelInstallation(directory: models.folder).add(
            release: try write(release) + words, name: "author", wishes: wishes
        ).model
        #expect(added.problems == [] && added.description?.family == .diffusion)
        let network = release == "sdxl" ? "unet" : "transformer"
        let derived = try members("\(added.folder)/\(network)/config.json")
        let published = try members("\(releases!)/\(release)/\(network)/config.json")
        // Heads of a tiny network without head norms are not those of a real one.
        let open = ["attention_head_dim", "num_attention_heads", "norm_num_groups", "transformer_layers_per_block"]
        for (name, value) in derived where !open.contains(name) && name != "out_channels" {
            #expect(value == published[name] || same(value, published[name]), "\(name)")
        }
        if release.hasPrefix("sd3") {
            // Without heads' norms it is SD3 medium, which its authors' code draws unshifted, unlike diffusers.
            let schedule = try members("\(added.folder)/scheduler/scheduler_config.json")
            #expect(schedule["shift"]?.double == (release == "sd3-medium" ? 1 : 3), "\(schedule)")
        }
        let file = URL(fileURLWithPath: "\(added.folder)/config.json")
        var changed = try members(file.path)
        changed["steps"] = 2
        try JSONValue.object(changed).line.write(to: file)
        let run = try Run(
            models,
            [
                "version": 1, "kind": "generate", "model": "author", "prompts": ["a photo of a red dog"],
                "images_per_prompt": 1, "seed": 3,
            ])
        #expect(run.digests(.picture).count == 1)
    }

    private func members(_ path: String) throws -> [String: JSONValue] {
        guard case .object(let members) = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: path))) else {
            return [:]
        }
        return members
    }

    private func same(_ one: JSONValue, _ other: JSONValue?) -> Bool {
        guard let one = one.double, let other = other?.double else { return false }
        return abs(one - other) <= 1e-9
    }

    @Test func allThatIsMissingIsSaidAtOnce() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try write("flux1-dev")
        let said = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan([files[0]]).recognized() }
        let problems = try #require(said).problems
        for part in ["ae.safetensors", "clip_l.safetensors", "t5xxl_fp16.safetensors", "T5's tokenizer", "vocab.json"] {
            #expect(problems.contains { $0.contains(part) }, "\(part): \(problems)")
        }
        let alone = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan([files[1]]).recognized() }
        #expect(alone?.problems.contains { $0.contains("a file of a diffusion model's authors") } == true, "\(alone!)")
    }

    /// UMT5, which video models read, has T5's names, and in its XXL T5 XXL's width; no model here was trained on it.
    @Test func aUMT5IsNotTakenForT5() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try write("flux1-dev")
        func bias(_ block: Int) -> String {
            "encoder.block.\(block).layer.0.SelfAttention.relative_attention_bias.weight"
        }
        let t5 = try weights("flux1-dev", "text_encoder_2")
        var layout = AuthorLayout()
        try layout.take(t5)
        layout.set(bias(1), try t5.shape(of: bias(0)), try t5.tensor(bias(0)).floats())
        try layout.write(files[3])
        let said = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan(files).recognized() }
        let problems = try #require(said).problems
        #expect(problems.contains { $0.contains("text encoder T5 XXL is not here") }, "\(problems)")
    }

    @Test func theyAreNotLinked() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        let said = #expect(throws: ModelInstallation.Refusal.self) {
            try ModelInstallation(directory: models.folder).add(
                release: try write("flux1-dev") + [settings("flux1-dev")], name: "author", links: true)
        }
        #expect(said?.problems.contains { $0.contains("without --link") } == true)
    }
}
