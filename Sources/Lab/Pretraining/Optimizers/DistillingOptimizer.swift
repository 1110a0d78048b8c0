import Layers
import Tensors

/// A student's optimizer with a teacher that follows at every step; what the teacher remembers is written down and
/// restored with it.
final class DistillingOptimizer: WrappingOptimizer {
    let rule: any Optimizer
    private let student: DINONetwork
    private let teacher: DINOTeacher
    private let steps: Int

    /// - Parameter steps: of the whole training, over which the teacher comes to a stand.
    init(_ rule: any Optimizer, student: DINONetwork, teacher: DINOTeacher, steps: Int) {
        (self.rule, self.student, self.teacher, self.steps) = (rule, student, teacher, steps)
    }

    var memory: [(name: String, tensor: Tensor)] { rule.memory + teacher.memory }

    func update() -> Float {
        let norm = rule.update()
        teacher.follow(student, progress: Float(rule.step) / Float(max(steps, 1)))
        return norm
    }
}
