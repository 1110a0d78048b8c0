import CKernels
import Tensors

extension Tensor {
    /// A loss's gradient, scaled by what arrives at its single number: in place, for a backward pass runs once, and
    /// logits over many classes are large.
    func scaled(by dOutput: Tensor) -> Tensor {
        let factor = dOutput.pointer[0]
        guard factor != 1 else { return self }
        let target = pointer
        parallel(count, grain: 1 << 14) {
            atelier_scale(target + $0.lowerBound, target + $0.lowerBound, factor, $0.count)
        }
        return self
    }
}

/// Sums `body` over 64 fixed shares of `0..<count`, in order, whatever the number of threads.
private func sum(_ count: Int, _ body: (Range<Int>) -> Double) -> Double {
    let shares = min(count, 64)
    var partial = [Double](repeating: 0, count: shares)
    partial.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let base = buffer.baseAddress!
        parallel(shares, grain: 1) { range in
            for share in range { base[share] = body(count * share / shares..<count * (share + 1) / shares) }
        }
    }
    return partial.reduce(0, +)
}

/// The mean of all elements.
package struct Mean: Operation {
    package static let name = "mean"
    package static var examples: [OperationExample] { [OperationExample(Mean(), [.example([2, 3])])] }
    private var shape: [Int] = []
    package init() {}

    /// x of any shape → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        shape = inputs[0].shape
        return Tensor([Float(inputs[0].sum / Double(inputs[0].count))], shape: [1])
    }

    /// ∂/∂x like x, from ∂/∂y [1].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        [Tensor(repeating: dOutput.pointer[0] / Float(shape.reduce(1, *)), shape: shape)]
    }
}

/// Σ over tokens and bits of weight[token] · two-class cross-entropy. Input: logits [B, L, 2·d], bit j from entries 2j
/// (bit 0) and 2j+1.
package struct BitCrossEntropy: Operation {
    package static let name = "bitCrossEntropy"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                BitCrossEntropy(bits: [0, 1, 1, 0, 1, 1], weights: [0.5, 1, 0.25]), [.example([1, 3, 4], scale: 2)])
        ]
    }
    /// [B, L, d], each 0 or 1.
    let bits: [UInt8]
    /// [B, L].
    let weights: [Float]
    private var gradient: Tensor?
    /// bits [B, L, d], each 0 or 1; weights [B, L].
    package init(bits: [UInt8], weights: [Float]) {
        precondition(!weights.isEmpty && bits.count % weights.count == 0)
        self.bits = bits
        self.weights = weights
    }

    /// logits [B, L, 2·d] → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let logits = inputs[0]
        let perToken = bits.count / weights.count
        precondition(logits.count == 2 * bits.count, "bitCrossEntropy: logits \(logits.shape) for \(bits.count) bits")
        let gradient = Tensor(uninitialized: logits.shape)
        self.gradient = gradient
        let total = bits.withUnsafeBufferPointer { bits in
            weights.withUnsafeBufferPointer { weights in
                nonisolated(unsafe) let (b, w) = (bits.baseAddress!, weights.baseAddress!)
                return sum(weights.count) { tokens in
                    let first = tokens.lowerBound * perToken
                    return atelier_bit_cross_entropy(
                        gradient.pointer + 2 * first, logits.pointer + 2 * first, b + first, w + tokens.lowerBound,
                        tokens.count * perToken, perToken)
                }
            }
        }
        return Tensor([Float(total)], shape: [1])
    }

    /// ∂/∂logits [B, L, 2·d], from ∂/∂loss [1].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [gradient!.scaled(by: dOutput)] }
}

/// Σ over tokens and bits of weight[token] · KL(teacher ‖ student). Inputs: student logits [B, L, 2·d], teacher logits
/// (a constant).
package struct BitDivergence: Operation {
    package static let name = "bitDivergence"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                BitDivergence(weights: [0.5, 1, 0.25]),
                [.example([1, 3, 4], scale: 2), .example([1, 3, 4], seed: 2, scale: 2)],
                differentiable: [true, false])
        ]
    }
    let weights: [Float]
    private var gradient: Tensor?
    /// weights [B, L].
    package init(weights: [Float]) { self.weights = weights }

    /// student [B, L, 2·d], teacher alike → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let student = inputs[0]
        let teacher = inputs[1]
        let perToken = student.count / 2 / weights.count
        precondition(student.count == teacher.count)
        let gradient = Tensor(uninitialized: student.shape)
        self.gradient = gradient
        let total = weights.withUnsafeBufferPointer { weights in
            nonisolated(unsafe) let w = weights.baseAddress!
            return sum(weights.count) { tokens in
                let first = 2 * tokens.lowerBound * perToken
                return atelier_bit_divergence(
                    gradient.pointer + first, student.pointer + first, teacher.pointer + first, w + tokens.lowerBound,
                    tokens.count * perToken, perToken)
            }
        }
        return Tensor([Float(total)], shape: [1])
    }

    /// ∂/∂student [B, L, 2·d], from ∂/∂loss [1]; the teacher gets none.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [gradient!.scaled(by: dOutput), nil] }
}

