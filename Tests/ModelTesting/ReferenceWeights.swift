import Foundation
import Layers
import Tensors

/// The sine of i² + phase for i from 0 on: numbers that a reference implementation was given alike.
package func wave(_ shape: [Int], phase: Int = 0) -> Tensor { wave(shape, phase: phase, scale: 1, from: 0) }

private func wave(_ shape: [Int], phase: Int, scale: Double, from middle: Double) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float(sin(Double($0 * $0 + phase)) * scale + middle) }, shape: shape)
}

/// The weights with which a reference implementation computed what a test expects: of the k-th by name a wave of phase
/// k, in vectors half of one around 1, otherwise over the root of the numbers in a row.
/// - Parameter build: makes the model, which asks for its weights.
package func waveWeights(_ build: (Weights) -> Void) -> Weights {
    let planned = Weights(.planned)
    build(planned)
    var tensors: [String: Tensor] = [:]
    for (phase, weight) in planned.plan.sorted(by: { $0.name < $1.name }).enumerated() {
        let row = weight.shape.dropFirst().reduce(1, *)
        let isVector = weight.shape.count == 1
        tensors[weight.name] = wave(
            weight.shape, phase: phase, scale: isVector ? 0.5 : 1 / Double(row).squareRoot(), from: isVector ? 1 : 0)
    }
    return Weights(.checkpoint(tensors))
}
