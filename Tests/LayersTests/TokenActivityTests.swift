import Autograd
import ComputeTesting
import Layers
import Tensors
import Testing

/// A low-rank change that acts on some rows alone.
@Suite(.computing) struct TokenActivityTests {
    private let weight = Parameter(name: "w", value: .example([3, 4]), isProjection: true)
    private let down = Parameter(name: "a", value: .example([2, 4], seed: 2))
    private let up = Parameter(name: "b", value: .example([3, 2], seed: 3))
    private let x = Tensor.example([5, 4], seed: 4)

    private func change(_ activity: TokenActivity? = nil) -> LowRankUpdate {
        LowRankUpdate(down: down, up: up, scale: 0.5, activity: activity)
    }

    private func rows(_ rows: [Int32], of x: Tensor) -> Tensor { Gather(rows).apply([Variable(x)]).value }

    /// ∂/∂A and ∂/∂B, from ∂/∂y.
    private func gradients(_ x: Tensor, _ dy: Tensor) throws -> [[Float]] {
        for parameter in [down, up] { parameter.isTrainable = true }
        weight.project(Variable(x)).backward(seed: dy)
        defer { for parameter in [down, up] { parameter.clearGradient() } }
        return try [down, up].map { try #require($0.gradient).values }
    }

    @Test func otherRowsAreThoseOfThePlainWeight() {
        let activity = TokenActivity()
        activity.text = ([3, 1], 5)
        let plain = weight.project(Variable(x)).value
        weight.updates = [change(activity)]
        let y = weight.project(Variable(x)).value
        #expect(rows([0, 2, 4], of: y).values == rows([0, 2, 4], of: plain).values)
        weight.updates = [change()]
        let whole = weight.project(Variable(x)).value
        #expect(largestDifference(rows([1, 3], of: y).values, rows([1, 3], of: whole).values) < 1e-5)
        #expect(rows([1, 3], of: y).values != rows([1, 3], of: plain).values)
    }

    @Test func whatIsLearntComesOfTheActiveRowsAlone() throws {
        let activity = TokenActivity()
        activity.text = ([3, 1], 5)
        let dy = Tensor.example([5, 3], seed: 5)
        weight.updates = [change(activity)]
        let found = try gradients(x, dy)
        weight.updates = [change()]
        let expected = try gradients(rows([3, 1], of: x), rows([3, 1], of: dy))
        for (a, b) in zip(found, expected) { #expect(largestDifference(a, b) < 1e-5) }
        let whole = try gradients(x, dy)
        #expect(largestDifference(found[0], whole[0]) > 1e-2 && largestDifference(found[1], whole[1]) > 1e-2)
    }
}
