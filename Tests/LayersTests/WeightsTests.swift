import Layers
import Tensors
import Testing

@Suite struct WeightsTests {
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
}
