import Backbones
import Checkpoints
import ComputeTesting
import Foundation
import Jobs
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Personalization

/// A network that attends where Stable Diffusion XL's does.
private func sdxl(blocksPerLevel: Int) -> NetworkForm {
    .unet(.init(blocksPerLevel: blocksPerLevel, attendsDown: [false, true, true], attendsUp: [true, true, false]))
}

/// One update in every form, and what cannot be read.
@Suite(.computing) struct AdapterFormTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func weights() -> Weights {
        let weights = Weights(.fresh(seed: 5))
        _ = LinearLayer(weights, "blocks.0.attn_in.to_q", from: 6, to: 4, bias: false)
        _ = LinearLayer(weights, "blocks.1.to_out", from: 4, to: 6, bias: false)
        return weights
    }

    private func adapter(by method: PersonalizationMethod = .lora) throws -> (LoRAAdapter, path: String) {
        let weights = weights()
        let lora = try LoRAAdapter(
            for: weights, options: .init(rank: 2, alpha: 6, targets: ["to_q", "to_out"]), seed: 1)
        for (index, parameter) in lora.parameters.enumerated() {
            for i in 0..<parameter.value.count { parameter.value.pointer[i] = Float((i * 7 + index) % 5) / 8 - 0.25 }
        }
        let description = Adapter.Description(
            method: method, model: "m", modelDigest: "", concept: "rex", role: .subject, className: "dog", seed: 0,
            iterations: 0, options: "")
        let path = folder + "/rex.safetensors"
        try Adapter(lora, description: description).write(path)
        return (lora, path)
    }

    /// LoRAs of former versions say no word, nor do imported ones without a trigger: they go by the usual one.
    @Test(
        arguments: [
            (nil, nil, true), (nil, "<unk>", true), ("sks", nil, true), ("ohwx", "ohwx", true), ("ohwx", nil, false),
            ("sks", "ohwx", false),
        ] as [(String?, String?, Bool)])
    func whoSaysNoWordHasTheUsualOne(one: String?, two: String?, isShared: Bool) throws {
        let lora = try LoRAAdapter(for: weights(), options: .init(rank: 2, alpha: 6, targets: ["to_q"]), seed: 1)
        func adapter(_ name: String, _ word: String?) throws -> Adapter {
            let description = Adapter.Description(
                method: .lora, model: "m", modelDigest: "", concept: name, role: .subject, className: "dog", seed: 0,
                iterations: 0, options: "")
            return try Adapter(lora, description: description, word: word)
        }
        let (rex, mia) = (try adapter("rex", one), try adapter("mia", two))
        #expect(try rex.sharesWord("rex", with: mia, "mia") == isShared)
        #expect(try mia.sharesWord("mia", with: rex, "rex@2") == isShared)
    }

    /// What stands for no text, no prompt can say.
    @Test(
        arguments: [
            ("ohwx", "in other programs prompts say ohwx for rex"), ("<unk>", nil), ("<pad>", nil), (nil, nil),
        ] as [(String?, String?)])
    func whatAConceptGoesByElsewhereIsSaid(word: String?, said: String?) throws {
        let lora = try LoRAAdapter(for: weights(), options: .init(rank: 2, alpha: 6, targets: ["to_q"]), seed: 1)
        let description = Adapter.Description(
            method: .lora, model: "m", modelDigest: "", concept: "rex", role: .subject, className: "dog", seed: 0,
            iterations: 0, options: "")
        let path = folder + "/worded.safetensors"
        try Adapter(lora, description: description, word: word).write(path)
        #expect(AdapterFormat.wording(of: try AdapterReader(path).read().words) == said)
    }

    /// What a student learns of proxies is low-rank too.
    @Test(arguments: AdapterFormat.allCases, [PersonalizationMethod.lora, .proxyTuning])
    func theSameUpdateIsInEveryForm(format: AdapterFormat, method: PersonalizationMethod) throws {
        let (lora, path) = try adapter(by: method)
        let direct = weights()
        try lora.merge(into: direct)
        let read = try AdapterReader(path).read().changes
        let out = folder + "/" + (format == .peft ? "peft" : "\(format.rawValue).safetensors")
        try AdapterWriter(read).write(format, to: out)
        let other = weights()
        let changes = try AdapterChanges(path: out, for: AdapterTargets(other))
        #expect(changes.format == format)
        changes.merge()
        for (a, b) in zip(direct.parameters, other.parameters) {
            #expect(zip(a.value.values, b.value.values).allSatisfy { abs($0 - $1) < 1e-3 }, "\(a.name)")
            #expect(a.value.values != weights().byName[a.name]!.value.values)
        }
    }

    @Test func theAdaptersInAFolderAreFound() throws {
        let (network, encoder) = (folder + "/adapter_config.json", folder + "/text_encoder/adapter_model.safetensors")
        #expect(AdapterWriter.adapterFiles(in: folder) == [])
        try FileManager.default.createDirectory(
            atPath: folder + "/text_encoder", withIntermediateDirectories: true)
        for file in [network, encoder] { try Data().write(to: URL(fileURLWithPath: file)) }
        #expect(AdapterWriter.adapterFiles(in: folder) == [network, encoder])
    }

    /// In a safetensors header, where one phrase has a place.
    @Test(arguments: AdapterFormat.allCases) func theWordOfOneConceptGoesAlong(format: AdapterFormat) throws {
        let changes = try AdapterReader(try adapter().path).read().changes
        let out = folder + "/" + (format == .peft ? "peft" : "\(format.rawValue).safetensors")
        func words(_ words: [(concept: String, word: String)]) throws -> [String] {
            try AdapterWriter(changes, words: words).write(format, to: out)
            return try AdapterReader(out).read().words.map { $0.word }
        }
        #expect(try words([(concept: "rex", word: "sks dog")]) == ["sks dog"])
        #expect(try words([(concept: "rex", word: "<unk>")]) == [])
        #expect(try words([(concept: "rex", word: "ohwx"), (concept: "mia", word: "sks")]) == [])
        #expect(try words([]) == [])
    }

    /// No other form can say which tokens a change acts on.
    @Test(arguments: [(ActingTokens.all, nil), (.prompt, "prompt")] as [(ActingTokens, String?)])
    func ourOwnFileSaysWhatItActsOn(tokens: ActingTokens, said: String?) throws {
        let lora = try LoRAAdapter(
            for: weights(), options: .init(rank: 2, alpha: 6, targets: ["to_q"], actsOn: tokens), seed: 1)
        let description = Adapter.Description(
            method: .lora, model: "m", modelDigest: "", concept: "rex", role: .subject, className: "dog", seed: 0,
            iterations: 0, options: "")
        let path = folder + "/acting.safetensors"
        for word in [nil, "<unk>"] {
            try Adapter(lora, description: description, word: word).write(path)
            #expect(try AdapterReader(path).read().actsOn == said && Adapter(path: path).actsOnWords == (said != nil))
        }
    }

    /// Holds a file of these tensors to what the adapter itself does to a model.
    private func expectTheSame(
        _ tensors: [String: Tensor], as lora: LoRAAdapter, in file: String = "other.safetensors",
        metadata: [String: String] = [:]
    ) throws {
        let (direct, other) = (weights(), weights())
        try lora.merge(into: direct)
        let out = "\(folder)/\(file)"
        try Safetensors.write(tensors, to: out, metadata: metadata)
        try AdapterChanges(path: out, for: AdapterTargets(other)).merge()
        for (a, b) in zip(direct.parameters, other.parameters) {
            #expect(zip(a.value.values, b.value.values).allSatisfy { abs($0 - $1) < 1e-5 }, "\(a.name)")
        }
    }

    /// diffusers' `save_lora_adapter` says nowhere of which network the file is; nor does what PEFT takes from within
    /// one.
    @Test(arguments: [("pytorch_lora_weights.safetensors", true), ("adapter_model.safetensors", false)])
    func theSettingsOfANetworkAloneCount(file: String, inHeader: Bool) throws {
        let (lora, _) = try adapter()
        let tensors = Dictionary(uniqueKeysWithValues: lora.parameters.map { ($0.name, $0.value) })
        let settings = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "target_modules": ["to_q", "to_out"]}"#
        if !inHeader { try Data(settings.utf8).write(to: URL(fileURLWithPath: folder + "/adapter_config.json")) }
        try expectTheSame(
            tensors, as: lora, in: file, metadata: inHeader ? ["lora_adapter_metadata": settings] : [:])
    }

    /// PEFT's own, 8, and not the rank.
    @Test(
        arguments: [
            (#"{"r": 2}"#, 4), (#"{"r": 2, "use_rslora": true}"#, 8 / Float(2).squareRoot()),
        ] as [(String, Float)])
    func settingsWithoutAnAlphaHaveTheUsualOne(settings: String, scale: Float) throws {
        let out = folder + "/adapter_model.safetensors"
        try Safetensors.write(
            ["a.lora_A.weight": Tensor(zeros: [2, 4]), "a.lora_B.weight": Tensor(zeros: [4, 2])], to: out)
        try Data(settings.utf8).write(to: URL(fileURLWithPath: folder + "/adapter_config.json"))
        #expect(try AdapterReader(out).read().changes.values.map(\.scale) == [scale])
    }

    /// Why a network's own low-rank file with this header is refused.
    private func refusal(ofHeader header: String) throws -> String? {
        let out = folder + "/pytorch_lora_weights.safetensors"
        try Safetensors.write(
            ["a.lora_A.weight": Tensor(zeros: [2, 4]), "a.lora_B.weight": Tensor(zeros: [4, 2])], to: out,
            metadata: ["lora_adapter_metadata": header])
        return #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }?.problem
    }

    /// The scale is counted by it: four times as strong, where the tensors have a quarter of the rank.
    @Test func aHeaderOfAnotherRankIsRefused() throws {
        let said = try refusal(ofHeader: #"{"r": 8, "lora_alpha": 8}"#)
        #expect(said == "a has rank 2, its lora_adapter_metadata says 8")
    }

    @Test func whatIsNotBuiltStandsInTheHeaderOfANetworkAlone() throws {
        #expect(try refusal(ofHeader: #"{"bias": "all"}"#) == "biases are not built")
    }

    /// Files of other trainers have diffusers' names with kohya's endings or alphas.
    @Test(arguments: ["lora.down lora.up", "lora_A lora_B", "lora_down lora_up"])
    func alphasBesideDiffusersNamesCount(_ endings: String) throws {
        let (lora, _) = try adapter()
        let names = endings.split(separator: " ")
        var tensors: [String: Tensor] = [:]
        for parameter in lora.parameters {
            let isDown = parameter.name.hasSuffix(".lora_A.weight")
            let module = parameter.name.dropLast(".lora_A.weight".count)
            tensors["\(module).\(names[isDown ? 0 : 1]).weight"] = parameter.value
            tensors["\(module).alpha"] = Tensor([6], shape: [1])
        }
        try expectTheSame(tensors, as: lora)
    }

    /// Of none or several the change would be scaled by chance.
    @Test(arguments: [[0], [2], [4, 1]]) func anAlphaIsOneNumber(_ shape: [Int]) throws {
        let out = folder + "/kohya.safetensors"
        try AdapterWriter(try AdapterReader(try adapter().path).read().changes).write(.kohya, to: out)
        var tensors = try Checkpoint.tensors(out)
        let name = try #require(tensors.keys.sorted().first { $0.hasSuffix(".alpha") })
        tensors[name] = Tensor(zeros: shape)
        try Safetensors.write(tensors, to: out)
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }
        #expect(error?.problem == "\(name) has shape \(shape); an alpha is one number")
    }

    /// PEFT's ways to begin that change the model first, or build another.
    @Test(arguments: [
        "init_lora_weights=pissa_niter_16", "init_lora_weights=olora", "init_lora_weights=lora_ga", "use_qalora=",
        "use_bdlora=", "arrow_config=", "kasa_config=", "lora_bias=", "use_dora=", "target_modules=.*\\.to_k",
        "trainable_token_indices=",
    ])
    func adaptersOfChangedModelsAreRefused(_ setting: String) throws {
        let out = folder + "/peft"
        try AdapterWriter(try AdapterReader(try adapter().path).read().changes).write(.peft, to: out)
        let file = URL(fileURLWithPath: out + "/adapter_config.json")
        var members = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let parts = setting.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        members["init_lora_weights"] = true
        try JSONSerialization.data(withJSONObject: members).write(to: file)
        _ = try AdapterReader(out).read()
        members[parts[0]] = parts[1].isEmpty ? true : parts[1]
        try JSONSerialization.data(withJSONObject: members).write(to: file)
        #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }
    }

    /// As Python writes them; what is none would be passed over, and the change scaled by something else.
    @Test func expressionsOfSettingsAreReadOrRefused() throws {
        let out = folder + "/peft"
        try AdapterWriter(try AdapterReader(try adapter().path).read().changes).write(.peft, to: out)
        let file = URL(fileURLWithPath: out + "/adapter_config.json")
        let members = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        func scales(_ further: [String: Any]) throws -> Set<Float> {
            try JSONSerialization.data(withJSONObject: members.merging(further) { $1 }).write(to: file)
            return Set(try AdapterReader(out).read().changes.values.map(\.scale))
        }
        let named = "(?P<part>to_q|to_out)"
        #expect(try scales(["target_modules": ".*" + named, "alpha_pattern": [named: 8]]) == [4])
        let error = #expect(throws: CheckpointError.self) { try scales(["alpha_pattern": ["to_(q": 8]]) }
        #expect(error?.problem == "alpha_pattern: to_(q is no expression")
    }

    @Test func anEmptySettingAsksForNothing() throws {
        let out = folder + "/peft"
        try AdapterWriter(try AdapterReader(try adapter().path).read().changes).write(.peft, to: out)
        let file = URL(fileURLWithPath: out + "/adapter_config.json")
        var members = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        members["trainable_token_indices"] = [String: Any]()
        members["layer_replication"] = [Any]()
        members["arrow_config"] = NSNull()
        members["use_qalora"] = false
        try JSONSerialization.data(withJSONObject: members).write(to: file)
        #expect(throws: Never.self) { try AdapterReader(out).read() }
    }

    /// ComfyUI's prefixes, LyCORIS' and OneTrainer's, and the adapter's own name in a training's state.
    @Test(arguments: [
        "diffusion_model.* .lora_A.weight .lora_B.weight", "model.diffusion_model.* .lora_down.weight .lora_up.weight",
        "lycoris_* .lora_down.weight .lora_up.weight", "lora_transformer_* .lora_down.weight .lora_up.weight",
        "transformer.* .lora_A.default.weight .lora_B.default.weight",
    ])
    func otherProgramsNamesMeanTheSame(_ form: String) throws {
        let (lora, _) = try adapter()
        let parts = form.split(separator: " ").map(String.init)
        var tensors: [String: Tensor] = [:]
        for parameter in lora.parameters {
            let isDown = parameter.name.hasSuffix(".lora_A.weight")
            let module = String(parameter.name.dropLast(".lora_A.weight".count))
            let name = parts[0].hasPrefix("l") ? module.replacing(".", with: "_") : module
            tensors[parts[0].replacing("*", with: name) + parts[isDown ? 1 : 2]] = parameter.value
            tensors[parts[0].replacing("*", with: name) + ".alpha"] = Tensor([6], shape: [1])
        }
        try expectTheSame(tensors, as: lora)
    }

    @Test(arguments: [
        ("unet.a.attn1.to_out_lora", "unet: a.attn1.to_out.0"), ("a.attn1.processor.to_q_lora", "a.attn1.to_q"),
        ("text_encoder.a.self_attn.to_out_lora", "text_encoder: a.self_attn.out_proj"),
        ("text_encoders.clip_g.transformer.a.fc1.lora", "text_encoder_2: a.fc1"),
        ("text_encoders.t5xxl.transformer.a.q.lora", "text_encoder_3: a.q"),
        ("clip_l.a.fc1.lora", "text_encoder: a.fc1"), ("clip_g.a.fc1.lora", "text_encoder_2: a.fc1"),
        ("t5.a.q.lora", "text_encoder_3: a.q"),
        ("double_blocks.3.processor.qkv_lora1", "double_blocks.3.img_attn.qkv"),
        ("diffusion_model.double_blocks.3.processor.proj_lora2", "double_blocks.3.txt_attn.proj"),
        ("single_blocks.3.processor.qkv_lora", "single_blocks.3.qkv"),
        ("single_blocks.3.processor.proj_lora", "single_blocks.3.linear2"),
    ])
    func olderAndOthersNamesAreThoseOfModules(_ name: String, _ module: String) throws {
        let out = folder + "/other.safetensors"
        try Safetensors.write(
            ["\(name).down.weight": Tensor(zeros: [2, 4]), "\(name).up.weight": Tensor(zeros: [4, 2])], to: out)
        #expect(try AdapterReader(out).read().changes.keys.map(\.description) == [module])
    }

    /// PEFT's patterns hold for every module whose name ends so.
    @Test(arguments: [AdapterFormat.peft, .diffusers])
    func aNameThatAnotherEndsWithHasARankOfItsOwn(format: AdapterFormat) throws {
        let (file, out) = (folder + "/diffusers.safetensors", folder + "/out.safetensors")
        var tensors: [String: Tensor] = [:]
        for (module, rank, alpha) in [("transformer.blocks.0.proj_out", 2, 6), ("transformer.proj_out", 3, 12)] {
            tensors[module + ".lora_A.weight"] = Tensor(zeros: [rank, 4])
            tensors[module + ".lora_B.weight"] = Tensor(zeros: [4, rank])
            tensors[module + ".alpha"] = Tensor([Float(alpha)], shape: [])
        }
        try Safetensors.write(tensors, to: file)
        try AdapterWriter(try AdapterReader(file).read().changes).write(format, to: out)
        let scales = try AdapterReader(out).read().changes.map { ($0.key.name, $0.value.scale) }
        #expect(Dictionary(uniqueKeysWithValues: scales) == ["blocks.0.proj_out": 3, "proj_out": 4])
    }

    /// LyCORIS' kinds and what OneTrainer brings along are named, and what to do is said.
    @Test(arguments: [
        "lora_unet_a.hada_w1_a LoHa", "lora_unet_a.lokr_w2 LoKr", "transformer.a.oft_R.weight OFT",
        "lora_unet_a.lora_mid.weight Tucker", "lora_unet_a.dora_scale DoRA", "diffusion_model.a.diff differences",
        "diffusion_model.a.diff_b biases", "lora_unet_a.w_norm norms", "lora_unet_a.b_norm norms",
        "bundle_emb.sks.clip_l embedding",
    ])
    func whatIsNotBuiltIsNamed(_ found: String) throws {
        let (out, parts) = (folder + "/other.safetensors", found.split(separator: " ").map(String.init))
        var tensors = ["lora_unet_b.lora_down.weight": Tensor(zeros: [2, 4])]
        tensors["lora_unet_b.lora_up.weight"] = Tensor(zeros: [4, 2])
        tensors[parts[0]] = Tensor(repeating: 1, shape: [2, 2])
        try Safetensors.write(tensors, to: out)
        let error = try #require(throws: CheckpointError.self) { try AdapterReader(out).read() }
        #expect(error.problem.hasPrefix(parts[0] + ": ") && error.problem.contains(parts[1]), "\(error)")
        #expect(error.problem.contains("; "))
    }

    /// ComfyUI's extractions have them of what did not change.
    @Test(arguments: ["diff", "diff_b"]) func aDifferenceThatIsZeroIsPassedOver(_ kind: String) throws {
        let out = folder + "/comfy.safetensors"
        try Safetensors.write(
            [
                "diffusion_model.a.lora_down.weight": Tensor(zeros: [2, 4]),
                "diffusion_model.a.lora_up.weight": Tensor(zeros: [4, 2]),
                "text_encoders.clip_l.transformer.b.\(kind)": Tensor(zeros: [4]),
            ], to: out)
        #expect(try AdapterReader(out).read().changes.keys.map(\.name) == ["a"])
    }

    /// Of a unet and a text encoder, in PEFT's form.
    private func writeTwoNetworks(to out: String) throws {
        let modules = ["unet.mid_block.a", "text_encoder.text_model.encoder.layers.0.mlp.fc1"]
        try AdapterWriter(try AdapterReader(try diffusersFile(modules)).read().changes).write(.peft, to: out)
    }

    /// The folders of the networks would be read in its place.
    @Test func anotherAdapterTakesThePlaceOfAnEarlierOne() throws {
        let out = folder + "/peft"
        try writeTwoNetworks(to: out)
        #expect(try AdapterReader(out).read().changes.count == 2)
        let one = try diffusersFile(["unet.mid_block.b"])
        try AdapterWriter(try AdapterReader(one).read().changes).write(.peft, to: out)
        #expect(try AdapterReader(out).read().changes.keys.map(\.path) == ["mid_block.b"])
        try writeTwoNetworks(to: out)
        #expect(try AdapterReader(out).read().changes.count == 2)
    }

    @Test(arguments: ["adapter_config.json", "pytorch_lora_weights.safetensors"])
    func anAdapterBesideThoseOfNetworksIsNotLeftOut(_ file: String) throws {
        let out = folder + "/peft"
        try writeTwoNetworks(to: out)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(out)/\(file)"))
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out) }
        #expect(error?.problem.contains("others in unet, text_encoder") == true)
    }

    @Test func aNetworkThatLacksItsSettingsIsNotLeftOut() throws {
        let out = folder + "/peft"
        try writeTwoNetworks(to: out)
        try FileManager.default.removeItem(atPath: out + "/text_encoder/adapter_config.json")
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }
        #expect(error?.path == out + "/text_encoder/adapter_config.json")
    }

    /// diffusers' advanced scripts learn words with the changes.
    @Test func anEmbeddingBesideTheChangesIsNamed() throws {
        let out = folder + "/out"
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let file = out + "/pytorch_lora_weights.safetensors"
        try FileManager.default.moveItem(atPath: try diffusersFile(["unet.a"]), toPath: file)
        #expect(try AdapterReader(out).read().changes.count == 1)
        try Safetensors.write(["clip_l": Tensor(zeros: [2, 4])], to: out + "/out_emb.safetensors")
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out) }
        #expect(error?.problem.hasPrefix("out_emb.safetensors: an embedding") == true)
        #expect(try AdapterReader(file).read().changes.count == 1)
    }

    /// torch keeps a part of a tensor as it lies in the whole.
    @Test func numbersThatDoNotFollowEachOtherAreWritten() throws {
        var changes = try AdapterReader(try adapter().path).read().changes
        let (whole, out) = (folder + "/whole.safetensors", folder + "/peft")
        let module = try #require(changes.keys.first)
        let down = try #require(changes[module]).down
        let (numbers, width) = (try down.floats(), down.shape[1])
        let spaced = stride(from: 0, to: numbers.count, by: width).flatMap { start in
            Array(numbers[start..<start + width]) + [Float](repeating: 9, count: width)
        }
        try Safetensors.write(["whole": Tensor(spaced, shape: [2 * down.shape[0], width])], to: whole)
        let stored = try Checkpoint.open(whole).tensor("whole")
        changes[module]?.down = stored.rows(0..<stored.shape[0], step: 2)
        try AdapterWriter(changes).write(.peft, to: out)
        #expect(try AdapterReader(out).read().changes[module]?.down.floats() == numbers)
    }

    /// The word of a concept called `diff` is no difference of anybody's.
    @Test(arguments: ["diff", "oft_1"]) func aConceptMayBeCalledAsWhatIsNotBuilt(_ name: String) throws {
        let adapter = try Adapter(path: try adapter(by: .proxyTuning).path)
        let (word, out) = (RareWord.name(of: name), folder + "/\(name).safetensors")
        let tensors = adapter.tensors.merging([word: Tensor(zeros: [1, 4])]) { $1 }
        try Adapter(description: adapter.description, tensors: tensors).write(out)
        #expect(try AdapterReader(out).read().embeddings == [word])
    }

    /// Without it the changes would be scaled by chance.
    @Test func aHeaderThatIsNoneIsRefused() throws {
        let out = folder + "/diffusers.safetensors"
        try Safetensors.write(
            ["unet.a.lora_A.weight": Tensor(zeros: [2, 4]), "unet.a.lora_B.weight": Tensor(zeros: [4, 2])], to: out,
            metadata: ["lora_adapter_metadata": "{\"unet.lora_alpha\": "])
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }
        #expect(error?.problem.contains("lora_adapter_metadata") == true)
    }

    @Test func twoAdaptersInOneFileAreRefused() throws {
        let out = folder + "/two.safetensors"
        var tensors: [String: Tensor] = [:]
        for name in ["one", "two"] {
            tensors["transformer.a.lora_A.\(name).weight"] = Tensor(zeros: [2, 4])
            tensors["transformer.a.lora_B.\(name).weight"] = Tensor(zeros: [4, 2])
        }
        try Safetensors.write(tensors, to: out)
        let error = #expect(throws: CheckpointError.self) { try AdapterReader(out).read() }
        #expect(error?.problem.hasSuffix("are of one module; the file must hold one adapter") == true)
    }

    /// kohya's scripts know FLUX.1's projections as its authors do, several in one; what does not change is zero there.
    @Test func modulesThatAreOneInKohyasFormAreJoined() throws {
        let values: (Int) -> Float = { Float(($0 * 5) % 7) / 4 - 0.75 }
        var tensors: [String: Tensor] = [:]
        for (part, rank) in [("to_q", 2), ("to_v", 3)] {
            let stem = "transformer.single_transformer_blocks.0.attn.\(part)"
            tensors[stem + ".lora_A.weight"] = Tensor((0..<rank * 4).map { values($0 + rank) }, shape: [rank, 4])
            tensors[stem + ".lora_B.weight"] = Tensor((0..<4 * rank).map(values), shape: [4, rank])
            tensors[stem + ".alpha"] = Tensor([6], shape: [])
        }
        let (file, out) = (folder + "/diffusers.safetensors", folder + "/kohya.safetensors")
        try Safetensors.write(tensors, to: file)
        let read = try AdapterReader(file).read().changes
        try AdapterWriter(read).write(.kohya, to: out)
        let joined = try AdapterReader(out).read().changes
        #expect(joined.keys.map(\.name) == ["single_blocks_0_linear1"])
        let matrix = try LowRankChange(try #require(joined.values.first)).matrix
        // q, k, v, and a feed-forward of four times the width.
        #expect(matrix.shape == [4 + 4 + 4 + 16, 4])
        func part(_ name: String) throws -> [Float] {
            let module = NamedChanges.Module(
                component: "transformer", name: "single_transformer_blocks.0.attn.\(name)")
            return try LowRankChange(try #require(read[module])).matrix.values
        }
        var wanted = try part("to_q") + [Float](repeating: 0, count: 4 * 4)
        wanted += try part("to_v") + [Float](repeating: 0, count: 16 * 4)
        #expect(zip(matrix.values, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// A file of diffusers' of these modules.
    private func diffusersFile(_ modules: [String]) throws -> String {
        let (file, ends) = (folder + "/diffusers.safetensors", [("lora_A", [1, 4]), ("lora_B", [4, 1])])
        let tensors = modules.flatMap { module in
            ends.map { ("\(module).\($0.0).weight", Tensor(zeros: $0.1)) }
        }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: tensors), to: file)
        return file
    }

    /// They know SDXL's blocks by the authors' names alone, and train nothing outside of them; a network of one block a
    /// level, as tests have, or with attention where SDXL has none is another.
    @Test(
        arguments: [
            (
                "down_blocks.1.attentions.1.proj_in up_blocks.0.resnets.2.conv1 up_blocks.1.upsamplers.0.conv",
                "input_blocks_5_1_proj_in output_blocks_2_0_in_layers_2 output_blocks_5_2_conv"
            ),
            (
                "down_blocks.1.attentions.1.proj_in mid_block.attentions.0.proj_out conv_in",
                "conv_in down_blocks_1_attentions_1_proj_in mid_block_attentions_0_proj_out"
            ),
            (
                "down_blocks.1.attentions.0.proj_in up_blocks.0.attentions.1.proj_in",
                "down_blocks_1_attentions_0_proj_in up_blocks_0_attentions_1_proj_in"
            ),
            ("down_blocks.0.attentions.1.proj_in", "down_blocks_0_attentions_1_proj_in"),
        ])
    func kohyasScriptsKnowSDXLsBlocks(modules: String, names: String) throws {
        let (file, out) = (
            try diffusersFile(modules.split(separator: " ").map { "unet.\($0)" }), folder + "/kohya.safetensors"
        )
        try AdapterWriter(try AdapterReader(file).read().changes).write(.kohya, to: out)
        let written = try AdapterReader(out).read().changes.keys.map(\.name)
        #expect(written.sorted() == names.split(separator: " ").map(String.init))
    }

    /// Modules of the first blocks are called alike in several networks; the model tells whose they are.
    @Test(
        arguments: [
            (
                "unet.down_blocks.1.attentions.0.proj_in unet.conv_in", sdxl(blocksPerLevel: 2),
                "input_blocks_0_0 input_blocks_4_1_proj_in"
            ),
            ("unet.down_blocks.1.attentions.0.proj_in", sdxl(blocksPerLevel: 1), "input_blocks_3_1_proj_in"),
            ("transformer.transformer_blocks.0.attn.to_out.0", .mmdit(depth: 24), "joint_blocks_0_x_block_attn_proj"),
            (
                "transformer.transformer_blocks.0.attn.to_out.0", .flux(depth: 19, singleDepth: 38),
                "double_blocks_0_img_attn_proj"
            ),
        ] as [(String, NetworkForm, String)])
    func theModelTellsTheNamesOfFewModules(modules: String, form: NetworkForm, names: String) throws {
        let file = try diffusersFile(modules.split(separator: " ").map(String.init))
        let out = folder + "/kohya.safetensors"
        try AdapterWriter(try AdapterReader(file).read().changes).write(.kohya, to: out, form: form)
        let written = try AdapterReader(out).read().changes.keys.map(\.name)
        #expect(written.sorted() == names.split(separator: " ").map(String.init))
        #expect(try Checkpoint.open(out).names.allSatisfy { $0.hasPrefix("lora_unet_") })
    }

    /// transformers 5 has no `text_model` in a lone text tower; diffusers takes it off tensors' names alone.
    @Test func settingsOfATextTowerHoldWhereItStandsAlone() throws {
        let module = "text_encoder.text_model.encoder.layers.0.mlp.fc1"
        let (file, out) = (
            try diffusersFile([module, "unet.mid_block.attentions.0.proj_in"]), folder + "/out.safetensors"
        )
        var tensors = try Checkpoint.tensors(file)
        tensors[module + ".alpha"] = Tensor([3], shape: [])
        try Safetensors.write(tensors, to: file)
        try AdapterWriter(try AdapterReader(file).read().changes).write(.diffusers, to: out)
        let written = try Checkpoint.open(out)
        let header = try JSONValue(json: Data(try #require(written.metadata["lora_adapter_metadata"]).utf8))
        #expect(header["text_encoder.target_modules"] == ["encoder.layers.0.mlp.fc1"], "\(header.text)")
        #expect(written.contains(module + ".lora_A.weight"))
        let scales = try AdapterReader(out).read().changes.map { ($0.key.path, $0.value.scale) }
        #expect(Dictionary(uniqueKeysWithValues: scales)[module] == 3)
    }

    @Test func aKeyWithoutAPlaceIsNamed() throws {
        let (_, path) = try adapter()
        let read = try AdapterReader(path).read().changes
        let out = folder + "/kohya.safetensors"
        try AdapterWriter(
            Dictionary(uniqueKeysWithValues: read.map { (.init(name: "other." + $0.key.name), $0.value) })
        )
        .write(.kohya, to: out)
        do {
            _ = try AdapterChanges(path: out, for: AdapterTargets(weights()))
            Issue.record("read")
        } catch { #expect("\(error)".contains("other_blocks_1_to_out"), "\(error)") }
    }

    /// A table's lengths are its columns', a matrix's its rows'.
    @Test(arguments: [false, true]) func learnedLengthsOfNoChangeChangeNothing(isOfTable: Bool) {
        let values: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
        let weight = Tensor(values, shape: [4, 2])
        let lengths: [Float] =
            isOfTable ? [84, 120] : [1 + 4, 9 + 16, 25 + 36, 49 + 64]
        let (outputs, inputs) = isOfTable ? (2, 4) : (4, 2)
        let change = LowRankChange(
            down: Tensor(zeros: [1, inputs]), up: Tensor(zeros: [outputs, 1]), scale: 1, isOfTable: isOfTable,
            magnitude: Tensor(lengths.map { $0.squareRoot() }, shape: [outputs]))
        #expect(change.fits(weight.shape))
        change.merge(into: weight, share: 1)
        #expect(zip(weight.values, values).allSatisfy { abs($0 - $1) < 1e-5 }, "\(weight.values)")
    }

    /// As transformers 5 names them where the tower stands alone, beside those of T5.
    @Test func modulesOfALoneTextTowerHaveThePublishedNames() throws {
        let path = folder + "/pytorch_lora_weights.safetensors"
        let modules = [
            "text_encoder.encoder.layers.0.self_attn.q_proj", "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q",
        ]
        let ends = [("lora_A", [1, 4]), ("lora_B", [4, 1])]
        let tensors = modules.flatMap { module in
            ends.map { ("\(module).\($0.0).weight", Tensor(zeros: $0.1)) }
        }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: tensors), to: path)
        let paths = try AdapterReader(path).read().changes.keys.map(\.path)
        #expect(paths.sorted() == ["text_encoder.text_model.encoder.layers.0.self_attn.q_proj", modules[1]])
    }

    /// diffusers' scripts make kohya's form of them.
    @Test func kohyasModulesOfALoneTextTowerHaveThePublishedNames() throws {
        let (path, stem) = (folder + "/kohya.safetensors", "lora_te1_encoder_layers_0_mlp_fc1")
        try Safetensors.write(
            [
                stem + ".lora_down.weight": Tensor(zeros: [1, 4]), stem + ".lora_up.weight": Tensor(zeros: [4, 1]),
            ], to: path)
        let modules = try AdapterReader(path).read().changes.keys.map(\.description)
        #expect(modules == ["text_encoder: text_model_encoder_layers_0_mlp_fc1"])
    }

    /// kohya's third text encoder is T5, also where a model has two.
    @Test func theThirdTextEncoderIsTheSecondOfTwo() {
        let module = NamedChanges.Module(component: "text_encoder_3", name: "encoder.block.0.layer.0.SelfAttention.q")
        #expect(module.encoder(among: ["text_encoder", "text_encoder_2"]) == "text_encoder_2")
        #expect(module.encoder(among: ["text_encoder", "text_encoder_2", "text_encoder_3"]) == "text_encoder_3")
    }
}
