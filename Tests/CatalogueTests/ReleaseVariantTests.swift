import Catalogue
import Checkpoints
import DaemonTesting
import FileTesting
import Foundation
import Jobs
import ServerTesting
import Testing

private let releases = sharedFolder("releases")

/// Releases as others changed them: what is not built is refused by name, never drawn as if it were something else.
@Suite(.enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleaseVariantTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A copy of a release that may be changed.
    private func copy(_ release: String) throws -> String {
        let path = "\(folder.path)/\((release as NSString).lastPathComponent)"
        try FileManager.default.copyItem(atPath: "\(releases!)/\(release)", toPath: path)
        return path
    }

    private func found(_ paths: String...) throws -> (release: RecognizedRelease?, problems: [String]) {
        do throws(UnrecognizedRelease) { return (try ReleaseScan(paths).recognized(), []) } catch {
            return (nil, error.problems)
        }
    }

    private func change(_ file: String, _ members: [String: JSONValue]) throws {
        guard case .object(let old) = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: file))) else { return }
        let new = JSONValue.object(old.merging(members) { $1 })
        try new.line.write(to: URL(fileURLWithPath: file))
    }

    /// A safetensors file's header and data.
    private func parts(_ file: String) throws -> (header: [String: JSONValue], data: Data) {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard case .object(let header) = try JSONValue(json: Data(bytes.dropFirst(8).prefix(length))) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return (header, Data(bytes.dropFirst(8 + length)))
    }

    private func write(_ header: [String: JSONValue], _ data: Data, to file: String) throws {
        let text = JSONValue.object(header).line
        let size = Data((0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) })
        try (size + text + data).write(to: URL(fileURLWithPath: file))
    }

    /// Adds tensors without a number to a safetensors file, or gives one of those there are only one side.
    private func change(tensors file: String, adding names: [String] = [], flattening: String? = nil) throws {
        var (header, data) = try parts(file)
        for name in names {
            header[name] = [
                "dtype": "F32", "shape": [0], "data_offsets": [.integer(data.count), .integer(data.count)],
            ]
        }
        if let flattening, case .object(var entry) = header[flattening] {
            let count = (entry["shape"]?.array ?? []).compactMap(\.integer).reduce(1, *)
            entry["shape"] = [.integer(count)]
            header[flattening] = .object(entry)
        }
        try write(header, data, to: file)
    }

    /// Gives the tensors of a safetensors file other names.
    private func rename(tensors file: String, _ renamed: (String) -> String) throws {
        let (header, data) = try parts(file)
        let entries = header.map { name, entry in (renamed(name), entry) }
        try write(Dictionary(uniqueKeysWithValues: entries), data, to: file)
    }

    /// A safetensors file of tensors without a number.
    private func file(of names: [String]) throws -> String {
        let file = "\(folder.path)/model.safetensors"
        let entry: JSONValue = ["dtype": "F32", "shape": [0], "data_offsets": [0, 0]]
        try write(Dictionary(uniqueKeysWithValues: names.map { ($0, entry) }), Data(), to: file)
        return file
    }

    /// The tensors after a prefix, in a file of their own.
    private func extract(_ prefix: String, of file: String, to target: String) throws {
        let (header, data) = try parts(file)
        var (own, numbers): ([String: JSONValue], Data) = ([:], Data())
        for (name, entry) in header where name.hasPrefix(prefix) {
            guard case .object(var entry) = entry,
                let range = entry["data_offsets"]?.array?.compactMap(\.integer), range.count == 2
            else { continue }
            let start = numbers.count
            numbers += data[range[0]..<range[1]]
            entry["data_offsets"] = [.integer(start), .integer(numbers.count)]
            own[String(name.dropFirst(prefix.count))] = .object(entry)
        }
        try write(own, numbers, to: target)
    }

    private var singleFile: String { "sdxl/sd_xl_base_1.0.safetensors" }

    private func withTokenizers(_ file: String) throws -> (release: RecognizedRelease?, problems: [String]) {
        try found(file, "\(releases!)/sdxl/tokenizer", "\(releases!)/sdxl/tokenizer_2")
    }

    private func single(adding marks: [String]) throws -> (release: RecognizedRelease?, problems: [String]) {
        let file = try copy(singleFile)
        try change(tensors: file, adding: marks)
        return try withTokenizers(file)
    }

    /// SSD-1B's: one block in the middle, and transformers that are deeper at the end of a level.
    @Test func theFormOfADistilledNetworkStandsInItsNames() throws {
        let file = try copy(singleFile)
        let network = "model.diffusion_model."
        try change(tensors: file, adding: [network + "output_blocks.1.1.transformer_blocks.2.norm1.weight"])
        try rename(tensors: file) { name in
            let isLeftOut = ["1.", "2."].contains { name.hasPrefix("\(network)middle_block.\($0)") }
            return isLeftOut ? "left_out.\(name)" : name
        }
        let settings = try #require(try withTokenizers(file).release).texts["unet/config.json"]
        #expect(settings?["mid_block_type"] == "UNetMidBlock2D")
        #expect(settings?["transformer_layers_per_block"] == [1, 1, 2])
        #expect(settings?["reverse_transformer_layers_per_block"] == [[2, 3], 1, 1])
    }

    @Test func aNetworkUnderTheShorterPrefixIsKnown() throws {
        let file = try copy(singleFile)
        try rename(tensors: file) { $0.hasPrefix("model.diffusion_model.") ? String($0.dropFirst(6)) : $0 }
        let release = try #require(try withTokenizers(file).release)
        let plain = try #require(try withTokenizers("\(releases!)/\(singleFile)").release)
        #expect(release.texts == plain.texts && release.title == plain.title)
    }

    @Test func whatASingleFileSaysOfItsNoiseCounts() throws {
        let plain = try #require(try single(adding: []).release)
        #expect(plain.texts["scheduler/scheduler_config.json"]?["prediction_type"] == "epsilon")
        try FileManager.default.removeItem(atPath: folder.path + "/sd_xl_base_1.0.safetensors")
        let velocity = try #require(try single(adding: ["v_pred", "ztsnr"]).release)
        let schedule = velocity.texts["scheduler/scheduler_config.json"]
        #expect(schedule?["prediction_type"] == "v_prediction")
        #expect(schedule?["rescale_betas_zero_snr"] == .bool(true) && schedule?["timestep_spacing"] == "trailing")
        try FileManager.default.removeItem(atPath: folder.path + "/sd_xl_base_1.0.safetensors")
        let problems = try single(adding: ["edm_mean", "edm_std"]).problems
        #expect(problems.count == 1 && problems[0].contains("EDM"), "\(problems)")
    }

    @Test(
        arguments: [
            ("unet/config.json", ["time_cond_proj_dim": 256], "time_cond_proj_dim 256"),
            ("unet/config.json", ["act_fn": "gelu"], "act_fn \"gelu\""),
            ("unet/config.json", ["flip_sin_to_cos": false], "flip_sin_to_cos false"),
            ("unet/config.json", ["freq_shift": 1], "freq_shift 1"),
            ("unet/config.json", ["downsample_padding": 0], "downsample_padding 0"),
            ("unet/config.json", ["mid_block_scale_factor": 2], "mid_block_scale_factor 2"),
            ("unet/config.json", ["attention_type": "gated"], "attention_type \"gated\""),
            ("unet/config.json", ["in_channels": 9], "in_channels is 9"),
            ("vae/config.json", ["_class_name": "AutoencoderTiny"], "_class_name \"AutoencoderTiny\""),
            ("vae/config.json", ["latents_mean": [0.1, 0.1, 0.1, 0.1]], "latents_mean"),
            ("scheduler/scheduler_config.json", ["_class_name": "LCMScheduler"], "LCMScheduler is not built"),
            ("scheduler/scheduler_config.json", ["beta_schedule": "squaredcos_cap_v2"], "beta_schedule"),
            ("scheduler/scheduler_config.json", ["prediction_type": "sample"], "prediction_type"),
        ] as [(String, [String: JSONValue], String)])
    func whatASettingAsksForAndIsNotBuiltIsRefused(
        file: String, members: [String: JSONValue], said: String
    ) throws {
        let path = try copy("sdxl")
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(singleFile)")
        try change("\(path)/\(file)", members)
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains(said), "\(problems)")
    }

    @Test func anotherNormOfSD3IsRefused() throws {
        let path = try copy("sd3-medium")
        try change("\(path)/transformer/config.json", ["qk_norm": "layer_norm"])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("qk_norm"), "\(problems)")
    }

    @Test func anotherActivationOfChameleonIsRefused() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try change("\(path)/config.json", ["hidden_act": "gelu"])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("hidden_act \"gelu\""), "\(problems)")
    }

    /// As many levels as a half has would be built: pictures of another size came of it, or none.
    @Test(arguments: [
        ("infinity-2b", "infinity_vae_d32reg.pth", "decoder."),
        ("infinity-2b", "infinity_vae_d32reg.pth", "encoder.down.4."),
        ("llamagen-t2i-xl", "vq_ds16_t2i.pt", "decoder."),
    ])
    func anAutoencoderOfHalvesThatAreNoPairIsRefused(release: String, file: String, lacking: String) throws {
        let path = try copy(release)
        let whole = "\(path)/\(file)"
        let part = ((whole as NSString).deletingPathExtension) + ".safetensors"
        try CheckpointConversion(Checkpoint.open(whole), precision: .stored) { !$0.hasPrefix(lacking) }.write(part)
        try FileManager.default.removeItem(atPath: whole)
        let problems = try found(path).problems
        #expect(
            problems.count == 1 && problems[0].hasPrefix("\(part): has ") && problems[0].contains("of a decoder"),
            "\(problems)")
    }

    /// Of a model that lacks a layer noise is drawn.
    @Test func layersThatTheSettingsCountDifferentlyAreRefused() throws {
        let lumina = try copy("lumina-mgpt-7b-768")
        try change("\(lumina)/config.json", ["num_hidden_layers": 3])
        let problems = try found(lumina).problems
        #expect(problems.count == 1 && problems[0].contains("beside it says 3 (num_hidden_layers)"), "\(problems)")
        let sd3 = try copy("sd3-medium")
        try change("\(sd3)/text_encoder/config.json", ["num_hidden_layers": 1])
        try change("\(sd3)/text_encoder_3/config.json", ["num_layers": 1])
        let said = try found(sd3).problems
        #expect(said.count == 2 && said.allSatisfy { $0.contains("config.json beside it says 1 (num_") }, "\(said)")
    }

    /// Its ids are others, so that no prompt was read.
    @Test func anotherModelsWordsBesideLuminaAreRefused() throws {
        let path = try copy("lumina-mgpt-7b-768")
        let words = path + "/tokenizer.json"
        let t5 = "\(releases!)/infinity-2b/flan-t5-xl/tokenizer.json"
        for (text, said) in [
            (try String(contentsOfFile: t5, encoding: .utf8), "is T5's text tokenizer"),
            (#"{"model": {"type": "BPE", "#, "is not JSON"),
            ("version https://git-lfs.github.com/spec/v1\nsize 9\n", "it is a git-lfs pointer"),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: words))
            let problems = try found(path).problems
            #expect(
                problems.count == 1 && problems[0].hasPrefix("\(words): ") && problems[0].contains(said),
                "\(problems)")
        }
    }

    /// A pointer to a file, or the wrong folder's, in the place of a pipeline's.
    @Test func filesOfAPipelineAreToldForWhatTheyAre() throws {
        let pointer = Data("version https://git-lfs.github.com/spec/v1\nsize 9\n".utf8)
        for file in ["scheduler/scheduler_config.json", "model_index.json"] {
            let path = try copy("sdxl")
            try pointer.write(to: URL(fileURLWithPath: "\(path)/\(file)"))
            let problems = try found(path).problems
            #expect(
                problems.count == 1 && problems[0].hasPrefix("\(path)/\(file): it is a git-lfs pointer"), "\(problems)")
            try FileManager.default.removeItem(atPath: path)
        }
        let sd3 = try copy("sd3-medium")
        try FileManager.default.removeItem(atPath: "\(sd3)/tokenizer_3")
        try FileManager.default.copyItem(atPath: "\(sd3)/tokenizer", toPath: "\(sd3)/tokenizer_3")
        let problems = try found(sd3).problems
        #expect(problems.count == 1 && problems[0].contains("tokenizer_3: has no spiece.model"), "\(problems)")
    }

    @Test func anotherSolverIsWarnedOf() throws {
        let path = try copy("sdxl")
        try change(
            "\(path)/scheduler/scheduler_config.json",
            ["_class_name": "DPMSolverMultistepScheduler", "use_beta_sigmas": true])
        let warnings = try #require(try found(path).release).warnings
        #expect(warnings.count == 2 && warnings[0].contains("DPMSolver") && warnings[1].contains("use_beta_sigmas"))
    }

    /// Shapes are alike of SDXL's autoencoder and Stable Diffusion 1's, of SD3's and FLUX.1's.
    @Test(
        arguments: [
            ("sdxl", ["scaling_factor": .null], ["scaling_factor is 0.18215, the released models' 0.13025"]),
            (
                "sd3-medium", ["scaling_factor": 0.3611, "shift_factor": 0.1159],
                ["scaling_factor is 0.3611", "shift_factor is 0.1159, the released models' 0.0609"]
            ),
            ("flux1-dev", [:], []),
        ] as [(String, [String: JSONValue], [String])])
    func anAutoencoderOfAnotherScaleIsWarnedOf(
        release: String, members: [String: JSONValue], said: [String]
    ) throws {
        let path = try copy(release)
        try change("\(path)/vae/config.json", members)
        let warnings = try #require(try found(path).release).warnings.filter { $0.hasPrefix("vae/config.json: ") }
        #expect(warnings.count == said.count, "\(warnings)")
        for (warning, words) in zip(warnings, said) { #expect(warning.contains(words)) }
    }

    @Test(
        arguments: [
            ("sdxl", ["final_sigmas_type": "sigma_min"], "final_sigmas_type sigma_min"),
            ("flux1-dev", ["use_karras_sigmas": true], "use_karras_sigmas"),
            ("sd3-medium", ["stochastic_sampling": true], "stochastic_sampling"),
        ] as [(String, [String: JSONValue], String)])
    func stepsThatWouldEndOrLieOtherwiseAreWarnedOf(
        release: String, members: [String: JSONValue], said: String
    ) throws {
        let path = try copy(release)
        // As newer files write out what is usual.
        let usual: [String: JSONValue] = ["final_sigmas_type": "zero", "shift_terminal": .null, "invert_sigmas": false]
        try change("\(path)/scheduler/scheduler_config.json", usual.merging(members) { $1 })
        let warnings = try #require(try found(path).release).warnings
        #expect(warnings.count { $0.hasPrefix("scheduler: \(said) is not built") } == 1, "\(warnings)")
    }

    @Test(
        arguments: [
            ["shift_terminal": 0.1], ["invert_sigmas": true],
            ["use_dynamic_shifting": true, "time_shift_type": "linear"],
        ] as [[String: JSONValue]])
    func aShiftThatIsNotBuiltIsRefused(members: [String: JSONValue]) throws {
        let path = try copy("sd3-medium")
        try change("\(path)/scheduler/scheduler_config.json", members)
        let problems = try found(path).problems
        #expect(problems.contains { $0.hasPrefix("scheduler/scheduler_config.json: ") }, "\(problems)")
    }

    /// Its authors draw with four steps and no guidance, at 512 pixels.
    @Test func aTurboOfSDXLIsDrawnAsItWasDistilled() throws {
        let name = "sd_xl_turbo_1.0.safetensors"
        try FileManager.default.copyItem(
            atPath: "\(releases!)/sdxl/sd_xl_base_1.0.safetensors", toPath: "\(folder.path)/\(name)")
        let words = try copy("sdxl/tokenizer")
        let found = try #require(try found("\(folder.path)/\(name)", words).release)
        #expect(found.title == "Stable Diffusion XL turbo")
        let settings = found.configuration
        #expect(settings["guidance"] == .number(1) && settings["steps"] == 4, "\(settings)")
        let schedule = found.texts["scheduler/scheduler_config.json"]
        #expect(schedule?["timestep_spacing"] == "trailing", "\(found.texts.keys)")
    }

    /// transformers 5 has the base in an object of its own.
    @Test func rotarySettingsAreReadWhereverTheyStand() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try change("\(path)/config.json", ["rope_theta": .null, "rope_parameters": ["rope_theta": 500_000]])
        let transformer = try #require(try found(path).release).configuration["transformer"]
        #expect(transformer?["rotaryBase"]?.double == 500_000, "\(transformer ?? .null)")
        try change("\(path)/config.json", ["rope_parameters": .null, "rope_scaling": ["type": "linear", "factor": 2]])
        let scaled = try #require(try found(path).release).configuration["transformer"]
        #expect(scaled?["rotaryFactor"]?.double == 2, "\(scaled ?? .null)")
        try change("\(path)/config.json", ["rope_parameters": ["rope_type": "dynamic", "factor": 2]])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("rope_type"), "\(problems)")
    }

    /// Older versions say its kind beside the base.
    @Test func theUsualRotaryEmbeddingIsKnownUnderItsOlderName() throws {
        let path = try copy("lumina-mgpt-7b-768")
        for scaling in [["rope_type": "default"], ["type": "default"]] as [JSONValue] {
            try change("\(path)/config.json", ["rope_scaling": scaling])
            #expect(try found(path).problems == [])
        }
        try change("\(path)/config.json", ["rope_scaling": ["type": "dynamic", "factor": 2]])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("rope_type dynamic"), "\(problems)")
    }

    /// Pictures of as many codes take more places where they have more rows, each of which has an end.
    @Test func positionsThatEndBeforeAPictureAreRefused() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try change("\(path)/config.json", ["max_position_embeddings": 2358])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("takes 2359 with the shortest prompt"), "\(problems)")
        try change("\(path)/config.json", ["max_position_embeddings": 2359])
        let sizes = try #require(try found(path).release).configuration["sizes"]?.array ?? []
        let (square, wide, tall): (JSONValue, JSONValue, JSONValue) = ([768, 768], [1024, 576], [576, 1024])
        #expect(sizes.first == square && sizes.contains(wide) && !sizes.contains(tall), "\(sizes)")
    }

    private func remove(_ files: String..., in folder: String) throws {
        for file in files { try FileManager.default.removeItem(atPath: "\(folder)/\(file)") }
    }

    @Test func whatIsMissingBesideShardsIsSaidBeforeTheyAreThere() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try remove("model-00002-of-00002.safetensors", "config.json", "tokenizer/vqgan.ckpt", in: path)
        let problems = try found(path).problems
        #expect(problems.count == 3, "\(problems)")
        for missing in ["no config.json", "vqgan.ckpt", "model-00002-of-00002.safetensors: No such file"] {
            #expect(problems.contains { $0.contains(missing) }, "\(missing): \(problems)")
        }
        let text = try copy("infinity-2b") + "/flan-t5-xl"
        try remove("model-00001-of-00002.safetensors", "spiece.model", "tokenizer.json", in: text)
        let others = try found((text as NSString).deletingLastPathComponent).problems
        #expect(others.count == 3 && others.contains { $0.contains("neither tokenizer.json") }, "\(others)")
        #expect(!others.contains { $0.contains("is not here") }, "\(others)")
    }

    @Test func anIndexThatIsMissingIsNamed() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try remove("model.safetensors.index.json", in: path)
        #expect(try found(path).problems.first?.contains("model.safetensors.index.json") == true)
        let pipeline = try copy("flux1-dev")
        try remove("transformer/diffusion_pytorch_model.safetensors.index.json", in: pipeline)
        let problems = try found(pipeline).problems
        #expect(
            problems.count == 1 && problems[0].contains("diffusion_pytorch_model.safetensors.index.json"),
            "\(problems)")
    }

    /// As a shell writes out `FOLDER/*`.
    @Test func filesNamedOneByOneAreTheirFolder() throws {
        let path = "\(releases!)/lumina-mgpt-7b-768"
        let files = try FileManager.default.contentsOfDirectory(atPath: path).map { "\(path)/\($0)" }
        let scan = ReleaseScan(files)
        #expect(try scan.recognized().family == .chameleon)
        #expect(scan.pieces(.chameleonTransformer).count == 1 && scan.problems == [])
    }

    @Test func aPipelineThatLacksAPartSaysThatAlone() throws {
        let path = try copy("sd3-medium")
        try remove("vae", in: path)
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("/vae: is not here"), "\(problems)")
        let other = try copy("flux1-dev")
        try remove("model_index.json", in: other)
        let unnamed = try found(other).problems
        #expect(unnamed.count == 1 && unnamed[0].contains("no model_index.json"), "\(unnamed)")
    }

    @Test func aFolderOfAnotherProgramsWeightsIsToldForWhatItIs() throws {
        try (Data("GGUF".utf8) + Data(count: 40)).write(to: URL(fileURLWithPath: folder.path + "/model.gguf"))
        let problems = try found(folder.path).problems
        #expect(problems.count == 1 && problems[0].contains("model.gguf: it is a GGUF file"), "\(problems)")
    }

    @Test func aTextTokenizerInAFolderOfItsOwnIsTaken() throws {
        let path = try copy("llamagen-t2i-xl")
        let words = folder.path + "/words"
        try FileManager.default.createDirectory(atPath: words, withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: path + "/t5-ckpt/flan-t5-xl/spiece.model", toPath: words + "/spiece.model")
        #expect(try found(path, words).release?.files["spiece.model"] == words + "/spiece.model")
    }

    /// The authors' code reads one for all its models, and some of their folders have none.
    @Test func luminasTextTokenizerMayLieElsewhere() throws {
        let path = try copy("lumina-mgpt-7b-768")
        let words = folder.path + "/words"
        try FileManager.default.createDirectory(atPath: words, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: path + "/tokenizer.json", toPath: words + "/tokenizer.json")
        let metas = path + "/tokenizer/text_tokenizer.json"
        #expect(try found(path).release?.files["tokenizer.json"] == metas)
        for given in [words, words + "/tokenizer.json"] {
            #expect(try found(path, given).release?.files["tokenizer.json"] == words + "/tokenizer.json")
        }
        try FileManager.default.removeItem(atPath: metas)
        let problems = try found(path, "\(releases!)/infinity-2b/flan-t5-xl").problems
        #expect(problems.count == 1 && problems[0].contains("has no tokenizer.json"), "T5's is another: \(problems)")
    }

    /// What it was trained from lay elsewhere, and so may its own folder.
    @Test(arguments: [
        ("Lumina-mGPT-7B-1024", "/mnt/output/7B-768/epoch1", 1024), ("256/model", "/1024/7B-512/epoch1", 512),
        ("models--Alpha-VLLM--Lumina-mGPT-7B-512/snapshots/0a1b", "/data/7B-768", 512), ("1024/model", "", 768),
    ])
    func theSideOfLuminaStandsInItsOwnName(name: String, trainedFrom: String, side: Int) throws {
        let path = "\(folder.path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(releases!)/lumina-mgpt-7b-768", toPath: path)
        try change("\(path)/config.json", ["_name_or_path": .string(trainedFrom)])
        #expect(try found(path).release?.configuration["pictureSize"] == .integer(side))
    }

    @Test func tokensThatOlderFoldersListGoWithTheModel() throws {
        let path = try copy("sdxl")
        let list = path + "/tokenizer/added_tokens.json"
        try Data(#"{"<sks>":7}"#.utf8).write(to: URL(fileURLWithPath: list))
        #expect(try found(path).release?.files["tokenizer/added_tokens.json"] == list)
    }

    @Test(arguments: ["SCB", "weight._data"])
    func weightsWithScalesBesideThemAreRefused(mark: String) throws {
        let path = try copy("sd3-medium")
        let encoder = "\(path)/text_encoder_3"
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: encoder).first { $0.hasSuffix(".safetensors") })
        try change(
            tensors: "\(encoder)/\(file)", adding: ["encoder.block.0.layer.0.SelfAttention.q.\(mark)"])
        let problems = try found(path).problems
        #expect(problems.contains { $0.contains("SelfAttention.q.\(mark)") && $0.contains("scales") }, "\(problems)")
    }

    @Test func aTensorOfAnotherShapeIsNamed() throws {
        let encoder = try copy("sd3-medium") + "/text_encoder_3"
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: encoder).first { $0.hasSuffix(".safetensors") })
        try change(tensors: "\(encoder)/\(file)", flattening: "shared.weight")
        #expect(try found(encoder, "\(releases!)/llamagen-t2i-xl").problems.contains { $0.contains("shared.weight") })
    }

    @Test func theSecondDINOIsNotTakenForTheFirst() throws {
        let path = try copy("dino-vits16/dino-vits16")
        try change(tensors: path + "/model.safetensors", adding: ["encoder.layer.0.layer_scale1.lambda1"])
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].contains("DINOv2"), "\(problems)")
    }

    @Test func anAutoencoderBesideAFileThatHasOneIsMeant() throws {
        let file = try copy(singleFile)
        let own = folder.path + "/sdxl_vae.safetensors"
        try extract("first_stage_model.", of: file, to: own)
        let tokenizers = ["tokenizer", "tokenizer_2"].map { "\(releases!)/sdxl/\($0)" }
        for paths in [[file, own], [own, file]] {
            let both = try ReleaseScan(paths + tokenizers).recognized()
            #expect(both.parts.first { $0.stem == "vae" }?.piece.path == own)
            #expect(both.parts.first { $0.stem == "unet" }?.piece.path == file)
        }
    }

    /// transformers' Trainer and accelerate keep their own state beside the weights.
    @Test func whatTrainingLeftBesideTheWeightsIsPassedOver() throws {
        let path = try copy("clip-vit-base-patch32/safetensors")
        for name in ["optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state_0.pth", "training_args.bin"] {
            try Data([0x80, 2, 0x7D, 0x2E]).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
        let models = try TemporaryFolder()
        let model = try ModelInstallation(directory: models.path).add(path, name: "clip")
        #expect(model.verify() == [])
        #expect(!FileManager.default.fileExists(atPath: model.folder + "/optimizer.pt"))
        #expect(try found(path).release?.warnings == [])
    }

    /// A network of few steps under diffusers' names, beside the model whose network it was to replace; and an
    /// autoencoder that was not fetched.
    @Test func whatIsGivenAndNotUsedIsWarnedOf() throws {
        let path = try copy("sdxl")
        let network = "\(folder.path)/sdxl_lightning_4step_unet.safetensors"
        try FileManager.default.copyItem(
            atPath: "\(path)/unet/diffusion_pytorch_model.safetensors", toPath: network)
        let pointer = "\(folder.path)/sdxl_vae.safetensors"
        try Data("version https://git-lfs.github.com/spec/v1\nsize 9\n".utf8).write(
            to: URL(fileURLWithPath: pointer))
        let warnings = try #require(try found(path, network, pointer).release).warnings
        #expect(warnings.count == 2, "\(warnings)")
        #expect(warnings.contains { $0.hasPrefix("\(network): is not used") }, "\(warnings)")
        #expect(warnings.contains { $0.hasPrefix("\(pointer): ") && $0.contains("without it") }, "\(warnings)")
    }

    @Test func aPipeAmongTheFilesIsRefused() throws {
        let path = try copy("dino-vits16/dino-vits16")
        try #require(mkfifo(path + "/tokenizer.json", 0o600) == 0)
        #expect(!ModelInstallation.isModel(path))
        let problems = try found(path).problems
        #expect(problems.count == 1 && problems[0].hasPrefix("\(path)/tokenizer.json: it is neither"), "\(problems)")
    }

    @Test func settingsThatAreNoJSONAreSaidToBeSo() throws {
        let path = try copy("dino-vits16/dino-vits16")
        for (text, words) in [
            ("{", "is not JSON: fetch it anew"), ("<html>", "it is a web page"),
            ("version https://git-lfs.github.com/spec/v1\nsize 9\n", "it is a git-lfs pointer"),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/config.json"))
            let problems = try found(path).problems
            #expect(problems.count == 1 && problems[0].hasPrefix("\(path)/config.json: \(words)"), "\(problems)")
        }
    }

    /// Settings, tokenizers and schedule of a pipeline lie in folders.
    @Test func aModelOfOursIsCopiedWhole() throws {
        let models = try TemporaryFolder()
        let installation = ModelInstallation(directory: models.path)
        for links in [true, false] {
            let added = try installation.add(release: ["\(releases!)/sdxl"], name: "first-\(links)", links: links)
            let copy = try installation.add(added.model.folder, name: "second-\(links)")
            #expect(copy.verify() == [])
            for file in ["unet/config.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json"] {
                let read = [added.model.folder, copy.folder].map {
                    FileManager.default.contents(atPath: "\($0)/\(file)")
                }
                #expect(read[0] != nil && read[0] == read[1], "\(file)")
            }
        }
        let whole = "\(models.path)/second-false"
        try FileManager.default.removeItem(atPath: whole + "/unet/config.json")
        #expect(throws: ModelInstallation.Refusal.self) { try installation.add(whole, name: "third") }
    }

    /// `peizesun/llamagen_t2i` has both stages, and a name's place in the alphabet says nothing.
    @Test func ofSeveralModelsNoneIsTaken() throws {
        let path = try copy("llamagen-t2i-xl")
        let stages = ["t2i_XL_stage1_256.pt", "t2i_XL_stage2_512.pt"].map { "\(path)/\($0)" }
        try FileManager.default.copyItem(atPath: stages[0], toPath: stages[1])
        let problems = try found(path).problems
        #expect(problems.count == 1 && stages.allSatisfy { problems[0].contains($0) }, "\(problems)")
        let own = try found(stages[1], "\(path)/vq_ds16_t2i.pt", "\(path)/t5-ckpt").release
        #expect(own?.configuration["pictureSize"] == .integer(512), "\(own?.configuration ?? .null)")
        #expect(try found("\(releases!)/sdxl", "\(releases!)/sd3-medium").problems.count == 1)
        #expect(try found("\(releases!)/sdxl", "\(releases!)/sdxl/").release != nil)
    }

    /// LlamaGen's page has both kinds of model in one folder, and nothing but their names tells the tokenizers apart.
    @Test func theTokenizerOfTheClassConditionalModelsIsNotTakenUnsaid() throws {
        let path = try copy("llamagen-t2i-xl")
        let (own, other) = ("\(path)/vq_ds16_t2i.pt", "\(path)/vq_ds16_c2i.pt")
        try FileManager.default.copyItem(atPath: own, toPath: other)
        let both = try found(path).release
        #expect(both?.parts.first { $0.stem == "tokenizer" }?.piece.name == "vq_ds16_t2i.pt")
        #expect(both?.warnings.contains { $0.contains("trained with") } == false)
        try FileManager.default.removeItem(atPath: own)
        let alone = try found(path).release
        #expect(alone?.warnings.contains { $0.contains("trained with vq_ds16_t2i.pt") } == true)
    }

    /// Named one by one (`FOLDER/*`), the files of a repository that has its weights in two containers.
    @Test func ofOneCheckpointInTwoFormsTheFirstIsTaken() throws {
        let path = try copy("clip-vit-base-patch32/safetensors")
        let (file, other) = ("\(path)/model.safetensors", "\(path)/pytorch_model.bin")
        let others = "\(releases!)/clip-vit-base-patch32/bin"
        try FileManager.default.copyItem(atPath: "\(others)/pytorch_model.bin", toPath: other)
        #expect(try found(file, other).release?.parts[0].piece.path == file)
        #expect(try found(path, others).problems.count == 1)
    }

    /// As the whole of such a repository is downloaded: copied as it is, a model would hold its weights twice.
    @Test func aFolderWithWeightsInTwoContainersIsARelease() throws {
        let path = try copy("clip-vit-base-patch32/safetensors")
        #expect(ModelInstallation.isModel(path))
        try FileManager.default.copyItem(
            atPath: "\(releases!)/clip-vit-base-patch32/bin/pytorch_model.bin", toPath: "\(path)/pytorch_model.bin")
        #expect(!ModelInstallation.isModel(path))
        let added = try ModelInstallation(directory: folder.path).add(release: [path], name: "clip-b32").model
        #expect(added.weights.map(\.name) == ["model.safetensors"])
    }

    /// What a training left within the folder of its last state.
    @Test func earlierStatesOfATrainingArePassedOver() throws {
        let path = try copy("lumina-mgpt-7b-768")
        try FileManager.default.copyItem(
            atPath: "\(releases!)/lumina-mgpt-7b-768", toPath: "\(path)/checkpoint-500")
        #expect(try found(path).release?.parts[0].piece.path == path)
    }

    @Test func ofAFolderInACacheTheStateThatWasFetchedLastIsRead() throws {
        let cache = "\(folder.path)/models--sdxl"
        for place in ["refs", "snapshots/0a1b"] {
            try FileManager.default.createDirectory(atPath: "\(cache)/\(place)", withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(
            atPath: "\(releases!)/sdxl/model_index.json", toPath: "\(cache)/snapshots/0a1b/model_index.json")
        try FileManager.default.copyItem(atPath: "\(releases!)/sdxl", toPath: "\(cache)/snapshots/2c3d")
        #expect(try found(cache).problems.count == 1)
        try Data("2c3d".utf8).write(to: URL(fileURLWithPath: "\(cache)/refs/main"))
        #expect(try found(cache).release?.family == .diffusion)
    }

    @Test func stableDiffusionOneIsToldForWhatItIs() throws {
        let path = try copy("sdxl")
        try change("\(path)/model_index.json", ["text_encoder_2": .null, "tokenizer_2": .null])
        let pipeline = try found(path).problems
        #expect(pipeline.count == 1 && pipeline[0].contains("names no text_encoder_2"), "\(pipeline)")
        let names = [
            "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
            "first_stage_model.encoder.conv_in.weight", "first_stage_model.decoder.mid.attn_1.q.weight",
        ]
        let single = try found(file(of: names)).problems
        #expect(single.count == 1 && single[0].contains("it is Stable Diffusion 1 or 2"), "\(single)")
    }

    @Test(arguments: [
        ("conditioner.embedders.0.model.ln_final.weight", "input_blocks.0.0.weight", "Stable Diffusion XL's refiner"),
        ("distilled_guidance_layer.in_proj.weight", "double_blocks.0.img_attn.qkv.weight", "Chroma"),
        ("double_stream_modulation_img.lin.weight", "double_blocks.0.img_attn.qkv.weight", "FLUX.2"),
    ])
    func relativesOfWhatIsBuiltAreToldForWhatTheyAre(mark: String, name: String, said: String) throws {
        let problems = try found(file(of: [mark, name, "label_emb.0.0.weight"])).problems
        #expect(problems.count == 1 && problems[0].contains("it is \(said), which is not built"), "\(problems)")
    }
}
