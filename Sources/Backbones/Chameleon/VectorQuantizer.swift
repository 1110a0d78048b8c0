import Autograd
import Layers
import Tensors

/// A codebook: every feature becomes its nearest code (van den Oord et al., arXiv 1711.00937). Weight name:
/// `<name>.weight` [codes, e].
package struct VectorQuantizer {
    /// [codes, e].
    package let codebook: Parameter

    init(_ weights: Weights, _ name: String, codes: Int, width: Int) {
        codebook = weights.parameter("\(name).weight", [codes, width], .uniform(fanIn: width))
    }

    /// A codebook [codes, e] as it lies.
    init(codebook: Tensor) { self.codebook = Parameter(name: "codebook", value: codebook) }

    /// Rows of the codebook.
    var codes: Int { codebook.shape[0] }

    /// The nearest code of every position of `features` [B, e, h, w]: indices [B · h · w], row by row; the first of
    /// equals.
    package func indices(_ features: Tensor) -> [Int32] {
        let (batch, width, positions) = (features.shape[0], features.shape[1], features.shape[2] * features.shape[3])
        let rows = SwapPlanes.swapped(features.reshaped([batch, width, positions]))
        let count = batch * positions
        let products = Tensor(uninitialized: [count, codes])
        let table = codebook.value
        let norms = squaredNorms
        multiply(
            Matrix(rows.pointer, stride: width), Matrix(table.pointer, stride: width, transposed: true),
            into: Matrix(products.pointer, stride: codes), m: count, n: codes, k: width)
        return (0..<count).map { row in
            // ‖z − c‖² less ‖z‖², which all codes share.
            var best = 0
            var least = Float.infinity
            for code in 0..<codes {
                let distance = norms[code] - 2 * products.pointer[row * codes + code]
                if distance < least { (best, least) = (code, distance) }
            }
            return Int32(best)
        }
    }

    /// The codes of `indices` as features [B, e, h, w].
    package func features(_ indices: [Int32], batch: Int, height: Int, width: Int) -> Variable {
        let rows = Gather(indices).apply([codebook.variable])
        let channels = codebook.shape[1]
        return SwapPlanes().apply([rows.reshaped([batch, height * width, channels])]).reshaped([
            batch, channels, height, width,
        ])
    }

    /// ‖c‖² of every code.
    private var squaredNorms: [Float] {
        let table = codebook.value
        return (0..<codes).map { Float(table.slice($0..<$0 + 1).sumOfSquares) }
    }
}
