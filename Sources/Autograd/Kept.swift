import Tensors

/// What an operation keeps of its inputs for the way back: of those that cost little to compute once more, only how.
@propertyWrapper
struct Kept {
    private var kept: [KeptTensor] = []

    init(wrappedValue: [Tensor]) { self.wrappedValue = wrappedValue }

    /// All of them. Reading computes: once where they are used, and not on several threads.
    var wrappedValue: [Tensor] {
        get { kept.map(\.tensor) }
        set { kept = newValue.map { KeptTensor($0) } }
    }

    /// For what is needed of some alone.
    var projectedValue: [KeptTensor] { kept }
}

/// Which outputs are computed once more for whoever needs them on the way back: a matter of sizes alone, and of the
/// same numbers either way.
package enum CheapOutputs {
    /// Numbers from which on their memory is worth the time. Tests have none too small.
    @TaskLocal package static var least = 1 << 19
}
