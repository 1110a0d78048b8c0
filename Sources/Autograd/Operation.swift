import Tensors

/// One differentiable operation: what it computes, and how a gradient goes back through it.
///
/// A value type: its stored properties are the operation's attributes and, after `forward`, exactly what `backward`
/// needs.
package protocol Operation {
    /// The name in the operation table.
    static var name: String { get }
    /// Instances with inputs on which the gradient check compares `backward` with finite differences.
    static var examples: [OperationExample] { get }

    /// The output for `inputs`; keeps in `self` what `backward` will read.
    mutating func forward(_ inputs: [Tensor]) -> Tensor

    /// ∂loss/∂input for each input whose `needs` is true (others may be nil), given `dOutput` = ∂loss/∂output.
    /// Must not write to `dOutput`; may return it, or one tensor for several inputs.
    func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?]

    /// The matrix products' multiplications, for profiles; none by default.
    var products: Products { get }

    /// Whether the output is memory of its own and costs little beside it, and the inputs are kept anyway: then those
    /// who keep it for the way back keep only how to compute it. False by default.
    static var isCheap: Bool { get }
}

extension Operation {
    /// Most have a product, or return what they were given.
    package static var isCheap: Bool { false }
}

/// An operation with inputs to try it on.
package struct OperationExample {
    /// What is tried.
    package let operation: any Operation
    /// Its inputs, of shapes small enough for finite differences.
    package let inputs: [Tensor]
    /// Which inputs are differentiated; the others (targets, masks given as numbers) are constants.
    package let differentiable: [Bool]

    /// All inputs are differentiated unless told otherwise.
    package init(_ operation: any Operation, _ inputs: [Tensor], differentiable: [Bool]? = nil) {
        self.operation = operation
        self.inputs = inputs
        self.differentiable = differentiable ?? inputs.map { _ in true }
    }
}

/// Every operation there is. An operation outside this table is outside the gradient check, so a test also holds the
/// table against the types declared in this module.
package enum OperationTable {
    /// In no order that matters.
    package static var all: [any Operation.Type] {
        [
            Add.self, AddRows.self, Multiply.self, MultiplyRows.self, AddGatedRows.self, Scale.self, GELU.self,
            SiLU.self, Linear.self, MappedLinear.self,
            LayerNorm.self,
            RMSNorm.self, GroupNorm.self, Heads.self, Attention.self, Columns.self, Gather.self, Concatenate.self,
            SliceTokens.self,
            Reshape.self, SwapPlanes.self, Convolution.self, UpsampleNearest.self, Resize.self, ReplaceRows.self,
            Mean.self,
            BitCrossEntropy.self, BitDivergence.self, CrossEntropy.self, Divergence.self, SquaredError.self,
            AbsoluteError.self,
            NormalizeRows.self, Differences.self, ExponentialGain.self, ReLU.self, MaxPool.self, DepthToSpace.self,
            SpaceToDepth.self, AddToChannels.self, JoinColumns.self, CropMap.self, Clamp.self, Recomputed.self,
        ]
    }
}

extension Tensor {
    /// Reproducible numbers for examples: roughly normal, from a small hash of the index.
    package static func example(_ shape: [Int], seed: UInt64 = 1, scale: Float = 1) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { index -> Float in
            var sum: Float = 0
            for part in 0..<4 {
                var z = (seed &* 1000 &+ UInt64(index)) &* 4 &+ UInt64(part) &+ 0x9E37_79B9_7F4A_7C15
                z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
                z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
                z ^= z >> 31
                sum += Float(z >> 40) / Float(1 << 24) - 0.5
            }
            return sum * 1.7 * scale
        }
        return Tensor(values, shape: shape)
    }
}
