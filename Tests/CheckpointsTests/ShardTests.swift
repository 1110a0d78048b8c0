import Checkpoints
import ComputeTesting
import FileTesting
import Testing

/// Weights in several files, and folders that hold them.
@Suite(.computing) struct ShardTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func shard(_ names: String...) -> [UInt8] {
        let entries = names.enumerated().map { index, name in
            #""\#(name)":{"dtype":"U8","shape":[1],"data_offsets":[\#(index),\#(index + 1)]}"#
        }
        return HandmadeSafetensors("{\(entries.joined(separator: ","))}", names.map { _ in 7 }).bytes
    }

    private func index(_ map: [(String, String)], _ name: String = "model.safetensors.index.json") throws -> String {
        let pairs = map.map { #""\#($0)":"\#($1)""# }.joined(separator: ",")
        return try folder.write(#" {"metadata":{"total_size":3},"weight_map":{\#(pairs)}}"#, name)
    }

    private func refusal(_ path: String) throws -> String {
        try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }.problem
    }

    @Test func anIndexAndItsFolderOpenTheSame() throws {
        _ = try folder.write(shard("a", "b"), "1.safetensors")
        _ = try folder.write(shard("c"), "2.safetensors")
        let path = try index([("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "2.safetensors")])
        for place in [path, folder.path, folder.path + "/model.safetensors"] {
            let checkpoint = try Checkpoint.open(place)
            #expect(checkpoint.names == ["a", "b", "c"] && checkpoint.report.files == 2)
            #expect(try checkpoint.tensor("c").integers() == [7] && checkpoint.report.parameters == 3)
        }
    }

    /// As diffusers names the shards of a variant.
    @Test func theIndexOfAVariantIsOne() throws {
        _ = try folder.write(shard("a"), "model.fp16-00001-of-00002.safetensors")
        _ = try folder.write(shard("b"), "model.fp16-00002-of-00002.safetensors")
        _ = try index(
            [("a", "model.fp16-00001-of-00002.safetensors"), ("b", "model.fp16-00002-of-00002.safetensors")],
            "model.safetensors.index.fp16.json")
        let checkpoint = try Checkpoint.open(folder.path)
        #expect(checkpoint.names == ["a", "b"] && checkpoint.report.files == 2)
    }

    /// `hf download REPOSITORY '*.fp16.*' '*.json'` fetches every index, and the shards of one.
    @Test func anIndexWithoutItsShardsGivesWayToOneThatHasThem() throws {
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        let halves = shards.map { $0.replacing("model", with: "model.fp16") }
        _ = try index(Array(zip(["a", "b"], shards)))
        _ = try index(Array(zip(["a", "b"], halves)), "model.safetensors.index.fp16.json")
        #expect(try refusal(folder.path).contains("\(shards[0]): No such file"))
        _ = try folder.write(shard("a"), halves[0])
        #expect(try refusal(folder.path).hasPrefix("\(halves[1]): No such file"))
        _ = try folder.write(shard("b"), halves[1])
        #expect(try Checkpoint.open(folder.path).names == ["a", "b"])
        #expect(Checkpoint.candidates(in: folder.path) == [folder.path])
    }

    /// Of a release in several forms the same: only the files of one were fetched.
    @Test func anIndexWithoutItsShardsGivesWayToAnotherForm() throws {
        _ = try index([("a", "model-00001-of-00002.safetensors"), ("b", "model-00002-of-00002.safetensors")])
        _ = try folder.write(shard("a", "b"), "model.fp16.safetensors")
        #expect(try Checkpoint.open(folder.path).report.files == 1)
    }

    /// Programs that convert write a table once, and leave its other names in the index.
    @Test func theOtherNamesOfOneTableNeedNotBeThere() throws {
        _ = try folder.write(shard("shared.weight", "a"), "1.safetensors")
        let names = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "a"]
        #expect(try Checkpoint.open(index(names.map { ($0, "1.safetensors") })).names == ["a", "shared.weight"])
        _ = try folder.write(shard("a"), "1.safetensors")
        #expect(try refusal(index(names.map { ($0, "1.safetensors") })).contains("shared.weight"))
    }

    /// diffusers' repositories keep a file for other programs beside the weights.
    @Test func aVariantBesideWhatOthersReadIsTheFoldersCheckpoint() throws {
        _ = try folder.write(shard("a"), "diffusion_pytorch_model.fp16.safetensors")
        _ = try folder.write(shard("b"), "diffusion_pytorch_model.non_ema.safetensors")
        try folder.write("OpenVINO", "openvino_model.bin")
        #expect(try Checkpoint.open(folder.path).names == ["a"])
    }

    @Test func whatAnIndexDoesNotListIsThereAllTheSame() throws {
        _ = try folder.write(shard("a", "extra"), "1.safetensors")
        #expect(try Checkpoint.open(index([("a", "1.safetensors")])).names == ["a", "extra"])
    }

    @Test func everythingThatIsWrongIsSaidAtOnce() throws {
        _ = try folder.write(shard("a", "twice"), "1.safetensors")
        _ = try folder.write(shard("b", "twice"), "2.safetensors")
        try folder.write("<html>", "3.safetensors")
        let problem = try refusal(
            index([
                ("a", "1.safetensors"), ("lost", "1.safetensors"), ("twice", "2.safetensors"), ("c", "3.safetensors"),
                ("d", "4.safetensors"), ("b", "1.safetensors"),
            ]))
        for part in [
            "3.safetensors: it is a web page", "4.safetensors: No such file or directory",
            "lost should be in 1.safetensors and is not", "b should be in 1.safetensors and is not",
            "twice is in 1.safetensors and 2.safetensors",
        ] {
            #expect(problem.contains(part), "\(problem)")
        }
    }

    @Test func anIndexNamesFilesBesideIt() throws {
        for name in ["../1.safetensors", "/etc/passwd", "x/1.safetensors", "", ".hidden"] {
            #expect(try refusal(index([("a", name)])).contains("is no file name"), "\(name)")
        }
        #expect(try refusal(folder.write(#"{"a":1}"#, "x.json")).contains("has a weight_map"))
        #expect(try refusal(index([("a", "1"), ("a", "2")])).contains("it gives a twice"))
    }

    /// A part of a model must not be taken for the whole.
    @Test func aShardWithoutItsIndexSaysWhatIsMissing() throws {
        let first = try folder.write(shard("a"), "model-00001-of-00002.safetensors")
        _ = try folder.write(shard("b"), "model-00002-of-00002.safetensors")
        for place in [first, folder.path] {
            #expect(try refusal(place).contains("it is one of 2 shards, and model.safetensors.index.json"))
        }
        #expect(Checkpoint.candidates(in: folder.path) == [first] && Checkpoint.whole(of: first) == first)
        let list = try index(
            [("a", "model-00001-of-00002.safetensors"), ("b", "model-00002-of-00002.safetensors")])
        #expect(try Checkpoint.open(first).names == ["a"] && Checkpoint.whole(of: first) == list)
        #expect(Checkpoint.indexedNames(at: folder.path) == ["a", "b"])
        for name in ["net.fp16-00001-of-00002.safetensors", "net-00001-of-00002.fp16.safetensors"] {
            let variant = try folder.write(shard("d"), name)
            #expect(try refusal(variant).contains("shards, and net.safetensors.index.fp16.json"))
        }
        for name in [
            "other-00001-of-00001", "other-1-of-2", "other-00001-in-00002", "other-+0001-of-00002", "-00001-of-00002",
        ] {
            let only = try folder.write(shard("c"), name + ".safetensors")
            #expect(try Checkpoint.open(only).names == ["c"], "\(name)")
        }
    }

    @Test func aFolderHoldsOneCheckpoint() throws {
        #expect(try refusal(folder.path).contains("the folder holds no weights"))
        _ = try folder.write(shard("a"), "first.safetensors")
        #expect(try Checkpoint.open(folder.path).names == ["a"])
        _ = try folder.write(shard("b"), "second.pth")
        #expect(try refusal(folder.path).contains("several weights, name one: first.safetensors, second.pth"))
        _ = try folder.write(shard("c"), "model.safetensors")
        #expect(try Checkpoint.open(folder.path).names == ["c"])
    }

    @Test func anotherContainerStandsInForAMissingFile() throws {
        let torch = HandmadeTorchArchive(
            [("w", { $0.tensor([1], [1], 0) { $0.storage("FloatStorage", "0", 1) } })],
            [("0", HandmadeTorchArchive.floats([3]))])
        _ = try folder.write(torch.bytes, "transformer.pth")
        #expect(try Checkpoint.open(folder.path + "/transformer.safetensors").tensor("w").floats() == [3])
        _ = try folder.write(shard("a"), "transformer.safetensors")
        #expect(try Checkpoint.open(folder.path + "/transformer.safetensors").names == ["a"])
        #expect(try refusal(folder.path + "/other.safetensors") == "No such file or directory")
    }
}