/// Mean softmax cross-entropy of logits [R, classes] over the rows whose target is not negative.
package struct CrossEntropy: Operation {
    package static let name = "crossEntropy"
    package static var examples: [OperationExample] {
        [OperationExample(CrossEntropy(targets: [2, -1, 0]), [.example([3, 4], scale: 2)])]
    }
    let targets: [Int32]
    private var gradient: Tensor?
    /// targets [R]: the class of each row, negative where the row does not count.
    package init(targets: [Int32]) { self.targets = targets }

    /// logits [R, classes] → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let logits = inputs[0]
        let losses = Tensor(uninitialized: [targets.count])
        let gradient = Tensor(uninitialized: logits.shape)
        precondition(logits.rows == targets.count && targets.allSatisfy { Int($0) < logits.width })
        let counted = max(targets.count { $0 >= 0 }, 1)
        targets.withUnsafeBufferPointer { targets in
            nonisolated(unsafe) let base = targets.baseAddress!
            parallel(targets.count, grain: 16) {
                atelier_cross_entropy(
                    losses.pointer, gradient.pointer, logits.pointer, base, 1 / Float(counted), $0.lowerBound,
                    $0.upperBound, logits.width)
            }
        }
        self.gradient = gradient
        return Tensor([Float(losses.sum / Double(counted))], shape: [1])
    }

    /// ∂/∂logits [R, classes], from ∂/∂loss [1].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [gradient!.scaled(by: dOutput)] }
}

/// Mean of (a − b)².
package struct SquaredError: Operation {
    package static let name = "squaredError"
    package static var examples: [OperationExample] {
        [OperationExample(SquaredError(), [.example([2, 3]), .example([2, 3], seed: 2)])]
    }
    private var difference: Tensor?
    package init() {}

    /// a and b of one shape → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let difference = inputs[0].copy()
        difference.accumulate(inputs[1], scale: -1)
        self.difference = difference
        return Tensor([Float(difference.sumOfSquares / Double(difference.count))], shape: [1])
    }

    /// ∂/∂a and ∂/∂b like a, from ∂/∂loss [1].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let factor = 2 * dOutput.pointer[0] / Float(difference!.count)
        return [Float(1), -1].enumerated().map { index, sign -> Tensor? in
            guard needs[index] else { return nil }
            let d = Tensor(uninitialized: difference!.shape)
            atelier_scale(d.pointer, difference!.pointer, factor * sign, d.count)
            return d
        }
    }
}

/// Mean of |a − b|; the gradient at zero is zero.
package struct AbsoluteError: Operation {
    package static let name = "absoluteError"
    package static var examples: [OperationExample] {
        [OperationExample(AbsoluteError(), [.example([2, 3]), .example([2, 3], seed: 5, scale: 3)])]
    }
    private var difference: Tensor?
    package init() {}

    /// a and b of one shape → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let difference = inputs[0].copy()
        difference.accumulate(inputs[1], scale: -1)
        self.difference = difference
        var total = 0.0
        for i in 0..<difference.count { total += Double(abs(difference.pointer[i])) }
        return Tensor([Float(total / Double(difference.count))], shape: [1])
    }

    /// ∂/∂a and ∂/∂b like a, from ∂/∂loss [1].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let factor = dOutput.pointer[0] / Float(difference!.count)
        let source = difference!.pointer
        return [factor, -factor].enumerated().map { index, signed -> Tensor? in
            guard needs[index] else { return nil }
            let d = Tensor(uninitialized: difference!.shape)
            let target = d.pointer
            for i in 0..<d.count { target[i] = source[i] > 0 ? signed : source[i] < 0 ? -signed : 0 }
            return d
        }
    }
}
