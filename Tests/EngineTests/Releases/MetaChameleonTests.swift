import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import Lab
import ModelTesting
import ServerTesting
import Testing

@testable import Engine

private let lumina = sharedFolder("releases").map { "\($0)/lumina-mgpt-7b-768" }

/// Chameleon as Meta ships it becomes the model that transformers' folder becomes.
@Suite(.computing, .enabled(if: lumina != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct MetaChameleonTests {
    private typealias Values = (shape: [Int], numbers: [Float])

    /// Rows of matrices [heads · size, C], or of a vector [size], in Meta's order: neighbours turn together.
    private func interleaved(_ values: Values, heads: Int) -> Values {
        let size = values.shape[0] / heads
        let width = values.numbers.count / values.shape[0]
        var numbers = values.numbers
        for head in 0..<heads {
            for row in 0..<size {
                let source = head * size + (row % 2) * (size / 2) + row / 2
                for column in 0..<width {
                    numbers[(head * size + row) * width + column] = values.numbers[source * width + column]
                }
            }
        }
        return (values.shape, numbers)
    }

    /// A part of the rows, or of the columns, of one of `count` shards.
    private func part(_ values: Values, _ shard: Int, of count: Int, columns: Bool) -> Values {
        let (rows, width) = (values.shape[0], values.numbers.count / values.shape[0])
        guard columns else {
            let size = rows / count
            return (
                [size] + values.shape.dropFirst(),
                Array(values.numbers[shard * size * width..<(shard + 1) * size * width])
            )
        }
        let size = width / count
        var numbers: [Float] = []
        for row in 0..<rows {
            let start = row * width + shard * size
            numbers += values.numbers[start..<start + size]
        }
        return ([rows, size], numbers)
    }

    /// The row that a shard has of a norm of heads: its own, of as many rows as there are shards.
    private func row(of norm: Values, _ shard: Int) -> ArraySlice<Float> {
        let width = norm.shape.last!
        let start = shard % (norm.numbers.count / width) * width
        return norm.numbers[start..<start + width]
    }

    /// The weights of one shard under Meta's names.
    private func shard(_ number: Int, of count: Int) throws -> [(String, Values)] {
        let source = try Checkpoint.open(lumina!)
        func values(_ name: String) throws -> Values { (try source.shape(of: name), try source.tensor(name).floats()) }
        var all: [(String, Values)] = []
        func put(_ theirs: String, _ ours: String, columns: Bool? = false, heads: Int? = nil) throws {
            var own = try values(ours)
            if let heads { own = interleaved(own, heads: heads) }
            all.append((theirs, columns.map { part(own, number, of: count, columns: $0) } ?? own))
        }
        try put("tok_embeddings.weight", "model.embed_tokens.weight", columns: true)
        try put("norm.weight", "model.norm.weight", columns: nil)
        try put("output.weight", "lm_head.weight")
        for layer in 0..<2 {
            let (t, o) = ("layers.\(layer)", "model.layers.\(layer)")
            try put("\(t).attention.wq.weight", "\(o).self_attn.q_proj.weight", heads: 2)
            try put("\(t).attention.wk.weight", "\(o).self_attn.k_proj.weight", heads: 2)
            try put("\(t).attention.wv.weight", "\(o).self_attn.v_proj.weight")
            try put("\(t).attention.wo.weight", "\(o).self_attn.o_proj.weight", columns: true)
            try put("\(t).feed_forward.w1.weight", "\(o).mlp.gate_proj.weight")
            try put("\(t).feed_forward.w2.weight", "\(o).mlp.down_proj.weight", columns: true)
            try put("\(t).feed_forward.w3.weight", "\(o).mlp.up_proj.weight")
            try put("\(t).attention_norm.weight", "\(o).input_layernorm.weight", columns: nil)
            try put("\(t).ffn_norm.weight", "\(o).post_attention_layernorm.weight", columns: nil)
            for (norm, name) in [("q_norm", "q_normalization"), ("k_norm", "k_normalization")] {
                for ending in ["weight", "bias"] {
                    let whole = try values("\(o).self_attn.\(norm).\(ending)")
                    let own: Values = ([whole.shape.last!], Array(row(of: whole, number)))
                    all.append(("\(t).attention.\(name).\(ending)", interleaved(own, heads: 1)))
                }
            }
        }
        return all
    }

    private func archive(_ tensors: [(String, Values)]) -> [UInt8] {
        HandmadeTorchArchive(
            tensors.enumerated().map { index, tensor in
                let (shape, count) = (tensor.1.shape, tensor.1.numbers.count)
                let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
                return (
                    tensor.0,
                    { $0.tensor(shape, strides, 0) { $0.storage("FloatStorage", String(index), count) } }
                )
            }, tensors.enumerated().map { (String($0), HandmadeTorchArchive.floats($1.1.numbers)) }
        ).bytes
    }

    /// Meta's folder: models/7b and tokenizer.
    private func write(shards: Int) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: "\(folder)/models/7b", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(folder)/tokenizer", withIntermediateDirectories: true)
        for number in 0..<shards {
            let name = shards == 1 ? "consolidated.pth" : "consolidated.0\(number).pth"
            try Data(archive(shard(number, of: shards))).write(
                to: URL(fileURLWithPath: "\(folder)/models/7b/\(name)"))
        }
        let settings: JSONValue = [
            "model_parallel_size": .integer(shards),
            "model": [
                "dim": 16, "n_layers": 2, "n_heads": 2, "norm_eps": 0.00001, "swin_norm": false, "rope_theta": 10000,
            ],
        ]
        try settings.line.write(to: URL(fileURLWithPath: "\(folder)/models/7b/params.json"))
        for name in ["text_tokenizer.json", "vqgan.ckpt", "vqgan.yaml"] {
            try FileManager.default.copyItem(
                atPath: "\(lumina!)/tokenizer/\(name)", toPath: "\(folder)/tokenizer/\(name)")
        }
        return folder
    }

    /// Whole, and in two shards.
    @Test(arguments: [1, 2])
    func itIsTheModelOfTransformersFolder(shards: Int) throws {
        let models = try TinyModels()
        let folder = try write(shards: shards)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var wishes = ReleaseWishes()
        wishes.side = 64
        let (added, warnings) = try ModelInstallation(directory: models.folder).add(
            release: [folder], name: "meta", wishes: wishes)
        #expect(added.description?.family == .chameleon && added.verify() == [])
        #expect(warnings.contains { $0.contains("Lumina-mGPT was") })
        let (ours, theirs) = (
            try Checkpoint.open("\(added.folder)/transformer.safetensors"), try Checkpoint.open(lumina!)
        )
        let names = theirs.names.filter { !$0.contains("vqmodel") }
        #expect(ours.names == names)
        for name in names {
            let (mine, other) = (try ours.tensor(name), try theirs.tensor(name))
            guard name.contains("_norm.") else {
                #expect(mine.shape == other.shape, "\(name)")
                #expect(try mine.floats() == other.floats(), "\(name)")
                continue
            }
            // A row for every shard.
            let norm: Values = (other.shape, try other.floats())
            #expect(try mine.floats() == (0..<shards).flatMap { row(of: norm, $0) }, "\(name)")
        }
        let spec: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": "meta", "prompts": ["a red dog"], "images_per_prompt": 1,
            "seed": 3, "size": "64x64",
        ]
        #expect(try Run(models, spec).digests(.picture).count == 1)
    }

    /// Rows change places, so it is no link to the files that is held against the reference.
    @Test func itComputesWhatTheReferenceDoes() throws {
        let folder = try write(shards: 2)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["expected.json", "expected.safetensors"] {
            try FileManager.default.copyItem(atPath: "\(lumina!)/\(name)", toPath: "\(folder)/\(name)")
        }
        let report = try Conformance.run(folder)
        #expect(report.isWithin, "\(report.lines)")
    }

    @Test func allThatIsMissingIsSaidAtOnce() throws {
        let folder = try write(shards: 2)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["models/7b/consolidated.01.pth", "tokenizer/text_tokenizer.json", "tokenizer/vqgan.ckpt"] {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let said = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan([folder]).recognized() }
        let problems = try #require(said).problems
        for part in [
            "2 files belong together", "text_tokenizer.json is not here", "its VQGAN is not here",
            "Meta's Chameleon has it in data/tokenizer/",
        ] {
            #expect(problems.contains { $0.contains(part) }, "\(part): \(problems)")
        }
    }
}
