import Autograd
import Checkpoints
import Tensors

/// A named weight of a model. Trainable ones are leaves of the recorded graph; frozen ones are constants and get no
/// gradient memory.
package final class Parameter {
    /// The name in the published checkpoints.
    package let name: String
    /// As the model asks for it; a matrix is [out, in].
    package let shape: [Int]
    private var stored: StoredWeight
    /// The leaf that gradients reach; nil of a frozen weight.
    package private(set) var node: Node?
    /// Low-rank changes that projections through this weight add.
    package var updates: [LowRankUpdate] = []
    /// The only one of them.
    package var update: LowRankUpdate? {
        get { updates.first }
        set { updates = newValue.map { [$0] } ?? [] }
    }
    /// Whether the model reads this weight by `project`, so that a low-rank update has an effect.
    package let isProjection: Bool

    /// A weight of these numbers, frozen until it is made trainable.
    package convenience init(name: String, value: Tensor, isProjection: Bool = false) {
        self.init(name: name, .single(value), isProjection: isProjection)
    }

    init(name: String, _ stored: StoredWeight, isProjection: Bool) {
        self.name = name
        self.stored = stored
        self.shape = stored.shape
        self.isProjection = isProjection
    }

    /// The numbers; a weight that is mapped is in single precision from the first use on, for they may be changed in
    /// place.
    package var value: Tensor {
        switch stored {
        case .single(let tensor): return tensor
        case .mapped(let matrix, let file):
            let tensor = matrix.widened
            stored = .single(tensor)
            file.forget()
            return tensor
        }
    }

    /// The weight as its file holds it, where it is multiplied with like that.
    package var mapped: MappedMatrix? {
        if case .mapped(let matrix, _) = stored { matrix } else { nil }
    }

    /// Rows [R, C] of a table [V, C], by their numbers; of one that stays in its file those alone are widened.
    package func rows(_ indices: [Int32]) -> Variable {
        mapped.map { Variable($0.widened(rows: indices)) } ?? Gather(indices).apply([variable])
    }

    /// The mean of some rows of a table [V, C], [1, C].
    package func mean(ofRows indices: some Collection<Int32>) -> Tensor {
        let rows = rows(Array(indices)).value
        let mean = Tensor(zeros: [1, shape[1]])
        for row in 0..<indices.count { mean.accumulate(rows.slice(row..<row + 1), scale: 1 / Float(indices.count)) }
        return mean
    }

    /// Σ of the squares of all numbers, however they are held.
    package var sumOfSquares: Double { mapped?.sumOfSquares ?? value.sumOfSquares }

    /// How many numbers.
    package var count: Int { shape.reduce(1, *) }

    /// The weight in a recorded graph, of its shape.
    package var variable: Variable { Variable(value, node: node) }
    /// What has arrived since it was last forgotten, of the weight's shape.
    package var gradient: Tensor? { node?.gradient }

    /// A weight that learns is held in single precision.
    package var isTrainable: Bool {
        get { node != nil }
        set {
            node = newValue ? node ?? Node() : nil
            if newValue { _ = value }
        }
    }

    /// Forgets the gradient, and frees its memory.
    package func clearGradient() { node?.gradient = nil }
}

/// How a weight is held.
enum StoredWeight {
    /// Floats, in memory of their own.
    case single(Tensor)
    /// [out, in] as its file has it, in the file's own memory.
    case mapped(MappedMatrix, StoredTensor)

    var shape: [Int] {
        switch self {
        case .single(let tensor): tensor.shape
        case .mapped(let matrix, _): [matrix.rows, matrix.columns]
        }
    }
}
