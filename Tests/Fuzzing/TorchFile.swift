import Checkpoints
import FileTesting

/// A checkpoint somebody else made with torch: the zip archive, the layout before it, and the pickles in both.
enum TorchFile: FuzzTarget {
    /// As it came; a bare pickle also as the object of both layouts, so that the search goes on behind their frames.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        open(bytes)
        guard bytes.first == 0x80 else { return }
        let archive = HandmadeTorchArchive(Array(bytes), [("0", storage), ("1", [])])
        archive.bytes.withUnsafeBufferPointer(open)
        archive.legacy().withUnsafeBufferPointer(open)
    }

    private static let storage = HandmadeTorchArchive.floats((0..<16).map { Float($0) })

    private static func open(_ bytes: UnsafeBufferPointer<UInt8>) {
        MemoryFile.write(bytes)
        do throws(CheckpointError) {
            let checkpoint = try Checkpoint.open(MemoryFile.path)
            for name in checkpoint.names { try read(checkpoint.tensor(name), within: bytes.count) }
            for section in checkpoint.report.otherSections {
                _ = try? Checkpoint.open(MemoryFile.path, section: section)
            }
            precondition(!checkpoint.report.description.isEmpty)
        } catch { precondition(error.path == MemoryFile.path && !error.problem.isEmpty) }
    }

    /// Reads a tensor in every way there is; a large one that repeats a few numbers would only take long.
    private static func read(_ tensor: StoredTensor, within size: Int) throws(CheckpointError) {
        if let raw = tensor.contiguousBytes { precondition(raw.count <= size) }
        guard tensor.count <= 1 << 16, tensor.type?.isReal == true else { return }
        let floats = try tensor.floats()
        precondition(floats.count == tensor.count)
        if tensor.type!.isInteger { _ = try? tensor.integers() }
    }

    private static func tensor(
        _ shape: [Int], _ strides: [Int], _ offset: Int = 0, type: String = "FloatStorage", view: Bool = false
    ) -> (inout PickleWriter) -> Void {
        { $0.tensor(shape, strides, offset) { $0.storage(type, "0", 16) { if view { $0.view("v", 4, 8) } } } }
    }

    private static let pickles: [String: [UInt8]] = {
        var flat = PickleWriter()
        flat.dictionary([
            ("module.a", tensor([4, 4], [4, 1])),
            ("module._orig_mod.b", tensor([2, 8], [1, 2], type: "FloatStorage")),
            ("module.c", tensor([3, 2], [0, 1], 14)),
        ])
        var wrapped = PickleWriter(version: 4)
        wrapped.dictionary([
            ("epoch", { $0.integer(1 << 40) }), ("args", object),
            ("vae_local", { $0.dictionary([("w", tensor([], []))]) }),
            ("state_dict", { $0.dictionary([("w", tensor([4], [2], 1, view: true))]) }),
        ])
        var third = PickleWriter(version: 5)
        third.dictionary([
            (
                "p",
                {
                    $0.global("torch._utils", "_rebuild_parameter")
                    $0.mark()
                    $0.rebuild("_rebuild_tensor_v3", [3], [1], 1) {
                        $0.storage("UntypedStorage", "0", 64)
                    } rest: {
                        $0.none()
                        $0.global("torch", "bfloat16")
                    }
                    $0.raw(Array("tR".utf8))
                }
            )
        ])
        return ["flat": flat.ended, "wrapped": wrapped.ended, "third": third.ended]
    }()

    /// An object of an unknown class with a state, items and elements, and what protocol 4 has beside.
    private static func object(_ pickle: inout PickleWriter) {
        pickle.raw([0x95, 8, 0, 0, 0, 0, 0, 0, 0])
        pickle.raw([0x8C, 2] + Array("os".utf8) + [0x94, 0x8C, 6] + Array("system".utf8) + [0x93])
        pickle.text("true")
        pickle.raw([0x85, UInt8(ascii: "R")])
        pickle.raw([0x8F, UInt8(ascii: "(")] + Array("K".utf8) + [7, 0x90])
        pickle.code("b")
        pickle.put(3)
        pickle.raw([0x8A, 10] + [UInt8](repeating: 0xFE, count: 10))
        pickle.code("a")
        pickle.get(3)
        pickle.raw([UInt8(ascii: "0"), UInt8(ascii: "G"), 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, UInt8(ascii: "a")])
    }

    static var seeds: [String: [UInt8]] {
        var seeds = pickles
        for (name, pickle) in pickles {
            let archive = HandmadeTorchArchive(pickle, [("0", storage)])
            seeds[name + "-zip"] = archive.bytes
            seeds[name + "-legacy"] = archive.legacy()
        }
        var wide = HandmadeTorchArchive(pickles["flat"]!, [("0", storage)]).zip
        wide.isWide = true
        wide.comment = "comment"
        seeds["wide"] = wide.bytes
        wide.entries += [.init("a/code/x.py", [1]), .init("a/constants.pkl", [1])]
        seeds["script"] = wide.bytes
        seeds["pointer"] = Array("version https://git-lfs.github.com/spec/v1\nsize 12\n".utf8)
        seeds["index"] = Array(#"{"weight_map":{"w":"a.bin","v":"../b"}}"#.utf8)
        return seeds
    }

    static let words = [
        "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_from_type_v2",
        "torch._utils", "torch._tensor", "torch", "Size", "collections", "OrderedDict", "storage", "HalfStorage",
        "BFloat16Storage", "LongStorage", "BoolStorage", "UntypedStorage", "float8_e4m3fn", "state_dict", "model",
        "ema",
        "trainer", "gpt_fsdp", "module.", "_orig_mod.", "a/data.pkl", "a/data/0", "PK", "little_endian", "big",
    ]
}
