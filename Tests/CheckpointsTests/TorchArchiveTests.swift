import Checkpoints
import ComputeTesting
import FileTesting
import Testing

/// What torch.save can say about tensors, in both layouts.
@Suite(.computing) struct TorchArchiveTests {
    private let folder: TestFolder
    private let six = HandmadeTorchArchive.floats([0, 1, 2, 3, 4, 5])

    init() throws { folder = try TestFolder() }

    private func open(_ archive: HandmadeTorchArchive) throws -> Checkpoint {
        try Checkpoint.open(folder.write(archive.bytes))
    }

    private func view(
        _ shape: [Int], _ strides: [Int], _ offset: Int = 0, type: String = "FloatStorage"
    )
        -> (inout PickleWriter) -> Void
    {
        { $0.tensor(shape, strides, offset) { $0.storage(type, "0", 6) } }
    }

    @Test func oneStorageBacksSeveralViews() throws {
        let archive = HandmadeTorchArchive(
            [
                ("whole", view([2, 3], [3, 1])), ("transposed", view([3, 2], [1, 3])), ("slice", view([2], [2], 1)),
                ("expanded", view([2, 2, 3], [0, 3, 1])), ("scalar", view([], [], 5)), ("none", view([0, 4], [4, 1])),
                ("blocks", view([2, 1, 2], [3, 9, 1], 1)),
            ], [("0", six)])
        let checkpoint = try open(archive)
        func values(_ name: String) throws -> [Float] { try checkpoint.tensor(name).floats() }
        #expect(try values("whole") == [0, 1, 2, 3, 4, 5])
        #expect(try values("transposed") == [0, 3, 1, 4, 2, 5])
        #expect(try values("slice") == [1, 3] && values("scalar") == [5] && values("none") == [])
        #expect(try values("expanded") == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
        #expect(try values("blocks") == [1, 2, 4, 5])
        #expect(try checkpoint.shape(of: "blocks") == [2, 1, 2] && checkpoint.tensor("none").shape == [0, 4])
        #expect(try checkpoint.tensor("whole").contiguousBytes.map(Array.init) == six)
        #expect(try checkpoint.tensor("transposed").contiguousBytes == nil)
        #expect(try checkpoint.tensor("slice").contiguousBytes == nil)
        #expect(checkpoint.report.container == .torchArchive && checkpoint.report.parameters == 6 + 6 + 2 + 12 + 1 + 4)
    }

    @Test func typesAreRead() throws {
        let archive = HandmadeTorchArchive(
            [
                ("half", { $0.tensor([2], [1], 0) { $0.storage("HalfStorage", "h", 2) } }),
                ("long", { $0.tensor([1], [1], 0) { $0.storage("LongStorage", "l", 1) } }),
                ("complex", { $0.tensor([1], [1], 0) { $0.storage("ComplexFloatStorage", "l", 1) } }),
                ("odd", { $0.tensor([7], [1], 0) { $0.storage("NibbleStorage", "l", 1) } }),
                (
                    "float8",
                    {
                        $0.rebuild("_rebuild_tensor_v3", [3], [1], 1) {
                            $0.storage("UntypedStorage", "h", 4)
                        } rest: {
                            $0.none()
                            $0.global("torch", "float8_e4m3fn")
                        }
                    }
                ),
            ], [("h", [0x00, 0x3C, 0x00, 0xC0]), ("l", HandmadeSafetensors.littleEndian(Int64.min + 1))])
        let checkpoint = try open(archive)
        #expect(try checkpoint.tensor("half").floats() == [1, -2] && checkpoint.tensor("half").type == .float16)
        #expect(try checkpoint.tensor("long").integers() == [Int.min + 1])
        // 0x3C, 0 and 0xC0 as float8: 1.5, 0, -2.
        #expect(try checkpoint.tensor("float8").floats() == [1.5, 0, -2])
        for name in ["complex", "odd"] {
            let error = try #require(throws: CheckpointError.self) { try checkpoint.tensor(name).floats() }
            #expect(error.problem.contains("\(name) is ") && error.problem.contains("which is not read"))
        }
    }

