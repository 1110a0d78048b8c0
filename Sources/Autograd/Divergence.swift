import CKernels
import Tensors

/// Mean over rows of KL(softmax(teacher) ‖ softmax(student)). Inputs: student logits [R, classes], teacher logits (a
/// constant).
package struct Divergence: Operation {
    package static let name = "divergence"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                Divergence(), [.example([3, 5], scale: 2), .example([3, 5], seed: 2, scale: 2)],
                differentiable: [true, false])
        ]
    }
    private var gradient: Tensor?
    package init() {}

    /// student [.., classes], teacher alike → [1].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let student = inputs[0]
        let teacher = inputs[1]
        let rows = student.rows
        precondition(student.shape == teacher.shape, "divergence: \(student.shape) and \(teacher.shape)")
        let losses = Tensor(uninitialized: [rows])
        let gradient = Tensor(uninitialized: student.shape)
        parallel(rows, grain: 16) {
            atelier_divergence(
                losses.pointer, gradient.pointer, student.pointer, teacher.pointer, 1 / Float(rows), $0.lowerBound,
                $0.upperBound, student.width)
        }
        self.gradient = gradient
        return Tensor([Float(losses.sum / Double(max(rows, 1)))], shape: [1])
    }

    /// ∂/∂student like student, from ∂/∂loss [1]; the teacher gets none.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [gradient!.scaled(by: dOutput), nil] }
}
