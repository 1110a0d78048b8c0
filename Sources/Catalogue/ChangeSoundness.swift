import Checkpoints

extension NamedChanges.Change {
    /// What is wrong with its numbers: values that are none, or a change that drowns the weight; nil where nothing is.
    /// - Parameter weight: the numbers of what it changes, [out, in].
    /// - Throws: `CheckpointError` where numbers cannot be read.
    func problem(changing weight: [Float]) throws -> String? {
        let (a, b) = (try down.floats(), try up.floats())
        guard scale.isFinite, a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else {
            return "it holds values that are no numbers"
        }
        let limit = Double(Self.largestRatio) * max(weight.norm, 1e-15)
        // The product of the norms is an upper bound; few adapters need more.
        guard Double(abs(scale)) * a.norm * b.norm > limit else { return nil }
        let ratio = Double(abs(scale)) * Self.norm(b, a, rank: rank) / limit * Double(Self.largestRatio)
        guard ratio > Double(Self.largestRatio) else { return nil }
        return "it would change the weight by \(Float(ratio)) times its own size; is its alpha right?"
    }

    /// Whether it changes nothing.
    /// - Throws: `CheckpointError` where numbers cannot be read.
    var isZero: Bool {
        get throws { try scale == 0 || up.floats().allSatisfy { $0 == 0 } || down.floats().allSatisfy { $0 == 0 } }
    }

    /// ‖up · down‖, as the root of tr(upᵀup · down downᵀ).
    private static func norm(_ up: [Float], _ down: [Float], rank: Int) -> Double {
        let (outputs, inputs) = (up.count / rank, down.count / rank)
        var trace = 0.0
        for i in 0..<rank {
            for j in 0..<rank {
                var (ups, downs) = (0.0, 0.0)
                for row in 0..<outputs { ups += Double(up[row * rank + i]) * Double(up[row * rank + j]) }
                for column in 0..<inputs {
                    downs += Double(down[i * inputs + column]) * Double(down[j * inputs + column])
                }
                trace += ups * downs
            }
        }
        return max(trace, 0).squareRoot()
    }
}

extension [Float] {
    fileprivate var norm: Double { reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
}