    @Test func whatLiesOutsideOfItsStorageIsNamed() throws {
        let wrong: [(String, [Int], [Int], Int)] = [
            ("long", [7], [1], 0), ("late", [2], [1], 5), ("far", [2, 2], [5, 1], 0),
            ("overflowing", [2], [Int.max], 2),
            ("huge", [Int.max, 2], [0, 0], 0), ("negative", [2], [-1], 3), ("before", [1], [1], -1),
            ("impossible", [-3], [1], 0), ("uneven", [2, 3], [1], 0),
        ]
        let archive = HandmadeTorchArchive(
            wrong.map { ($0.0, view($0.1, $0.2, $0.3)) } + [("right", view([6], [1]))], [("0", six)])
        let error = try #require(throws: CheckpointError.self) { try open(archive) }
        for (name, _, _, _) in wrong.prefix(8) { #expect(error.problem.contains("\(name) "), "\(error.problem)") }
        #expect(error.problem.hasSuffix("; and 1 more") && !error.problem.contains("right"))
        for (name, shape, strides, offset) in wrong {
            let one = HandmadeTorchArchive([(name, view(shape, strides, offset))], [("0", six)])
            #expect(throws: CheckpointError.self, "\(name)") { try open(one) }
        }
    }

    @Test func aStorageThatIsShorterThanItSaysIsRefused() throws {
        let archive = HandmadeTorchArchive([("w", view([2], [1]))], [("0", Array(six.dropLast(4)))])
        #expect(try refusal(archive.bytes).contains("w is in storage 0 of 6 numbers, of which the file holds 5"))
        let none = HandmadeTorchArchive([("w", view([2], [1]))])
        #expect(try refusal(none.bytes).contains("w is in storage 0, which the file does not hold"))
    }

    @Test func repeatingAFewBytesHasAnEnd() throws {
        let archive = HandmadeTorchArchive(
            [("bomb", view([1 << 20, 1 << 20], [0, 0])), ("fine", view([6], [1]))], [("0", six)])
        let checkpoint = try open(archive)
        #expect(try checkpoint.tensor("fine").floats().count == 6)
        let error = try #require(throws: CheckpointError.self) { try checkpoint.tensor("bomb").floats() }
        try CheckpointConversion(checkpoint, precision: .stored).write(folder.path + "/copy.safetensors")
        #expect(try Checkpoint.open(folder.path + "/copy.safetensors").names == ["fine"])
        #expect(error.problem == "bomb repeats 6 numbers to 1099511627776; at most 67108864 are allowed")
    }

    @Test func parametersAndSubclassesAreTheTensorTheyAreMadeOf() throws {
        let parameter: (inout PickleWriter) -> Void = { pickle in
            pickle.global("torch._utils", "_rebuild_parameter")
            pickle.mark()
            self.view([6], [1])(&pickle)
            pickle.boolean(true)
            pickle.global("collections", "OrderedDict")
            pickle.code(")")
            pickle.code("R")
            pickle.code("t")
            pickle.code("R")
        }
        func subclass(_ module: String, _ function: String, _ pickle: inout PickleWriter) {
            pickle.global(module, function)
            pickle.mark()
            pickle.global("torch._utils", "_rebuild_tensor_v2")
            pickle.global("some.library", "Fancy")
            pickle.mark()
            pickle.storage("FloatStorage", "0", 6)
            pickle.integer(4)
            // A torch.Size is called with a tuple.
            pickle.global("torch", "Size")
            pickle.tuple([2])
            pickle.raw([0x85])
            pickle.code("R")
            pickle.tuple([1])
            pickle.boolean(false)
            pickle.none()
            pickle.code("t")
            pickle.code("}")
            pickle.code("t")
            pickle.code("R")
        }
        let checkpoint = try open(
            HandmadeTorchArchive(
                [
                    ("p", parameter), ("new", { subclass("torch._tensor", "_rebuild_from_type_v2", &$0) }),
                    ("old", { subclass("torch._tensor", "_rebuild_from_type", &$0) }),
                    ("oldest", { subclass("torch.tensor", "_rebuild_from_type", &$0) }),
                ], [("0", six)]))
        #expect(try checkpoint.tensor("p").floats() == [0, 1, 2, 3, 4, 5])
        for name in ["new", "old", "oldest"] { #expect(try checkpoint.tensor(name).floats() == [4, 5], "\(name)") }
    }

    /// What torch has negated is a view of what it was, marked as such.
    @Test func aNegatedViewIsNotReadAsWhatItWas() throws {
        func archive(_ isNegated: Bool) -> HandmadeTorchArchive {
            HandmadeTorchArchive(
                [
                    (
                        "w",
                        {
                            $0.rebuild("_rebuild_tensor_v2", [6], [1], 0) {
                                $0.storage("FloatStorage", "0", 6)
                            } rest: {
                                $0.none()
                                $0.dictionary([("neg", { $0.boolean(isNegated) })])
                            }
                        }
                    )
                ], [("0", six)])
        }
        #expect(try open(archive(false)).tensor("w").floats() == [0, 1, 2, 3, 4, 5])
        #expect(try refusal(archive(true).bytes).contains("w is the negative of what is stored"))
    }

    @Test func legacyFilesShareStoragesByViews() throws {
        let archive = HandmadeTorchArchive(
            [
                ("whole", { $0.tensor([6], [1], 0) { $0.storage("FloatStorage", "k", 6) { $0.none() } } }),
                (
                    "part",
                    { $0.tensor([2], [1], 1) { $0.storage("FloatStorage", "k", 6) { $0.view("v", 3, 3) } } }
                ),
            ], [("k", six)])
        let checkpoint = try Checkpoint.open(folder.write(archive.legacy()))
        #expect(checkpoint.report.container == .legacyTorch)
        #expect(try checkpoint.tensor("whole").floats() == [0, 1, 2, 3, 4, 5])
        #expect(try checkpoint.tensor("part").floats() == [4, 5])

        let outside = HandmadeTorchArchive(
            [("part", { $0.tensor([2], [1], 2) { $0.storage("FloatStorage", "k", 6) { $0.view("v", 3, 3) } } })],
            [("k", six)])
        #expect(try refusal(outside.legacy()).contains("part reaches to number 3 of a storage of 3"))
        let wrong = HandmadeTorchArchive(
            [("part", { $0.tensor([2], [1], 2) { $0.storage("FloatStorage", "k", 6) { $0.view("v", 5, 3) } } })],
            [("k", six)])
        #expect(try refusal(wrong.legacy()).contains("storage"))
    }

    @Test func legacyFilesAreHeldAgainstTheirLength() throws {
        let archive = HandmadeTorchArchive(
            [("w", { $0.tensor([6], [1], 0) { $0.storage("FloatStorage", "k", 6) { $0.none() } } })], [("k", six)])
        let bytes = archive.legacy()
        #expect(try refusal(Array(bytes.dropLast())).contains("it is cut short in storage k"))
        #expect(try refusal(Array(bytes.dropLast(26))).contains("it is cut short before storage k"))
        #expect(try refusal(Array(bytes.prefix(60))).contains("ends in the middle"))
        #expect(try refusal(archive.legacy(counts: [5])).contains("storage k has 5 numbers, and its object says 6"))
        #expect(try refusal(archive.legacy(counts: [Int.max])).contains("and its object says 6"))
        #expect(try refusal(archive.legacy(isLittleEndian: false)).contains("big-endian"))
        var twice = archive
        twice.storages.append(("k", six))
        #expect(try refusal(twice.legacy()).contains("storage k twice"))
        twice.storages[1].key = "other"
        #expect(try refusal(twice.legacy()).contains("does not name"))
    }

    private func refusal(_ bytes: [UInt8]) throws -> String {
        let path = try folder.write(bytes)
        let error = try #require(throws: CheckpointError.self) { try Checkpoint.open(path) }
        #expect(error.path == path)
        return error.problem
    }
}
