import Autograd
import Tensors

/// A low-rank change of a frozen matrix (LoRA, Hu et al., arXiv 2106.09685): W x becomes W x + scale · B (A x).
/// Weight names, as PEFT has them: `<module>.lora_A.weight` [r, in] and `<module>.lora_B.weight` [out, r].
package final class LowRankUpdate {
    /// A.
    package let down: Parameter
    /// B.
    package let up: Parameter
    /// α/r.
    package let scale: Float
    /// A factor of each column of B · A, [1, in]; nil: one (ZipLoRA, arXiv 2311.13600, section 3.3).
    package let columns: Parameter?
    /// The tokens it acts on; nil: all.
    package let activity: TokenActivity?

    /// - Precondition: A [r, in] and B [out, r] have one rank.
    package init(
        down: Parameter, up: Parameter, scale: Float, columns: Parameter? = nil, activity: TokenActivity? = nil
    ) {
        precondition(down.shape[0] == up.shape[1], "\(down.name) and \(up.name) have different ranks")
        self.down = down
        self.up = up
        self.scale = scale
        self.columns = columns
        self.activity = activity
    }

    /// What is added to W x; x [.., in] → [.., out].
    func callAsFunction(_ x: Variable) -> Variable {
        let x = columns.map { MultiplyRows(rowsPerGroup: x.value.rows).apply([x, $0.variable]) } ?? x
        return Linear().apply([scale * Linear().apply([x, down.variable]), up.variable])
    }

    /// The same change with the factors multiplied into A.
    package var folded: LowRankUpdate {
        guard let columns else { return self }
        let scaled = Tensor(uninitialized: down.shape)
        for row in 0..<down.shape[0] {
            for column in 0..<down.shape[1] {
                let place = row * down.shape[1] + column
                scaled.pointer[place] = down.value.pointer[place] * columns.value.pointer[column]
            }
        }
        let a = Parameter(name: down.name, value: scaled)
        return LowRankUpdate(down: a, up: up, scale: scale, activity: activity)
    }

    /// scale · B · A [out, in], its columns by their factors.
    package var matrix: Tensor {
        let down = folded.down
        let (rank, inputs) = (down.shape[0], down.shape[1])
        let outputs = up.shape[0]
        let product = Tensor(uninitialized: [outputs, inputs])
        multiply(
            Matrix(up.value.pointer, stride: rank), Matrix(down.value.pointer, stride: inputs),
            into: Matrix(product.pointer, stride: inputs),
            m: outputs, n: inputs, k: rank, alpha: scale)
        return product
    }
}

extension Parameter {
    /// x · wᵀ (+ bias), w [out, in] with its low-rank updates.
    package func project(_ x: Variable, bias: Variable? = nil) -> Variable {
        let bias = bias.map { [$0] } ?? []
        let y = mapped.map { MappedLinear($0).apply([x] + bias) } ?? Linear().apply([x, variable] + bias)
        return updates.reduce(y) { $1.added(to: $0, of: x) }
    }
}
