import Tensors

/// A value in a computation: a tensor, and the node that can carry a gradient back to where it came from.
/// Without a node it is a constant: nothing computed from constants alone is recorded.
package struct Variable {
    /// The number or numbers, of any shape.
    package let value: Tensor
    /// Where a gradient goes back to; nil for a constant.
    package let node: Node?

    /// A constant.
    package init(_ value: Tensor) { self.init(value, node: nil) }

    /// `node` is what made `value`, or a leaf.
    package init(_ value: Tensor, node: Node?) {
        self.value = value
        self.node = node
    }

    /// Of the value.
    package var shape: [Int] { value.shape }
    /// The same value, cut off from its history.
    package var detached: Variable { Variable(value) }
}

/// One entry of the recorded graph: the operation that made a value, its inputs' nodes, and the gradient that has
/// arrived so far.
package final class Node {
    /// Longest way from a leaf; backward walks it downwards, so that a node's gradient is complete when its turn comes.
    let depth: Int
    var operation: (any Operation)?
    var inputs: [Node?]
    /// ∂loss/∂value, absent until something has arrived.
    package var gradient: Tensor?
    /// Leaves (parameters) keep their gradient after a backward pass; inner nodes pass it on and forget it.
    let isLeaf: Bool

    init(operation: (any Operation)?, inputs: [Node?]) {
        depth = 1 + (inputs.compactMap { $0?.depth }.max() ?? 0)
        self.operation = operation
        self.inputs = inputs
        isLeaf = operation == nil
    }

    /// A leaf: a value whose gradient is wanted.
    package convenience init() { self.init(operation: nil, inputs: []) }

    private var gradientIsOwned = false

    /// Adds a contribution. The first is adopted as it is, so its memory may be shared with other nodes; the second
    /// makes a sum of our own, and later ones are added to that in place.
    func receive(_ contribution: Tensor) {
        guard let current = gradient else {
            gradient = contribution
            gradientIsOwned = false
            return
        }
        if gradientIsOwned { return current.accumulate(contribution) }
        gradient = current.adding(contribution)
        gradientIsOwned = true
    }
}

/// Whether operations record what a backward pass needs. Off inside `withoutGradients`.
package enum Recording {
    @TaskLocal static var isOn = true

    /// Computes without recording: for generation, evaluation and frozen teachers.
    package static func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $isOn.withValue(false) { try body() }
    }
}

extension Operation {
    /// Computes the operation's value from `inputs`, and records it when one of them leads to a leaf.
    package func apply(_ inputs: [Variable]) -> Variable {
        var operation = self
        let output = operation.profiledForward(inputs.map(\.value))
        guard Recording.isOn, inputs.contains(where: { $0.node != nil }) else { return Variable(output) }
        if Self.isCheap, output.count >= CheapOutputs.least { offer(output, of: inputs) }
        return Variable(output, node: Node(operation: operation, inputs: inputs.map(\.node)))
    }

    private func offer(_ output: Tensor, of inputs: [Variable]) {
        let kept = inputs.map { KeptTensor($0.value) }
        output.canBeComputed {
            var operation = self
            return operation.profiledForward(kept.map(\.tensor))
        }
    }
}

extension Variable {
    /// Sends `seed` (ones, for a scalar loss) back through the recorded graph and leaves ∂self/∂leaf in every leaf it
    /// reaches, added to what was there. The graph is forgotten on the way, so a backward pass runs once.
    package func backward(seed: Tensor? = nil) {
        guard let node else { return }
        node.receive(seed ?? Tensor(repeating: 1, shape: shape))
        for current in node.ancestorsInReverse() {
            guard let operation = current.operation, let gradient = current.gradient else { continue }
            let contributions = operation.profiledBackward(gradient, needs: current.inputs.map { $0 != nil })
            for (input, contribution) in zip(current.inputs, contributions) {
                if let input, let contribution { input.receive(contribution) }
            }
            current.forget()
        }
    }
}

extension Node {
    fileprivate func forget() {
        operation = nil
        inputs = []
        gradient = nil
    }

    /// This node and all inner nodes it was computed from, latest first.
    fileprivate func ancestorsInReverse() -> [Node] {
        var seen = Set<ObjectIdentifier>()
        var found: [Node] = []
        var stack = [self]
        while let next = stack.popLast() {
            guard !next.isLeaf, seen.insert(ObjectIdentifier(next)).inserted else { continue }
            found.append(next)
            stack.append(contentsOf: next.inputs.compactMap { $0 })
        }
        return found.sorted { $0.depth > $1.depth }
    }
}
