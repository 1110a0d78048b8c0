import Autograd
import ComputeTesting
import Tensors
import Testing

/// ∂⟨r, f(x)⟩/∂x by central differences with one Richardson step (error O(h⁴)), against what `backward` says.
private struct GradientCheck {
    let example: OperationExample
    let weights: Tensor

    init(_ example: OperationExample) {
        self.example = example
        var operation = example.operation
        weights = .example(operation.forward(example.inputs).shape, seed: 77)
    }

    private func projected(_ inputs: [Tensor]) -> Double {
        var operation = example.operation
        let y = operation.forward(inputs)
        return zip(y.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    private func difference(_ input: Int, _ element: Int, step: Float) -> Double {
        func moved(_ by: Float) -> Double {
            var inputs = example.inputs
            inputs[input] = inputs[input].copy()
            inputs[input].pointer[element] += by
            return projected(inputs)
        }
        return (moved(step) - moved(-step)) / (2 * Double(step))
    }

    /// The largest |analytic − numeric| over all differentiable elements, relative to the largest gradient of that
    /// input; infinite where one of them is NaN.
    func largestError() -> Double {
        let leaves = example.inputs.indices.map { example.differentiable[$0] ? Node() : nil }
        let variables = zip(example.inputs, leaves).map { Variable($0, node: $1) }
        example.operation.apply(variables).backward(seed: weights)
        var worst = 0.0
        for (index, leaf) in leaves.enumerated() {
            guard let leaf else { continue }
            let analytic = leaf.gradient!.values.map(Double.init)
            let numeric = analytic.indices.map { element in
                (4 * difference(index, element, step: 0x1p-6) - difference(index, element, step: 0x1p-5)) / 3
            }
            let scale = max(numeric.map(abs).max() ?? 0, 1e-2)
            let error = largestDifference(analytic, numeric) / scale
            worst = error.isNaN ? .infinity : max(worst, error)
        }
        return worst
    }
}

@Suite(.computing) struct GradientCheckTests {
    @Test(arguments: OperationTable.all.indices)
    func everyOperationsGradientMatchesFiniteDifferences(index: Int) {
        let operation = OperationTable.all[index]
        let examples = operation.examples
        #expect(!examples.isEmpty, "\(operation.name) has no example, so nothing would be checked")
        for (number, example) in examples.enumerated() {
            let error = GradientCheck(example).largestError()
            #expect(error < 2e-3, "\(operation.name), example \(number): relative error \(error)")
        }
    }

    @Test func namesInTheTableAreUnique() {
        let names = OperationTable.all.map { $0.name }
        #expect(Set(names).count == names.count)
    }

    @Test func aWrongGradientIsCaught() {
        struct Wrong: Operation {
            static let name = "wrong"
            static var examples: [OperationExample] { [OperationExample(Wrong(), [.example([3])])] }
            mutating func forward(_ inputs: [Tensor]) -> Tensor { Tensor(inputs[0].values.map { $0 * $0 }, shape: [3]) }
            func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [dOutput] }
        }
        #expect(GradientCheck(Wrong.examples[0]).largestError() > 0.1)
    }

    @Test func aGradientThatIsNoNumberIsCaught() {
        struct Broken: Operation {
            static let name = "broken"
            static var examples: [OperationExample] { [OperationExample(Broken(), [.example([3])])] }
            mutating func forward(_ inputs: [Tensor]) -> Tensor { inputs[0].copy() }
            func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [Tensor(repeating: .nan, shape: [3])] }
        }
        #expect(GradientCheck(Broken.examples[0]).largestError() == .infinity)
    }

    @Test func aValueUsedThreeTimesCollectsAllItsGradients() {
        let leaf = Node()
        let x = Variable(Tensor([3], shape: [1]), node: leaf)
        let square = Multiply().apply([x, x])
        Add().apply([square, x]).backward()
        #expect(leaf.gradient!.values == [7])
    }

    /// Logits over many classes are large: there is one gradient of theirs, whatever it is multiplied by.
    @Test func aLossScalesItsGradientInPlace() {
        var loss = CrossEntropy(targets: [2, 0])
        _ = loss.forward([.example([2, 4])])
        let whole = loss.backward(Tensor([1], shape: [1]), needs: [true])[0]!
        let values = whole.values
        let half = loss.backward(Tensor([0.5], shape: [1]), needs: [true])[0]!
        #expect(half.pointer == whole.pointer && half.values == values.map { 0.5 * $0 })
    }
}
