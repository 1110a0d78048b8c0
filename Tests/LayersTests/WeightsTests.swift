import Autograd
import Checkpoints
import ComputeTesting
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
            #expect(held.weight.rounded != nil && held.bias?.rounded == nil)
            let x = Variable(Tensor([1, 2, 3, -1, 0.5, 0.25], shape: [2, 3]))
            #expect(held(x).value.values == widened(x).value.values)
            #expect(held.weight.sumOfSquares == widened.weight.sumOfSquares)
            #expect(held.weight.rounded != nil)
            #expect(held.weight.value.values == widened.weight.value.values)
            #expect(held.weight.rounded == nil)
        }
    }

    @Test func aMatrixThatLearnsIsHeldInSinglePrecision() throws {
        try layers { held, widened in
            held.weight.isTrainable = true
            #expect(held.weight.rounded == nil && held.weight.value.values == widened.weight.value.values)
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
