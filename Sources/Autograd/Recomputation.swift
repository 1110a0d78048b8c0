import Tensors

/// A stretch of a computation of which only the inputs are kept: what lies between is computed once more on the way
/// back (Chen et al., arXiv 1604.06174). Takes a third more time, and the memory of one stretch instead of all.
struct Recomputed: Operation {
    static let name = "recomputed"
    static var examples: [OperationExample] {
        let body: ([Variable]) -> Variable = { Add().apply([GELU().apply([Multiply().apply($0)]), $0[0]]) }
        return [OperationExample(Recomputed(body), [.example([2, 3]), .example([2, 3], seed: 2)])]
    }

    private let body: ([Variable]) -> Variable
    private let finished: () -> Void
    private var inputs: [Tensor] = []

    init(_ body: @escaping ([Variable]) -> Variable, finished: @escaping () -> Void = {}) {
        (self.body, self.finished) = (body, finished)
    }

    mutating func forward(_ inputs: [Tensor]) -> Tensor {
        self.inputs = inputs
        return Recording.withoutGradients { body(inputs.map { Variable($0) }) }.value
    }

    func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let leaves = zip(inputs, needs).map { Variable($0, node: $1 ? Node() : nil) }
        Recording.$isOn.withValue(true) { body(leaves).backward(seed: dOutput) }
        finished()
        return leaves.map { $0.node?.gradient }
    }
}

/// `body` of `inputs`, recorded as one operation that computes itself anew on the way back. The gradients of the
/// weights that `body` reads are in their leaves then.
/// - Parameters:
///   - inputs: everything that `body` reads and that is not a leaf.
///   - pays: whether it is worth that; else it is recorded as it is, and kept.
///   - body: gives the same numbers each time.
///   - finished: called, of what is computed anew, on the way back when all of `body`'s gradients have arrived.
package func recomputed(
    _ inputs: [Variable], where pays: Bool, _ body: @escaping ([Variable]) -> Variable,
    finished: @escaping () -> Void = {}
) -> Variable {
    guard pays, Recording.isOn else { return body(inputs) }
    // Weights alone may learn, of which the inputs say nothing: a leaf has the way back pass here nevertheless.
    let leaf = Variable(Tensor(zeros: [1]), node: Node())
    return Recomputed(body, finished: finished).apply(inputs + [leaf])
}

/// The same of a stretch with several results, which are one while it is recorded.
package func recomputedTogether(
    _ inputs: [Variable], where pays: Bool, _ body: @escaping ([Variable]) -> [Variable]
) -> [Variable] {
    guard pays, Recording.isOn else { return body(inputs) }
    var shapes: [[Int]] = []
    let all = recomputed(inputs, where: true) { inputs in
        let results = body(inputs)
        shapes = results.map(\.shape)
        return Concatenate().apply(results.map { Reshape([1, $0.value.count, 1]).apply([$0]) })
    }
    var start = 0
    return shapes.map { shape in
        let range = start..<start + shape.reduce(1, *)
        start = range.upperBound
        return Reshape(shape).apply([SliceTokens(range).apply([all])])
    }
}
