import Autograd
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Tensors
import Testing

@Suite(.computing) struct WeightsTests {
    private let found: [String: Tensor] = ["same": Tensor([1, 2], shape: [2]), "other": Tensor([3], shape: [1])]

    private func weights(_ source: Weights.Source) -> (weights: Weights, values: [[Float]]) {
        let weights = Weights(source)
        let parameters = [("same", [2]), ("other", [2]), ("none", [1])].map { weights.parameter($0, $1, .constant(7)) }
        return (weights, parameters.map { Array(UnsafeBufferPointer(start: $0.value.pointer, count: $0.value.count)) })
    }

    @Test func aCheckpointMustHaveEverything() {
        let error = #expect(throws: WeightsError.self) { try weights(.checkpoint(found)).weights.verify() }
        #expect(error?.problems == ["other has shape [1], expected [2]", "none is missing, expected shape [1]"])
    }

    @Test func aSingleNumberMayStandInARowOfOne() throws {
        let weights = Weights(.checkpoint(found))
        let parameter = weights.parameter("other", [], .zeros)
        try weights.verify()
        #expect(parameter.shape == [] && parameter.value.values == [3])
    }

    @Test func whatDoesNotFitStartsFreshAndIsSaid() throws {
        let (weights, values) = weights(.fitting(found, seed: 1))
        try weights.verify()
        #expect(values == [[1, 2], [7, 7], [7]])
        #expect(weights.problems == ["other has shape [1], expected [2]", "none is missing, expected shape [1]"])
    }

    /// A layer's matrix and bias from a file in bfloat16, beside the same numbers in single precision.
    private func layers(
        _ body: (_ held: LinearLayer, _ widened: LinearLayer) throws -> Void
    ) throws {
        let folder = try TestFolder()
        let tensors: [String: Tensor] = [
            "a.weight": Tensor((0..<6).map { Float($0) / 4 - 0.5 }, shape: [2, 3]),
            "a.bias": Tensor([1, -1], shape: [2]),
        ]
        try Safetensors.write(tensors, to: "\(folder.path)/w.safetensors", precision: .bfloat16)
        let held = Weights(.stored(try .open("\(folder.path)/w.safetensors")))
        try body(
            LinearLayer(held, "a", from: 3, to: 2), LinearLayer(Weights(.checkpoint(tensors)), "a", from: 3, to: 2))
        try held.verify()
    }

    @Test func aMatrixInBFloat16StaysThereUntilItsNumbersAreAskedFor() throws {
        try layers { held, widened in
            #expect(held.weight.mapped != nil && held.bias?.mapped == nil)
            let x = Variable(Tensor([1, 2, 3, -1, 0.5, 0.25], shape: [2, 3]))
            #expect(held(x).value.values == widened(x).value.values)
            #expect(held.weight.sumOfSquares == widened.weight.sumOfSquares)
            #expect(held.weight.mapped != nil)
            #expect(held.weight.value.values == widened.weight.value.values)
            #expect(held.weight.mapped == nil)
        }
    }

    @Test func aTableInBFloat16StaysThereWhileItsRowsAreRead() throws {
        let folder = try TestFolder()
        let numbers = Tensor((0..<6).map { Float($0) / 4 - 0.5 }, shape: [3, 2])
        try Safetensors.write(["t": numbers], to: "\(folder.path)/w.safetensors", precision: .bfloat16)
        let weights = Weights(.stored(try .open("\(folder.path)/w.safetensors")))
        let table = weights.parameter("t", [3, 2], .zeros, isTable: true)
        try weights.verify()
        #expect(table.rows([2, 0, 2]).value.values == [0.5, 0.75, -0.5, -0.25, 0.5, 0.75])
        #expect(table.mean(ofRows: [1, 2] as [Int32]).values == [0.25, 0.5])
        #expect(table.mapped != nil)
    }

    /// A model's file converted to eight bits: [96, 64], tables, and a row of zeros among the matrix's.
    @Test func aMatrixInEightBitsIsWithinHalfAStepOfItsNumbers() throws {
        let folder = try TestFolder()
        let matrix = Tensor.example([96, 64])
        for i in 0..<64 { matrix.pointer[5 * 64 + i] = 0 }
        let tensors = [
            "a.weight": matrix, "a.bias": Tensor.example([96], seed: 2),
            "embedding.weight": .example([96, 64], seed: 3), "plain": .example([96, 64], seed: 4),
            "embed_tokens.weight": .example([96, 64], seed: 5), "cfg_uncond": .example([96, 64], seed: 6),
        ]
        try Safetensors.write(tensors, to: "\(folder.path)/w.safetensors")
        let original = try Checkpoint.open("\(folder.path)/w.safetensors")
        try CheckpointConversion(original, precision: .int8).write("\(folder.path)/i.safetensors")
        let converted = try Checkpoint.open("\(folder.path)/i.safetensors")
        #expect(try converted.tensor("a.weight").type == .int8 && converted.tensor("a.weight_scale").shape == [96, 1])
        let weights = Weights(.stored(converted))
        let layer = LinearLayer(weights, "a", from: 64, to: 96)
        #expect(layer.weight.mapped != nil)
        let table = weights.parameter("embedding.weight", [96, 64], .zeros)
        #expect(table.value.values == tensors["embedding.weight"]!.values, "it may be one of codes")
        let unprompted = weights.parameter("cfg_uncond", [96, 64], .zeros)
        #expect(unprompted.value.values == tensors["cfg_uncond"]!.values, "it stands in a prompt's place")
        let tokens = weights.parameter("embed_tokens.weight", [96, 64], .zeros, isTable: true)
        let rows = tokens.rows([7, 0, 7]).value.values
        #expect(tokens.mapped != nil)
        #expect(rows == [7, 0, 7].flatMap { tokens.value.slice($0..<$0 + 1).values })
        // A matrix that is not projected through is widened when it is read.
        let plain = weights.parameter("plain", [96, 64], .zeros)
        try weights.verify()
        for (kept, given) in [
            (plain.value, tensors["plain"]!), (layer.weight.value, matrix),
            (tokens.value, tensors["embed_tokens.weight"]!),
        ] {
            for row in 0..<96 {
                let range = row * 64..<(row + 1) * 64
                let (kept, given) = (kept.values[range], given.values[range])
                let step = given.map { abs($0) }.max()! / 127
                #expect(zip(kept, given).allSatisfy { abs($0 - $1) <= 0.5001 * step })
            }
        }
    }

