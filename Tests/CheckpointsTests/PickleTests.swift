import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Testing

/// Pickles are data: whatever they name, nothing is called, and reading them needs no more than they are long.
@Suite(.computing) struct PickleTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private let tensor: (inout PickleWriter) -> Void = {
        $0.tensor([2], [1], 0) { $0.storage("FloatStorage", "0", 2) }
    }
    private let storages: [(key: String, bytes: [UInt8])] = [("0", HandmadeTorchArchive.floats([1, 2]))]

    private func open(_ pickle: [UInt8], section: String? = nil) throws -> Checkpoint {
        try Checkpoint.open(folder.write(HandmadeTorchArchive(pickle, storages).bytes), section: section)
    }

    /// A flat state dict of `w` and one other thing.
    private func open(beside write: @escaping (inout PickleWriter) -> Void) throws -> Checkpoint {
        var pickle = PickleWriter()
        pickle.dictionary([("other", write), ("w", tensor)])
        return try open(pickle.ended)
    }

    private func refusal(_ write: (inout PickleWriter) -> Void) throws -> String {
        var pickle = PickleWriter()
        write(&pickle)
        return try #require(throws: CheckpointError.self) { try open(pickle.ended) }.problem
    }

    @Test func nothingIsEverCalled() throws {
        let trace = folder.path + "/called"
        let commands: [(String, String)] = [
            ("os", "system"), ("posix", "system"), ("subprocess", "check_output"), ("builtins", "eval"),
        ]
        for (module, name) in commands {
            let checkpoint = try open { pickle in
                pickle.global(module, name)
                pickle.text("touch \(trace)")
                pickle.raw([0x85])
                pickle.code("R")
            }
            #expect(try checkpoint.tensor("w").floats() == [1, 2] && checkpoint.names == ["w"])
            #expect(checkpoint.report.foreignClasses == ["\(module).\(name)"])
            #expect(checkpoint.report.otherNames == ["other"])
        }
        #expect(!FileManager.default.fileExists(atPath: trace))
    }

    @Test func objectsOfUnknownClassesAreLeftAsTheyAre() throws {
        let checkpoint = try open { pickle in
            pickle.global("copy_reg", "_reconstructor")
            pickle.global("some.library", "Thing")
            pickle.raw([0x85])
            pickle.code("R")
            // The state that __setstate__ would be given, then items and elements it would set.
            pickle.dictionary([("__setstate__", { $0.global("os", "system") })])
            pickle.code("b")
            pickle.text("key")
            pickle.integer(1)
            pickle.code("s")
            pickle.integer(5)
            pickle.code("a")
            pickle.integer(1 << 40)
            pickle.code("0")
        }
        #expect(try checkpoint.tensor("w").floats() == [1, 2])
        #expect(checkpoint.report.foreignClasses == ["copy_reg._reconstructor"])
        let error = try #require(throws: CheckpointError.self) { try checkpoint.tensor("other") }
        #expect(error.problem == "other is no tensor, but an object that is not read")
    }

    @Test func deepAndSharedStructuresCostWhatTheyAreLong() throws {
        let deep = try open { pickle in
            pickle.code("N")
            for _ in 0..<1_000_000 { pickle.raw([0x85]) }
        }
        #expect(try deep.tensor("w").floats() == [1, 2])
        // Each list holds the one before it twice: 2^200 elements, were they counted.
        let bomb = try open { pickle in
            pickle.code("]")
            for level in 0..<200 {
                pickle.put(UInt8(level))
                pickle.code("]")
                pickle.mark()
                pickle.get(UInt8(level))
                pickle.get(UInt8(level))
                pickle.code("e")
            }
        }
        #expect(try bomb.tensor("w").floats() == [1, 2])
        // A dictionary that is its own value.
        let ring = try open { pickle in
            pickle.code("}")
            pickle.put(1)
            pickle.text("model")
            pickle.get(1)
            pickle.code("s")
        }
        #expect(ring.names == ["w"])
    }

    @Test func aMillionRememberedValuesAreRefusedBeforeTheMemoryIsSpent() throws {
        let error = try refusal { pickle in
            pickle.none()
            for key in 0..<UInt32(1 << 22) + 1 {
                pickle.code("r")
                pickle.raw(HandmadeSafetensors.littleEndian(key))
            }
        }
        #expect(error.contains("it remembers more than 4194304 values"))
    }

    @Test func protocol4IsRead() throws {
        var pickle = PickleWriter(version: 4)
        pickle.raw([0x95] + HandmadeSafetensors.littleEndian(UInt64(4)))
        pickle.code("}")
        pickle.raw([0x94])
        // The global by names on the stack, and a short text.
        pickle.raw([0x8C, 1, UInt8(ascii: "w")])
        pickle.raw([0x8C, 12] + Array("torch._utils".utf8))
        pickle.raw([0x8C, 18] + Array("_rebuild_tensor_v2".utf8) + [0x93, 0x94])
        pickle.mark()
        pickle.storage("FloatStorage", "0", 2)
        pickle.integer(0)
        pickle.raw([UInt8(ascii: "K"), 2, 0x85, UInt8(ascii: "K"), 1, 0x85])
        pickle.boolean(false)
        pickle.none()
        pickle.raw([UInt8(ascii: "t"), UInt8(ascii: "R"), UInt8(ascii: "s")])
        #expect(try open(pickle.ended).tensor("w").floats() == [1, 2])
    }

    @Test func brokenPicklesAreRefusedAtTheirPlace() throws {
        #expect(try refusal { _ in } == "its data.pkl, byte 2: it ends with 0 values, not one")
        #expect(try refusal { $0.code("R") }.contains("byte 2: it takes a value where there is none"))
        #expect(try refusal { $0.code("t") }.contains("a mark where there is none"))
        #expect(try refusal { $0.get(7) }.contains("it recalls value 7"))
        #expect(try refusal { $0.raw([0xFE]) }.contains("instruction 0xfe is none that torch writes"))
        #expect(try refusal { $0.raw([0x80, 9]) }.contains("protocol 9"))
        #expect(try refusal { $0.raw([0x8E] + [UInt8](repeating: 0xFF, count: 8)) }.contains("it ends in the middle"))
        #expect(try refusal { $0.raw([0x8B, 0xFF, 0xFF, 0xFF, 0xFF]) }.contains("a length is negative"))
        #expect(try refusal { $0.raw([0x95] + [UInt8](repeating: 0x7F, count: 8)) }.contains("a frame reaches"))
        #expect(try refusal { $0.code("c") }.contains("a name has no end"))
        #expect(
            try refusal { p in
                p.code("]")
                p.integer(1)
                p.integer(2)
                p.code("s")
            }.contains("no such container"))
        #expect(
            try refusal { p in
                p.none()
                p.integer(1)
                p.code("a")
            }.contains("what is no container"))
        #expect(
            try refusal { p in
                p.code("}")
                p.mark()
                p.integer(1)
                p.code("u")
            }.contains("a key has no value"))
        let older = try #require(throws: CheckpointError.self) { try open(Array("(lp0\n.".utf8)) }
        #expect(older.problem.contains("byte 0: it does not begin with the number of its protocol"))
        // What is below a mark is out of reach.
        #expect(
            try refusal { p in
                p.none()
                p.mark()
                p.raw([0x85])
            }.contains("takes a value where there is none"))
    }

    @Test func wrappersAreTakenOffAndNamed() throws {
        for (path, names) in [
            ("vae", ["vae"]), ("trainer.gpt_ema_fsdp", ["trainer", "gpt_ema_fsdp"]), ("model", ["model"]),
            ("state_dict.module", ["state_dict", "module"]), ("ema_state_dict", ["ema_state_dict"]),
            ("model_ema.module", ["model_ema", "module"]), ("model_state_dict", ["model_state_dict"]),
            ("teacher", ["teacher"]),
        ] {
            var pickle = PickleWriter()
            func nest(_ rest: ArraySlice<String>) -> (inout PickleWriter) -> Void {
                guard let first = rest.first else { return { $0.dictionary([("w", self.tensor)]) } }
                return { $0.dictionary([("epoch", { $0.integer(1) }), (first, nest(rest.dropFirst()))]) }
            }
            nest(names[...])(&pickle)
            let checkpoint = try open(pickle.ended)
            #expect(checkpoint.report.section == path && checkpoint.names == ["w"])
        }
    }

    @Test func anotherWrapperIsReadWhereItIsNamed() throws {
        func weights(_ name: String) -> (inout PickleWriter) -> Void { { $0.dictionary([(name, self.tensor)]) } }
        var pickle = PickleWriter()
        pickle.dictionary([
            ("state_dict", weights("b")), ("ema", weights("a")), ("odd", weights("c")), ("args", { $0.code("}") }),
        ])
        var averaged = PickleWriter()
        averaged.dictionary([("model", weights("b")), ("model_ema", weights("a"))])
        #expect(try open(averaged.ended).report.section == "model_ema")
        let checkpoint = try open(pickle.ended)
        #expect(checkpoint.names == ["a"] && checkpoint.report.section == "ema")
        #expect(checkpoint.report.otherSections == ["state_dict", "odd"])
        #expect(try open(pickle.ended, section: "odd").names == ["c"])
        let error = try #require(throws: CheckpointError.self) { try open(pickle.ended, section: "args") }
        #expect(error.problem == "it has no tensors in args; there are tensors in state_dict, ema, odd")
    }

    /// What some programs keep of an average is how it is taken.
    @Test func aWrapperOfAFewNumbersIsNotTakenForTheWeights() throws {
        func weights(_ names: [String]) -> (inout PickleWriter) -> Void {
            { pickle in pickle.dictionary(names.map { ($0, self.tensor) }) }
        }
        var pickle = PickleWriter()
        pickle.dictionary([("ema", weights(["decay"])), ("model", weights((0..<9).map { "w\($0)" }))])
        let report = try open(pickle.ended).report
        #expect(report.section == "model" && report.tensors == 9 && report.otherSections == ["ema"])
    }

    @Test func whatHoldsNoTensorsIsToldForWhatItIs() throws {
        var pickle = PickleWriter()
        pickle.dictionary([("history", { $0.dictionary([("w", self.tensor)]) }), ("epoch", { $0.integer(1) })])
        let nested = try #require(throws: CheckpointError.self) { try open(pickle.ended) }.problem
        #expect(nested.contains("there are tensors in history; its outermost keys: history, epoch"))
        let network: (inout PickleWriter) -> Void = { pickle in
            pickle.global("torchvision.models", "AlexNet")
            pickle.code(")")
            pickle.raw([0x81])
            pickle.code("}")
            pickle.code("b")
        }
        let whole = "one object of class torchvision.models.AlexNet, not a state dict"
        #expect(try refusal(network).contains("it is \(whole)"))
        #expect(try refusal { $0.dictionary([("model", network)]) }.contains("its model is \(whole)"))
        #expect(try refusal(tensor).contains("it is one tensor, not a state dict"))
        #expect(try refusal { $0.integer(3) }.contains("it holds no tensors"))
    }

    @Test func whatModulesWereWrappedInLeavesTheNames() throws {
        func names(_ names: String...) throws -> (names: [String], prefixes: [String]) {
            var pickle = PickleWriter()
            pickle.dictionary(names.map { ($0, tensor) })
            let checkpoint = try open(pickle.ended)
            return (checkpoint.names, checkpoint.report.strippedPrefixes)
        }
        #expect(try names("module.a", "module.b.c") == (["a", "b.c"], ["module."]))
        // A model's own part may have that name.
        #expect(try names("module.a", "block.0.module.b") == (["block.0.module.b", "module.a"], []))
        #expect(
            try names("module._orig_mod.a", "module._orig_mod.b._fsdp_wrapped_module.c") == (
                ["a", "b.c"], ["_orig_mod.", "_fsdp_wrapped_module.", "module."]
            ))
        #expect(try names("a._checkpoint_wrapped_module.b") == (["a.b"], ["_checkpoint_wrapped_module."]))
        // Lightning's modules hold the model, transformers' have a part of that name.
        #expect(try names("model.a", "model.b.c") == (["a", "b.c"], ["model."]))
        #expect(try names("model.module.a") == (["a"], ["model.", "module."]))
        #expect(try names("model.model.layers.0.a", "model.b") == (["b", "model.layers.0.a"], ["model."]))
        #expect(
            try names("model.layers.0.attention.w", "model.norm.weight")
                == (["layers.0.attention.w", "norm.weight"], ["model."]), "LlamaGen's layers behind Lightning's name")
        for own in ["model.layers.0.self_attn.a", "model.diffusion_model.a"] {
            #expect(try names(own, "model.b") == (["model.b", own].sorted(), []))
        }
        #expect(try names("model.a", "b") == (["b", "model.a"], []))
        // A vision transformer beside the head that DINO teaches it with.
        #expect(
            try names("module.backbone.cls_token", "module.backbone.blocks.0.w", "module.head.w")
                == (["blocks.0.w", "cls_token", "head.w"], ["module.", "backbone."]))
        #expect(try names("backbone.a", "head.b") == (["backbone.a", "head.b"], []))
        #expect(try names("my_orig_mod.a") == (["my_orig_mod.a"], []))
        #expect(throws: CheckpointError.self) { try names("a", "_orig_mod.a") }
    }

    /// transformers 5 writes CLIP's text tower so where it stands alone, as the first of SDXL and FLUX.1 does.
    @Test func aLoneTextTowerHasThePublishedNames() throws {
        let own = ["embeddings.token_embedding.weight", "encoder.layers.0.layer_norm1.bias", "final_layer_norm.bias"]
        var pickle = PickleWriter()
        pickle.dictionary((own + ["other.weight"]).map { ($0, tensor) })
        #expect(try open(pickle.ended).names == ["other.weight"] + own.map { "text_model.\($0)" })
    }
}
