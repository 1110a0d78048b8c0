import Autograd
import ComputeTesting
import Layers
import Tensors
import Testing

@Suite(.computing) struct MuonTests {
    /// Newton–Schulz keeps the singular vectors: x·xᵀ of the result is near the identity, and symmetric inputs stay
    /// symmetric.
    @Test(arguments: [(16, 40), (40, 16), (24, 24)])
    func everySingularValueComesNearOne(rows: Int, columns: Int) {
        let x = Tensor.example([rows, columns], scale: 3)
        let result = Muon.orthogonalized(x, rows: rows, columns: columns)
        let small = min(rows, columns)
        let large = max(rows, columns)
        let wide = rows <= columns
        func at(_ i: Int, _ j: Int) -> Float {
            wide ? result.pointer[i * columns + j] : result.pointer[j * columns + i]
        }
        // The squares of the singular values sum to the trace; each lies in 0.7…1.2 but for directions that were next
        // to nothing.
        let trace = (0..<small).reduce(Float(0)) { sum, i in (0..<large).reduce(sum) { $0 + at(i, $1) * at(i, $1) } }
        #expect(trace > 0.5 * Float(small) && trace < 1.45 * Float(small))
        // The result descends along x: ⟨x, U·Vᵀ⟩ is the sum of x's singular values, well above what any other rotation
        // gives.
        let inner = zip(x.values, result.values).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        #expect(inner > 0.7 * Float(x.sumOfSquares).squareRoot())
    }

    /// A linear layer (a matrix and a bias) learns a known map.
    @Test func learnsALinearMap() {
        let weights = Weights(.fresh(seed: 3))
        let layer = LinearLayer(weights, "layer", from: 20, to: 16)
        weights.train { _ in true }
        let optimizer = Muon(weights.trainable, learningRate: 0.2, weightDecay: 0)
        let x = Tensor.example([64, 20])
        let truth = Tensor.example([16, 20], seed: 9)
        let target = Linear().apply([Variable(x), Variable(truth)])
        var losses: [Float] = []
        for step in 0..<300 {
            optimizer.learningRate = 0.2 * (1 - Float(step) / 300)
            let loss = SquaredError().apply([layer(Variable(x)), target.detached])
            loss.backward()
            optimizer.update()
            losses.append(loss.scalar)
        }
        #expect(losses.last! < 0.01 * losses[0], "\(losses[0]) → \(losses.last!)")
    }

    /// A state written in mid-run and restored into another optimizer goes on to the same bits.
    @Test func resumesToTheSameBits() throws {
        func run(_ steps: Range<Int>, from state: OptimizerState?) throws -> OptimizerState {
            let weights = Weights(.fresh(seed: 3))
            let layer = LinearLayer(weights, "layer", from: 20, to: 16)
            weights.train { _ in true }
            let optimizer = Muon(weights.trainable, learningRate: 0.02, weightDecay: 0.1)
            try state?.restore(optimizer)
            for step in steps {
                SquaredError().apply([
                    layer(Variable(.example([8, 20], seed: UInt64(step)))), Variable(.example([8, 16])),
                ]).backward()
                optimizer.update()
            }
            return try OptimizerState(
                step: optimizer.step, tensors: OptimizerState(optimizer).tensors.mapValues { $0.copy() })
        }
        let whole = try run(0..<6, from: nil)
        let parts = try run(3..<6, from: run(0..<3, from: nil))
        #expect(whole.step == 6 && parts.step == 6)
        let resumed = try parts.tensors
        for (name, tensor) in try whole.tensors { #expect(tensor.values == resumed[name]?.values, "\(name)") }
    }
}