    /// A matrix [96, 64] whose row 5 holds one number alone, converted to eight bits.
    private func converted(row number: Float) throws -> Checkpoint {
        let folder = try TestFolder()
        let matrix = Tensor.example([96, 64])
        for i in 0..<64 { matrix.pointer[5 * 64 + i] = number }
        try Safetensors.write(["a.weight": matrix], to: "\(folder.path)/w.safetensors")
        let original = try Checkpoint.open("\(folder.path)/w.safetensors")
        try CheckpointConversion(original, precision: .int8).write("\(folder.path)/i.safetensors")
        return try Checkpoint.open("\(folder.path)/i.safetensors")
    }

    /// As weight decay leaves rows that nothing has needed for long: the reciprocal of their largest is infinite.
    @Test(arguments: [Float.leastNonzeroMagnitude, .leastNormalMagnitude / 8, -10 * Float.leastNormalMagnitude])
    func aRowOfTheSmallestNumbersBecomesZerosInEightBits(number: Float) throws {
        let converted = try converted(row: number)
        #expect(try converted.tensor("a.weight").integers()[5 * 64..<6 * 64].allSatisfy { $0 == 0 })
        #expect(try converted.tensor("a.weight_scale").floats()[5] == 0)
        let weights = Weights(.stored(converted))
        let layer = LinearLayer(weights, "a", from: 64, to: 96, bias: false)
        try weights.verify()
        #expect(layer.weight.value.values[5 * 64..<6 * 64].allSatisfy { $0 == 0 })
    }

    @Test(arguments: [Float.nan, .infinity])
    func whatIsNoNumberIsNotPutIntoEightBits(number: Float) throws {
        let error = #expect(throws: CheckpointError.self) { try converted(row: number) }
        #expect(error?.problem.contains("a.weight holds values that are no numbers") == true)
    }

    /// On a full disk.
    @Test func aConversionThatCannotBeWrittenNamesItsFile() throws {
        let conversion = CheckpointConversion(try converted(row: 1), precision: .stored)
        let error = #expect(throws: CheckpointError.self) { try conversion.write("/dev/full") }
        #expect(error?.path == "/dev/full" && error?.problem.hasPrefix("it could not be written: ") == true)
        #expect(error?.errorNumber == ENOSPC)
    }

    @Test func scalesThatDoNotFitAreSaid() throws {
        let folder = try TestFolder()
        let file = "\(folder.path)/w.safetensors"
        let codes = ByteTensor(zeros: [64, 64])
        try Safetensors.write(["a.weight_scale": .example([63, 1])], codes: ["a.weight": codes], to: file)
        // What is written are bytes without a sign; the type is changed where the header says it.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let range = try #require(bytes.range(of: Data(#""U8""#.utf8)))
        bytes.replaceSubrange(range, with: Data(#""I8""#.utf8))
        try bytes.write(to: URL(fileURLWithPath: file))
        let weights = Weights(.stored(try .open(file)))
        _ = weights.parameter("a.weight", [64, 64], .zeros, isProjection: true)
        let error = #expect(throws: WeightsError.self) { try weights.verify() }
        #expect(error?.problems.first?.contains("63 scales for a tensor of shape [64, 64]") == true)
    }

    @Test func aMatrixThatLearnsIsHeldInSinglePrecision() throws {
        try layers { held, widened in
            held.weight.isTrainable = true
            #expect(held.weight.mapped == nil && held.weight.value.values == widened.weight.value.values)
        }
    }

    @Test func aMatrixInBFloat16MustBeFinite() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/w.safetensors"
        try Safetensors.write(
            ["a.weight": Tensor([1, .infinity], shape: [1, 2])], to: path, precision: .bfloat16)
        let weights = Weights(.stored(try .open(path)))
        _ = LinearLayer(weights, "a", from: 2, to: 1, bias: false)
        #expect(throws: WeightsError.self) { try weights.verify() }
    }
}
