import Autograd
import Backbones
import Glibc
import Layers
import Tensors

/// The teacher of a self-distillation: the student's slow average, and the centre that its answers are taken from.
struct DINOTeacher {
    let network: DINONetwork
    /// The mean of its answers so far, [prototypes].
    private let centre: Tensor
    private let settings: SelfDistillation

    init(_ network: DINONetwork, _ settings: SelfDistillation) {
        self.network = network
        self.settings = settings
        centre = Tensor(zeros: [settings.prototypes])
    }

    /// Everything it remembers.
    var memory: [(name: String, tensor: Tensor)] {
        [("centre", centre)] + network.weights.parameters.map { ("\(DINOTeacher.prefix)\($0.name)", $0.value) }
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
            for i in 0..<slow.value.count { slow.value.pointer[i] = momentum * slow.value.pointer[i] + (1 - momentum) * fast.value.pointer[i] }
        }
    }

    /// Its logits for large crops, centred and sharpened, [B, prototypes]; the centre moves towards them afterwards.
    func answers(_ pictures: Tensor) -> Tensor {
        let answers = Recording.withoutGradients { network(pictures).value.copy() }, mean = answers.meanRow, width = answers.width
        for i in 0..<answers.count { answers.pointer[i] = (answers.pointer[i] - centre.pointer[i % width]) / settings.teacherTemperature }
        for i in 0..<width { centre.pointer[i] += (1 - settings.centreMomentum) * (mean[i] - centre.pointer[i]) }
        return answers
    }
}

extension Tensor {
    fileprivate var meanRow: [Float] {
        let width = width, share = 1 / Float(rows)
        return (0..<count).reduce(into: [Float](repeating: 0, count: width)) { $0[$1 % width] += share * pointer[$1] }
    }
}
