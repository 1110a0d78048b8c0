import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import ModelTesting
import ServerTesting
import Tensors
import Testing

@testable import Personalization

private let releases = sharedFolder("releases")

/// What kohya's scripts train of SD3, whose modules are several of ours in one, or lie in another order.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct FusedAdapterTests {
    private let models: TinyModels
    private var folder: String { models.folder }
    private let model: ModelFolder
    /// The network's weights, and its last block.
    private let network: Checkpoint
    private let last: Int

    init() throws {
        models = try TinyModels()
        model = try ModelInstallation(directory: models.folder).add(
            release: ["\(releases!)/sd35-large"], name: "m", links: true
        ).model
        network = try Checkpoint.open(ModelFolder.network(in: model.folder))
        last = network.names.count(after: "transformer_blocks.") - 1
    }

    /// A file of kohya's of one module, its `up` as many rows that count from 0, of rank 1.
    private func adapter(_ module: String, rows: Int, inputs: Int) throws -> String {
        let path = folder + "/kohya.safetensors"
        try Safetensors.write(
            [
                "lora_unet_\(module).lora_down.weight": Tensor(repeating: 0.01, shape: [1, inputs]),
                "lora_unet_\(module).lora_up.weight": Tensor((0..<rows).map { Float($0) / 64 }, shape: [rows, 1]),
            ], to: path)
        return path
    }

    private func imported(_ path: String) throws -> Checkpoint {
        let file = folder + "/rex.safetensors"
        try AdapterImport(model: model).write(path, as: .init(name: "rex", role: .subject, className: "dog"), to: file)
        return try Checkpoint.open(file)
    }

    /// The authors have shift before scale there, diffusers scale before shift.
    @Test func theLastModulationOfTheTextHasItsHalvesTheOtherWayRound() throws {
        let name = "transformer_blocks.\(last).norm1_context.linear"
        let shape = try network.shape(of: name + ".weight")
        let path = try adapter(
            "joint_blocks_\(last)_context_block_adaLN_modulation_1", rows: shape[0], inputs: shape[1])
        let half = shape[0] / 2
        let wanted = (Array(half..<shape[0]) + Array(0..<half)).map { Float($0) / 64 }
        #expect(try imported(path).tensor("base_model.model.\(name).lora_B.weight").floats() == wanted)

        let pipeline = try DiffusionPipeline(directory: model.folder)
        let changes = try AdapterChanges(path: path, for: AdapterTargets(pipeline)).changes
        #expect(changes.map(\.parameter.name) == [name + ".weight"] && changes[0].change.up.values == wanted)
    }

    @Test func theOthersHaveTheirRowsAsTheyAre() throws {
        let name = "transformer_blocks.0.norm1_context.linear"
        let shape = try network.shape(of: name + ".weight")
        let path = try adapter("joint_blocks_0_context_block_adaLN_modulation_1", rows: shape[0], inputs: shape[1])
        let rows = try imported(path).tensor("base_model.model.\(name).lora_B.weight").floats()
        #expect(rows == (0..<shape[0]).map { Float($0) / 64 })
    }

    @Test func theNetworksEndHasAPlaceToo() throws {
        let shape = try network.shape(of: "norm_out.linear.weight")
        let path = try adapter("final_layer_adaLN_modulation_1", rows: shape[0], inputs: shape[1])
        let half = shape[0] / 2
        let wanted = (Array(half..<shape[0]) + Array(0..<half)).map { Float($0) / 64 }
        #expect(try imported(path).tensor("base_model.model.norm_out.linear.lora_B.weight").floats() == wanted)
    }

    /// The last block tells that it is SD3's; without it the blocks might be FLUX.1's of two streams.
    @Test(arguments: [true, false]) func aConceptGoesBackUnderNamesThatItsProgramsKnow(isTold: Bool) throws {
        let width = try network.shape(of: "transformer_blocks.0.attn.to_q.weight")[0]
        let path = try adapter("joint_blocks_0_x_block_attn_qkv", rows: 3 * width, inputs: width)
        var tensors = try Checkpoint.tensors(path)
        if isTold {
            let modulation = try adapter(
                "joint_blocks_\(last)_context_block_adaLN_modulation_1", rows: 2 * width, inputs: width)
            tensors.merge(try Checkpoint.tensors(modulation)) { $1 }
            try Safetensors.write(tensors, to: path)
        }
        let out = folder + "/out.safetensors"
        let writer = try AdapterWriter(AdapterReader(imported(path).path).read().changes)
        try writer.write(.kohya, to: out, form: ModelFolder.networkForm(in: model.folder))
        #expect(try Checkpoint.open(out).contains("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_up.weight"))
        try writer.write(.kohya, to: out)
        let written = try Checkpoint.tensors(out)
        if isTold {
            for (name, tensor) in tensors { #expect(written[name]?.values == tensor.values, "\(name)") }
            #expect(written.count == tensors.count + 2, "an alpha each")
        } else {
            let stem = "lora_transformer_transformer_blocks_0_attn_to_"
            let names = ["q", "k", "v"].flatMap { part in
                ["alpha", "lora_down.weight", "lora_up.weight"].map { "\(stem)\(part).\($0)" }
            }
            #expect(Set(written.keys) == Set(names))
        }
    }

    /// As `lora` learns it: the text goes in at the last block and not out of it.
    @Test(arguments: ["attention", "blocks"]) func aConceptOfAttentionAloneIsToldToBeSD3s(_ kind: String) throws {
        let (file, out) = (folder + "/own.safetensors", folder + "/out.safetensors")
        if kind == "attention" {
            let pipeline = try DiffusionPipeline(directory: model.folder)
            let lora = try LoRAAdapter(
                for: pipeline.transformerWeights, options: .init(rank: 2, targets: pipeline.attentionModules), seed: 1)
            let description = Adapter.Description(
                method: .lora, model: "m", modelDigest: "", concept: "rex", role: .subject,
                className: "dog", seed: 0, iterations: 1, options: "{}")
            try Adapter(lora, description: description).write(file)
        } else {
            // More blocks than FLUX.1 has, of which the picture's queries alone change.
            var tensors: [String: Tensor] = [:]
            for block in 0..<24 {
                let stem = "transformer.transformer_blocks.\(block).attn.to_q"
                tensors[stem + ".lora_A.weight"] = Tensor(zeros: [2, 4])
                tensors[stem + ".lora_B.weight"] = Tensor(zeros: [4, 2])
            }
            try Safetensors.write(tensors, to: file)
        }
        try AdapterWriter(AdapterReader(file).read().changes).write(.kohya, to: out)
        let names = try Checkpoint.open(out).names
        #expect(!names.isEmpty && names.allSatisfy { $0.hasPrefix("lora_unet_joint_blocks_") }, "\(names)")
        if kind == "attention" { _ = try imported(out) }
    }

    /// A whole name means no other that ends with it: of FLUX.1 the last projection, not those of blocks.
    @Test func theLastProjectionAloneGoesOutAndIn() throws {
        let flux = try ModelInstallation(directory: folder).add(
            release: ["\(releases!)/flux1-dev"], name: "f", links: true
        ).model
        let shape = try Checkpoint.open(ModelFolder.network(in: flux.folder)).shape(of: "proj_out.weight")
        let (path, concept, out) = (folder + "/comfy.safetensors", folder + "/rex.safetensors", folder + "/peft")
        try Safetensors.write(
            [
                "diffusion_model.final_layer.linear.lora_A.weight": Tensor(repeating: 0.01, shape: [1, shape[1]]),
                "diffusion_model.final_layer.linear.lora_B.weight": Tensor(repeating: 0.1, shape: [shape[0], 1]),
            ], to: path)
        let rex = AdapterImport.Concept(name: "rex", role: .subject, className: "dog")
        try AdapterImport(model: flux).write(path, as: rex, to: concept)
        try AdapterWriter(AdapterReader(concept).read().changes).write(.peft, to: out)
        try AdapterImport(model: flux).write(out, as: rex, to: concept)
        let pipeline = try DiffusionPipeline(directory: flux.folder)
        let adapter = try Adapter(path: concept)
        _ = try PersonalizedDiffusion(
            model: pipeline, adapters: ["rex": adapter], modelDigest: adapter.description.modelDigest)
    }

    /// OneTrainer's OMI names number the parts of a module.
    @Test func partsThatAreNumberedHaveTheirPlaces() throws {
        let name = "transformer_blocks.0.attn.to_k"
        let shape = try network.shape(of: name + ".weight")
        let (path, stem) = (folder + "/omi.safetensors", "transformer.joint_blocks.0.x_block.attn.qkv.1")
        try Safetensors.write(
            [
                stem + ".lora_down.weight": Tensor(repeating: 0.01, shape: [1, shape[1]]),
                stem + ".lora_up.weight": Tensor(repeating: 0.1, shape: [shape[0], 1]),
                stem + ".alpha": Tensor([1], shape: []),
            ], to: path)
        #expect(try imported(path).names == ["A", "B"].map { "base_model.model.\(name).lora_\($0).weight" })
        let pipeline = try DiffusionPipeline(directory: model.folder)
        let changes = try AdapterChanges(path: path, for: AdapterTargets(pipeline)).changes
        #expect(changes.map(\.parameter.name) == [name + ".weight"])
    }

    @Test(arguments: [1, 2, 5]) func rowsThatAreNotThoseOfAllPartsFitNothing(parts: Int) throws {
        let width = try network.shape(of: "transformer_blocks.0.attn.to_q.weight")[0]
        let path = try adapter("joint_blocks_0_x_block_attn_qkv", rows: parts * width, inputs: width)
        #expect(throws: AdapterImport.Refusal.self) { try imported(path) }
        let pipeline = try DiffusionPipeline(directory: model.folder)
        #expect(throws: LoRAError.self) { try AdapterChanges(path: path, for: AdapterTargets(pipeline)) }
    }
}
