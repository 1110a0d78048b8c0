import Autograd
import Backbones
import Glibc
import Layers
import Tensors

/// The teacher of a self-distillation: the student's slow average.
struct DINOTeacher {
    let network: DINONetwork
    private let settings: SelfDistillation

    init(_ network: DINONetwork, _ settings: SelfDistillation) {
        self.network = network
        self.settings = settings
    }

    /// Everything it remembers.
    var memory: [(name: String, tensor: Tensor)] {
        network.weights.parameters.map { ("\(DINOTeacher.prefix)\($0.name)", $0.value) }
    }

    private static let prefix = "teacher."

    /// The network's part of a written memory, under the published names, without the head.
    static func model(in tensors: [String: Tensor]) -> [String: Tensor] {
        let own = tensors.filter { $0.key.hasPrefix(prefix) && !$0.key.hasPrefix("\(prefix)head.") }
        return Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }

    /// θ ← m·θ + (1 − m)·θ_student, m growing from its start to one along a cosine while `progress` goes from 0 to 1.
    func follow(_ student: DINONetwork, progress: Float) {
        let momentum = 1 - (1 - settings.momentum) * (cos(.pi * progress) + 1) / 2
        for (slow, fast) in zip(network.weights.parameters, student.weights.parameters) {
            for i in 0..<slow.count {
                slow.value.pointer[i] = momentum * slow.value.pointer[i] + (1 - momentum) * fast.value.pointer[i]
            }
        }
    }

    /// What the student must say of large crops, as logits [B, prototypes]: the network's answers, sharpened and shared
    /// out over the prototypes.
    func answers(_ pictures: Tensor) -> Tensor {
        let answers = Recording.withoutGradients { network(pictures).value.copy() }
        let sharpen = 1 / settings.teacherTemperature
        for i in 0..<answers.count { answers.pointer[i] *= sharpen }
        return BalancedAssignment.logarithms(of: answers)
    }
}
