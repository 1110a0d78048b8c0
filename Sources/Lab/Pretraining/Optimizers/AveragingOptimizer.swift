import Layers
import Tensors

/// A rule whose parameters' running averages are kept beside it, written down and restored with it: diffusion models
/// draw with the averages of the last steps' weights (Ho et al., arXiv 2006.11239, section 4).
final class AveragingOptimizer: WrappingOptimizer {
    private static let prefix = "average."
    /// Early averages forget faster: at step t no more than (1 + t)/(10 + t) is kept.
    private let mostKept: Float = 0.999
    let rule: any Optimizer
    private let averages: [(parameter: Parameter, average: Tensor)]

    init(_ rule: any Optimizer, of parameters: [Parameter]) {
        self.rule = rule
        averages = parameters.map { ($0, $0.value.copy()) }
    }

    var memory: [(name: String, tensor: Tensor)] {
        rule.memory + averages.map { (AveragingOptimizer.prefix + $0.parameter.name, $0.average) }
    }

    func update() -> Float {
        let norm = rule.update()
        let kept = min(mostKept, Float(1 + step) / Float(10 + step))
        for (parameter, average) in averages {
            let difference = parameter.value.copy()
            difference.accumulate(average, scale: -1)
            average.accumulate(difference, scale: 1 - kept)
        }
        return norm
    }

    /// Does something while the parameters are the averages.
    func withAverages<Result>(_ body: () -> Result) -> Result {
        swapped()
        defer { swapped() }
        return body()
    }

    private func swapped() {
        for (parameter, average) in averages {
            let value = parameter.value.copy()
            parameter.value.assign(average)
            average.assign(value)
        }
    }

    /// The averages in a checkpoint, by the parameters' names.
    static func averages(in state: OptimizerState) throws -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: try state.tensors.compactMap { name, tensor in
                name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), tensor) : nil
            })
    }
}
