import ComputeTesting
import Layers
import Tensors
import Testing

@testable import Lab

@Suite(.computing) struct CodeRestartsTests {
    /// A code is idle for a hundred steps before it starts anew: who goes on from a checkpoint must know since when.
    @Test func aRunThatGoesOnRestartsTheSameCodes() throws {
        let features = Tensor((0..<16).map { Float($0) }, shape: [1, 2, 2, 4])
        func restarts() -> CodeRestarts {
            CodeRestarts(codebook: Tensor(zeros: [3, 2]), seed: 1, purpose: 1)
        }
        func optimizer(_ restarts: CodeRestarts) -> RememberingOptimizer {
            let rule = AdamW([Parameter(name: "w", value: Tensor(zeros: [2]))], AdamW.Options(learningRate: 1))
            return RememberingOptimizer(rule, beside: [(name: "idle", tensor: restarts.idle)])
        }
        let (undisturbed, resumed) = (restarts(), restarts())
        for _ in 0..<60 { #expect(undisturbed.note([0, 1, 0]) == 2) }
        try OptimizerState(optimizer(undisturbed)).restore(optimizer(resumed))
        for restarts in [undisturbed, resumed] {
            for _ in 0..<41 { _ = restarts.note([0, 1, 0]) }
            restarts.restartIdleCodes(from: features, step: 101)
        }
        #expect(undisturbed.codebook.values == resumed.codebook.values)
        #expect(
            resumed.codebook.values[0..<4].allSatisfy { $0 == 0 } && resumed.codebook.values[4...].contains { $0 != 0 })
    }
}
